"""Certificates that have expired are named with their date: our own where the server refuses us, the server's by the
audit alone, which may ask for it once more.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.access.certificate import expiry_in_der, expiry_in_pem
from hodei_k8s_core.audit_report import AuditReport, AuditStatus, AuditStep
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.errors import AuthenticationFailed, ConnectionFailed, ProviderError
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.channels.certificates import ConnectionCertificates, served_certificate
from hodei_k8s_transport.testing.loopback import LoopbackServer
from tests.cluster.hosts import Host
from tests.transport.access_cases import V1, ClientAuthority, Plugin
from tests.transport.api_servers import CONFIG, UNAUTHORIZED, anyio_backend, api_server, host, kubeconfig_to
from tests.transport.test_audit_at_once import Together, api_server_with

__all__ = ["anyio_backend", "host"]

ONCE = msgspec.structs.replace(CONFIG, retry=RetryPolicy(max_attempts=1))
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
DATE = re.compile(r"expired on (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    return ClientAuthority(tmp_path_factory.mktemp("ca"))


def end_of(certificate: Path) -> float:
    """Its `notAfter` as OpenSSL reads it, in seconds since the epoch."""
    told = subprocess.run(
        ["openssl", "x509", "-in", str(certificate), "-noout", "-enddate"], check=True, capture_output=True, text=True
    )
    return float(ssl.cert_time_to_seconds(told.stdout.strip().partition("=")[2]))


def dated(text: str) -> float:
    found = DATE.search(text)
    assert found is not None, text
    return dt.datetime.fromisoformat(found[1]).timestamp()


def shown(authority: ClientAuthority, name: str, days: int) -> dict[str, Any]:
    certificate, key = authority.client_pair(name, days=days)
    return {"client-certificate": str(certificate), "client-key": str(key)}


def step(report: AuditReport, name: str) -> AuditStep:
    return next(one for one in report.steps if one.name == name)


async def error_and_report(
    host: Host, environ: dict[str, str], config: KubernetesConfig = ONCE
) -> tuple[ProviderError, AuditReport]:
    async with host.connect(config, environ=environ) as provider:
        with pytest.raises(ProviderError) as caught:
            await provider.list_workers()
        return caught.value, await provider.audit()


@pytest.mark.parametrize("days", [1, 30, 40_000])
def test_our_reader_agrees_with_openssl(tmp_path: Path, days: int) -> None:
    """After 2049 the time has its other form."""
    authority = ClientAuthority(tmp_path)
    certificate, _ = authority.client_pair("one", days=days)
    pem = certificate.read_text()
    assert expiry_in_pem(pem) == end_of(certificate)
    assert expiry_in_der(ssl.PEM_cert_to_DER_cert(pem)) == end_of(certificate)


@pytest.mark.anyio
async def test_a_401_names_our_certificate_that_has_expired(
    host: Host, tmp_path: Path, authority: ClientAuthority
) -> None:
    user = shown(authority, "expired", 0)
    with api_server(authority.server_context(), UNAUTHORIZED) as server:
        server.route(WHO, UNAUTHORIZED)
        environ = kubeconfig_to(server, tmp_path, user, certificate_authority=str(authority.certificate))
        error, report = await error_and_report(host, environ)
    assert isinstance(error, AuthenticationFailed)
    assert dated(str(error)) == end_of(Path(user["client-certificate"]))
    assert 'users["u"].user.client-certificate' in error.mend
    refused = step(report, "authentication")
    assert (refused.status, refused.mend) == (AuditStatus.FAILED, error.mend)


@pytest.mark.anyio
@pytest.mark.parametrize("http", ["httpx", "h11"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)
async def test_an_alert_names_our_certificate_that_has_expired(
    host: Host, tmp_path: Path, authority: ClientAuthority, version: ssl.TLSVersion, http: str
) -> None:
    """In TLS 1.3 it comes when the request is on its way."""
    user = shown(authority, "expired", 0)
    tls = authority.server_context()
    tls.maximum_version = version
    tls.load_verify_locations(authority.certificate)
    tls.verify_mode = ssl.CERT_REQUIRED
    with api_server(tls) as server:
        environ = kubeconfig_to(server, tmp_path, user, certificate_authority=str(authority.certificate))
        error, report = await error_and_report(host, environ, msgspec.structs.replace(ONCE, http=http))
    assert isinstance(error, ConnectionFailed)
    assert dated(str(error)) == end_of(Path(user["client-certificate"]))
    (failed,) = report.failures
    assert failed.mend == error.mend


@pytest.mark.anyio
@pytest.mark.parametrize(("days", "status"), [(2, AuditStatus.WARNING), (30, AuditStatus.OK)])
async def test_the_audit_warns_of_our_certificate_before_it_expires(
    host: Host, tmp_path: Path, authority: ClientAuthority, days: int, status: AuditStatus
) -> None:
    user = shown(authority, f"for-{days}-days", days)
    with api_server_with(Together(1), authority.server_context()) as server:
        environ = kubeconfig_to(server, tmp_path, user, certificate_authority=str(authority.certificate))
        async with host.connect(environ=environ) as provider:
            report = await provider.audit()
    known = step(report, "authentication")
    assert known.status is status
    assert report.is_sound
    until = dt.datetime.fromtimestamp(end_of(Path(user["client-certificate"])), dt.UTC)
    assert (f"expires on {until:%Y-%m-%dT%H:%M:%SZ}" in known.detail) is (status is AuditStatus.WARNING)


@pytest.mark.anyio
async def test_a_plugins_certificate_that_has_expired_is_named_by_its_stanza(
    host: Host, tmp_path: Path, authority: ClientAuthority
) -> None:
    certificate, key = authority.client_pair("expired", days=0)
    pair = {"clientCertificateData": certificate.read_text(), "clientKeyData": key.read_text()}
    (tmp_path / "reply").write_text(json.dumps({"kind": "ExecCredential", "apiVersion": V1, "status": pair}))
    plugin = Plugin(tmp_path, answer=f"cat {tmp_path}/reply")
    with api_server(authority.server_context(), UNAUTHORIZED) as server:
        environ = kubeconfig_to(server, tmp_path, plugin.user, certificate_authority=str(authority.certificate))
        async with host.connect(ONCE, environ=environ) as provider:
            with pytest.raises(AuthenticationFailed) as caught:
                await provider.list_workers()
    assert dated(str(caught.value)) == end_of(certificate)
    assert 'users["u"].user.exec' in caught.value.mend


@pytest.mark.anyio
async def test_the_servers_certificate_that_has_expired_is_dated_by_the_audit_alone(
    host: Host, tmp_path: Path, authority: ClientAuthority
) -> None:
    with api_server(authority.server_context(days=0)) as server:
        environ = kubeconfig_to(server, tmp_path, {"token": "t"}, certificate_authority=str(authority.certificate))
        async with host.connect(ONCE, environ=environ) as provider:
            with pytest.raises(ConnectionFailed, match="certificate has expired"):
                await provider.list_workers()
            assert server.accepted == 1
            report = await provider.audit()
        assert server.wait_until(lambda: server.open_connections == 0)
    assert (server.accepted, server.requests) == (3, [])
    (failed,) = report.failures
    assert failed.name == "tls"
    assert dated(failed.detail) == end_of(authority.directory / "s.pem")


def test_the_server_is_asked_for_its_certificate_as_anybody(tmp_path: Path, authority: ClientAuthority) -> None:
    """Nothing of ours is shown to it: no name, no certificate, no request."""
    tls = authority.server_context()
    asked: list[str | None] = []
    tls.sni_callback = lambda _, name, __: asked.append(name)
    with LoopbackServer(tls) as server:
        endpoint = Endpoint(server.url, tls=authority.client_context(), server_name="api.example")
        data = served_certificate(endpoint, 5.0)
        assert server.wait_until(lambda: server.open_connections == 0)
    assert data == ssl.PEM_cert_to_DER_cert((authority.directory / "s.pem").read_text())
    assert asked == ["api.example"]
    assert not server.requests


class NoCertificate:
    certificate = None


def test_a_server_that_shows_none_is_not_waited_for(server: LoopbackServer) -> None:
    """One that is silent when TLS begins, and one that is not there."""
    for url in (server.url.replace("http:", "https:"), "https://127.0.0.1:9"):
        certificates = ConnectionCertificates(Endpoint(url), NoCertificate())
        began = time.monotonic()
        assert certificates.served(0.3) is None
        assert time.monotonic() - began < 3.0
        assert certificates.own() is None


def test_over_plain_http_and_through_socks_there_is_none_to_ask_for(server: LoopbackServer) -> None:
    for endpoint in (Endpoint(server.url), Endpoint("https://h.example", proxy="socks5://127.0.0.1:9")):
        assert ConnectionCertificates(endpoint, NoCertificate()).served(0.3) is None
