"""What rotates, rotates under an open provider: a token file, a CA bundle, a plugin's token. And many providers in one
process leave one another alone.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import msgspec
import pytest

from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    ProviderClosed,
    ProviderSpecific,
    TransportFault,
)
from hodei_k8s_transport.testing.loopback import LoopbackServer, ReceivedRequest, Reply
from tests.cluster.hosts import Host
from tests.transport.access_cases import ClientAuthority, Plugin
from tests.transport.api_servers import (
    CONFIG,
    NO_PODS,
    PODS,
    anyio_backend,
    api_server,
    host,
    kubeconfig_to,
    status,
    when,
)

__all__ = ["anyio_backend", "host"]
pytestmark = pytest.mark.anyio
SOON = 0.2


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    return ClientAuthority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    return ClientAuthority(tmp_path_factory.mktemp("other-ca"))


@pytest.fixture
def secure(authority: ClientAuthority) -> Iterator[LoopbackServer]:
    with api_server(authority.server_context()) as server:
        yield server


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at again after a fifth of a second."""
    monkeypatch.setattr("hodei_k8s_core.access.credentials.READ_INTERVAL", SOON)


def bearer(request: ReceivedRequest) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


async def test_a_token_file_that_rotates(
    host: Host, secure: LoopbackServer, authority: ClientAuthority, tmp_path: Path
) -> None:
    accepted = {"one"}
    secure.route(PODS, when(lambda request: bearer(request) in accepted))
    token = tmp_path / "token"
    token.write_text("one")
    environ = kubeconfig_to(secure, tmp_path, {"tokenFile": "token"}, certificate_authority=str(authority.certificate))
    async with host.connect(environ=environ) as provider:
        await provider.list_workers()
        token.write_text("two\n")
        accepted.clear()
        accepted.add("two")
        await provider.list_workers()
        assert [bearer(request) for request in secure.requests] == ["one", "one", "two"]
        assert secure.accepted == 1
        accepted.clear()
        with pytest.raises(AuthenticationFailed, match="does not accept the credentials"):
            await provider.list_workers()


async def test_a_ca_bundle_that_rotates(
    host: Host,
    secure: LoopbackServer,
    authority: ClientAuthority,
    other_authority: ClientAuthority,
    tmp_path: Path,
    often: None,
) -> None:
    bundle = tmp_path / "ca.crt"
    shutil.copy(authority.certificate, bundle)
    environ = kubeconfig_to(secure, tmp_path, {"token": "t"}, certificate_authority="ca.crt")
    async with host.connect(environ=environ) as provider:
        await provider.list_workers()
        secure._tls = other_authority.server_context()  # the server gets a certificate of another authority
        for connection in tuple(secure._connections):
            connection.close()
        with pytest.raises(ConnectionFailed) as caught:
            await provider.list_workers()
        assert caught.value.failure is not None
        assert caught.value.failure.fault is TransportFault.TLS_UNTRUSTED
        bundle.write_text(bundle.read_text() + other_authority.certificate.read_text())
        await anyio.sleep(SOON * 1.5)
        await provider.list_workers()


async def test_a_plugin_whose_token_is_refused_runs_again(
    host: Host, secure: LoopbackServer, authority: ClientAuthority, tmp_path: Path
) -> None:
    accepted = {"t-1"}
    secure.route(PODS, when(lambda request: bearer(request) in accepted))
    plugin = Plugin(tmp_path)
    environ = kubeconfig_to(secure, tmp_path, plugin.user, certificate_authority=str(authority.certificate))
    async with host.connect(environ={**environ, "PATH": os.environ["PATH"]}) as provider:
        await provider.list_workers()
        await provider.list_workers()
        assert plugin.runs == 1
        accepted.clear()
        accepted.add("t-2")

        async def ask() -> None:
            await provider.list_workers()

        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(ask)
        assert plugin.runs == 2
        assert {bearer(request) for request in secure.requests} == {"t-1", "t-2"}


async def test_closing_one_provider_disturbs_no_other(
    host: Host, secure: LoopbackServer, authority: ClientAuthority, tmp_path: Path
) -> None:
    """Each has its context and its connections; a call that is under way in one of them goes on."""
    other_home = tmp_path / "other"
    other_home.mkdir()
    asked, release = threading.Event(), threading.Event()

    def slowly(request: ReceivedRequest) -> Reply:
        asked.set()
        release.wait(5)
        return NO_PODS

    trust = {"certificate_authority": str(authority.certificate)}
    with api_server(authority.server_context(), NO_PODS) as other:
        environ = kubeconfig_to(secure, tmp_path, {"token": "one"}, **trust)
        elsewhere = kubeconfig_to(other, other_home, {"token": "two"}, **trust)
        async with host.connect(environ=elsewhere) as lasting, anyio.create_task_group() as tasks:
            async with host.connect(environ=environ) as passing:
                await passing.list_workers()
                await lasting.list_workers()
                other.route(PODS, slowly)
                tasks.start_soon(lasting.list_workers)
                await anyio.to_thread.run_sync(asked.wait, 5)
            assert await anyio.to_thread.run_sync(secure.wait_until, lambda: secure.open_connections == 0)
            with pytest.raises(ProviderClosed):
                await passing.list_workers()
            release.set()
        assert other.accepted == 1
        assert {bearer(request) for request in secure.requests} == {"one"}
        assert [bearer(request) for request in other.requests] == ["two", "two"]


async def test_each_provider_has_a_budget_of_its_own(host: Host, tmp_path: Path) -> None:
    retry = RetryPolicy(budget=1, budget_refill_per_second=0, first_delay=0.01)
    config = msgspec.structs.replace(CONFIG, retry=retry)
    with api_server(pods=status(503, "ServiceUnavailable", "starting")) as server:
        environ = kubeconfig_to(server, tmp_path, {})
        asked = []
        async with host.connect(config, environ=environ) as one, host.connect(config, environ=environ) as two:
            for provider in (one, one, two):
                before = len(server.requests)
                with pytest.raises(ProviderSpecific):
                    await provider.list_workers()
                asked.append(len(server.requests) - before)
    assert asked == [2, 1, 2]
