"""A host's own httpx client: used, unless the kubeconfig asks for what it cannot be seen to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from hodei_k8s_core.errors import ConfigurationError, ConnectionFailed, TransportFault
from tests.cluster.hosts import Host
from tests.transport.access_cases import ClientAuthority, Plugin
from tests.transport.api_servers import anyio_backend, api_server, host, kubeconfig_to

__all__ = ["anyio_backend", "host"]
pytestmark = pytest.mark.anyio
K8S = "https://k8s.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    return ClientAuthority(tmp_path_factory.mktemp("ca"))


@asynccontextmanager
async def client_on(host: Host, **options: Any) -> AsyncIterator[Any]:
    if host.kind == "sync":
        with httpx.Client(**options) as client:
            yield client
    else:
        async with httpx.AsyncClient(**options) as client:
            yield client


async def test_it_carries_the_credentials_of_the_kubeconfig(
    host: Host, authority: ClientAuthority, tmp_path: Path
) -> None:
    with api_server(authority.server_context()) as server:
        environ = kubeconfig_to(
            server,
            tmp_path,
            {"token": "t", "as": "someone"},
            certificate_authority=str(authority.certificate),
        )
        async with client_on(host, verify=authority.client_context()) as client:
            async with host.connect(environ=environ, client=client) as provider:
                assert await provider.list_workers() == []
            assert not client.is_closed
            (request,) = server.requests
            assert request.headers["authorization"] == "Bearer t"
            assert request.headers["impersonate-user"] == "someone"


async def test_whom_it_trusts_is_its_own_business(host: Host, authority: ClientAuthority, tmp_path: Path) -> None:
    """It may trust less than the kubeconfig, whose authority is not put into it."""
    with api_server(authority.server_context()) as server:
        environ = kubeconfig_to(server, tmp_path, {"token": "t"}, certificate_authority=str(authority.certificate))
        async with client_on(host) as client, host.connect(environ=environ, client=client) as provider:
            with pytest.raises(ConnectionFailed) as caught:
                await provider.list_workers()
            assert caught.value.failure is not None
            assert caught.value.failure.fault is TransportFault.TLS_UNTRUSTED
        assert server.requests == []


async def test_an_authority_that_rotates_does_not_concern_it(
    host: Host, authority: ClientAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hodei_k8s_core.access.credentials.READ_INTERVAL", 0.0)
    bundle = tmp_path / "ca.crt"
    bundle.write_text(authority.certificate.read_text())
    with api_server(authority.server_context()) as server:
        environ = kubeconfig_to(server, tmp_path, {"token": "t"}, certificate_authority=str(bundle))
        async with (
            client_on(host, verify=authority.client_context()) as client,
            host.connect(environ=environ, client=client) as provider,
        ):
            await provider.list_workers()
            bundle.write_text(f"# another\n{bundle.read_text()}")
            await provider.list_workers()


async def test_the_proxies_of_the_environment_are_its_own_business(host: Host, tmp_path: Path) -> None:
    environ = {
        **kubeconfig_to(K8S, tmp_path, {"token": "t"}),
        "HTTPS_PROXY": "http://127.0.0.1:1",
    }
    async with client_on(host) as client, host.connect(environ=environ, client=client):
        pass


@pytest.mark.parametrize(
    ("user", "cluster", "field"),
    [
        ({"client-certificate": "one.crt", "client-key": "one.key"}, {}, 'users["u"].user.client-certificate'),
        ({"exec": "a plugin"}, {}, 'users["u"].user.exec'),
        ({}, {"proxy-url": "http://proxy:3128"}, 'clusters["c"].cluster.proxy-url'),
        ({}, {"tls-server-name": "other"}, 'clusters["c"].cluster.tls-server-name'),
        ({}, {"insecure-skip-tls-verify": True}, 'clusters["c"].cluster.insecure-skip-tls-verify'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_it_cannot_be_seen_to_do_is_refused(
    host: Host, authority: ClientAuthority, tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], field: str
) -> None:
    certificate, key = authority.client_pair("one")
    (tmp_path / "one.crt").write_text(certificate.read_text())
    (tmp_path / "one.key").write_text(key.read_text())
    if "exec" in user:
        user = Plugin(tmp_path).user
    environ = kubeconfig_to(K8S, tmp_path, user, **cluster)
    async with client_on(host) as client:
        with pytest.raises(ConfigurationError) as caught:
            async with host.connect(environ=environ, client=client):
                pass
    assert [fault.field for fault in caught.value.faults] == [f"{tmp_path}/config: {field}"]
    assert "a client of your own cannot be seen to make" in str(caught.value)


async def test_everything_that_is_refused_is_told_at_once(host: Host, tmp_path: Path) -> None:
    cluster = {"proxy-url": "http://u:hunter2@proxy:3128", "tls-server-name": "other"}
    environ = kubeconfig_to(K8S, tmp_path, {}, **cluster)
    async with client_on(host) as client:
        with pytest.raises(ConfigurationError) as caught:
            async with host.connect(environ=environ, client=client):
                pass
    assert len(caught.value.faults) == 2
    assert "hunter2" not in str(caught.value)
