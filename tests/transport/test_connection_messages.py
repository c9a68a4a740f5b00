"""What a provider says when it cannot get through: what was tried, whence the setting came, and what mends it.

The audit finds the same trouble, at the right step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.audit_report import AuditStatus
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.connection_mends import MENDS
from hodei_k8s_core.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    PermissionDenied,
    ProviderError,
    ProviderSpecific,
    TransportFault,
)
from hodei_k8s_transport.testing.loopback import HANG_UP, NEVER, LoopbackServer, Reply, reply
from tests.cluster.hosts import Host
from tests.transport.access_cases import ClientAuthority
from tests.transport.api_servers import CONFIG, UNAUTHORIZED, anyio_backend, host, kubeconfig_to, status
from tests.transport.test_tls import SpeaksPlainly

__all__ = ["anyio_backend", "host"]
pytestmark = pytest.mark.anyio

IMPATIENT = msgspec.structs.replace(CONFIG, retry=RetryPolicy(max_attempts=1), request_timeout=0.5)
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
PODS = "/api/v1/namespaces/hodei-workers/pods"
HTML = (("content-type", "text/html"),)


class Place:
    """Servers that live as long as the test, certificates for them, and the kubeconfig that leads there."""

    def __init__(self, directory: Path, authority: ClientAuthority, stack: ExitStack) -> None:
        self.directory = directory
        self.authority = authority
        self._stack = stack
        self.trusted = {"certificate_authority": str(authority.certificate)}

    def serve(
        self, answer: Reply = HANG_UP, tls: Any = None, kind: type[LoopbackServer] = LoopbackServer
    ) -> LoopbackServer:
        """A server that gives `answer` to what is asked first."""
        server = self._stack.enter_context(kind(tls))
        for path in (WHO, PODS):
            server.route(path, answer)
        return server

    def lead_to(self, server: LoopbackServer | str, **cluster: Any) -> dict[str, str]:
        return kubeconfig_to(server, self.directory, {"token": "t"}, **cluster)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    return ClientAuthority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def place(tmp_path: Path, authority: ClientAuthority) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(tmp_path, authority, stack)


def gone() -> str:
    with LoopbackServer() as server:
        return server.url.replace("http:", "https:")


FAULTS: dict[TransportFault, tuple[str, Callable[[Place], dict[str, str]]]] = {
    TransportFault.NAME_NOT_FOUND: ("name", lambda p: p.lead_to("https://no-such-host.invalid")),
    TransportFault.REFUSED: ("tcp", lambda p: p.lead_to(gone())),
    TransportFault.PROXY: ("tcp", lambda p: p.lead_to(gone(), proxy_url=gone().replace("https:", "http:"))),
    TransportFault.TLS_UNTRUSTED: ("tls", lambda p: p.lead_to(p.serve(tls=p.authority.server_context()))),
    TransportFault.TLS_NAME: (
        "tls",
        lambda p: p.lead_to(p.serve(tls=p.authority.server_context("DNS:elsewhere.example")), **p.trusted),
    ),
    TransportFault.TLS_EXPIRED: (
        "tls",
        lambda p: p.lead_to(p.serve(tls=p.authority.server_context(days=0)), **p.trusted),
    ),
    TransportFault.NOT_TLS: (
        "tls",
        lambda p: p.lead_to(p.serve(kind=SpeaksPlainly).url.replace("http:", "https:")),
    ),
    TransportFault.TIMEOUT: ("api", lambda p: p.lead_to(p.serve(NEVER))),
    TransportFault.CLOSED: ("api", lambda p: p.lead_to(p.serve(HANG_UP))),
    TransportFault.MALFORMED: ("api", lambda p: p.lead_to(p.serve(Reply(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")))),
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.value)
async def test_a_connection_that_fails(host: Host, place: Place, fault: TransportFault) -> None:
    failing, lead = FAULTS[fault]
    environ = lead(place)
    async with host.connect(IMPATIENT, environ=environ) as provider:
        error = await failure_of(provider)
        report = await provider.audit()
    assert isinstance(error, ConnectionFailed)
    assert error.failure is not None
    assert error.failure.fault is fault
    assert error.mend == MENDS[fault]
    assert_located(error, environ)
    (failed,) = report.failures
    assert (failed.name, failed.mend) == (failing, error.mend)
    assert report.steps[-1].status is AuditStatus.SKIPPED
    assert report.target == error.target


FORBIDDEN = status(403, "Forbidden", 'pods is forbidden: User "me" cannot list resource "pods"')
ANSWERS: dict[str, tuple[Reply, type[ProviderError], str, str]] = {
    "401": (UNAUTHORIZED, AuthenticationFailed, "does not accept the credentials", "authentication"),
    "403": (FORBIDDEN, PermissionDenied, "grant the permission", ""),
    "a page that is not there": (
        reply(404, b"<html>", HTML),
        ProviderSpecific,
        "what answers there is no Kubernetes API server",
        "api",
    ),
    "a login page": (
        reply(302, b"", (("location", "https://login.example"),)),
        ProviderSpecific,
        "what answers there is no Kubernetes API server",
        "api",
    ),
    "plain http to a port for TLS": (
        reply(400, b"Client sent an HTTP request to an HTTPS server.\n"),  # Go's words, and an API server's
        ConnectionFailed,
        "https for a TLS port",
        "tls",
    ),
    "a gateway without a server": (
        reply(503, b"no healthy upstream"),
        ProviderSpecific,
        "no healthy upstream",
        "api",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_does_not_help(host: Host, place: Place, name: str) -> None:
    answer, kind, words, failing = ANSWERS[name]
    environ = place.lead_to(place.serve(answer))
    async with host.connect(IMPATIENT, environ=environ) as provider:
        error = await failure_of(provider)
        report = await provider.audit()
    assert type(error) is kind
    assert words in str(error)
    assert_located(error, environ)
    assert [step.name for step in report.failures][:1] == [failing] * bool(failing) or not failing


async def failure_of(provider: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await provider.list_workers()
    return caught.value


def assert_located(error: ProviderError, environ: dict[str, str]) -> None:
    assert f'as context "x" ({environ["KUBECONFIG"]})' in error.target
    assert error.target in str(error)
    assert error.target.startswith("http")
