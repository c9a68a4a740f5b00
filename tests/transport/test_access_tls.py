"""TLS contexts: what they trust, what they show, and what they leave on the disk."""

from __future__ import annotations

import base64
import ssl
import tempfile
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_transport.access.connect import build_endpoint
from tests.transport.access_cases import ClientAuthority, access_to, handshake


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    return ClientAuthority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    return ClientAuthority(tmp_path_factory.mktemp("other-ca"))


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    directory = tmp_path / "scratch"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


def encoded(path: Path, before: bytes = b"") -> str:
    return base64.b64encode(before + path.read_bytes()).decode()


def context(directory: Path, cluster: dict[str, Any], user: dict[str, Any] | None = None) -> ssl.SSLContext:
    made = build_endpoint(access_to(directory, user or {}, cluster), {}).tls
    assert made is not None
    return made


def test_the_least_that_is_asked_of_a_server(tmp_path: Path) -> None:
    made = context(tmp_path, {})

    assert made.minimum_version is ssl.TLSVersion.TLSv1_2
    assert not made.verify_flags & ssl.VERIFY_X509_STRICT
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_bundle_is_trusted_and_nothing_else(
    tmp_path: Path, authority: ClientAuthority, other_authority: ClientAuthority
) -> None:
    made = context(tmp_path, {"certificate-authority": str(authority.certificate)})

    handshake(made, authority.server_context())
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer certificate"):
        handshake(made, other_authority.server_context())
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(made, authority.server_context("DNS:elsewhere.example"))
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        handshake(made, authority.server_context(days=0))


def test_a_bundle_with_comments_and_certificates_that_do_not_parse(
    tmp_path: Path, authority: ClientAuthority, other_authority: ClientAuthority
) -> None:
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    text = f"# größe\n{broken}{other_authority.certificate.read_text()}\n{authority.certificate.read_text()}"
    data = base64.b64encode(b"\xff comment\n" + text.encode()).decode()

    made = context(tmp_path, {"certificate-authority-data": data})

    handshake(made, authority.server_context())
    handshake(made, other_authority.server_context())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hunter", "holds no certificate in PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificate that can be parsed"),
    ],
)
def test_a_bundle_that_is_none(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        context(tmp_path, {"certificate-authority-data": base64.b64encode(text.encode()).decode()})

    field = f'{tmp_path}/config: clusters["c"].cluster.certificate-authority-data'
    assert [str(fault) for fault in caught.value.faults] == [f"{field}: {problem}"]


def test_a_server_certificate_alone_can_be_trusted(tmp_path: Path, authority: ClientAuthority) -> None:
    """Go takes every certificate of the bundle as an anchor; OpenSSL by default wants a chain up to a root."""
    server = authority.server_context()
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain.load_verify_locations(authority._directory / "s.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(plain, server)

    handshake(context(tmp_path, {"certificate-authority": str(authority._directory / "s.pem")}), server)


def test_an_insecure_cluster_is_believed_anything(tmp_path: Path, other_authority: ClientAuthority) -> None:
    made = context(tmp_path, {"insecure-skip-tls-verify": True})

    handshake(made, other_authority.server_context("DNS:elsewhere.example", days=0))


@pytest.mark.parametrize("kind", ["files", "data", "both in one file"])
def test_a_client_certificate_is_shown_and_leaves_nothing(
    tmp_path: Path, scratch: Path, authority: ClientAuthority, kind: str
) -> None:
    certificate, key = authority.client_pair("one")
    both = tmp_path / "both.pem"
    both.write_text(key.read_text() + certificate.read_text())
    user = {
        "files": {"client-certificate": str(certificate), "client-key": str(key)},
        "data": {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key, b"# \xfc\n")},
        "both in one file": {"client-certificate": str(both), "client-key": str(both)},
    }[kind]

    made = context(tmp_path, {"certificate-authority": str(authority.certificate)}, user)

    assert authority.client_name_seen(made) == "one"
    assert list(scratch.iterdir()) == []


def test_client_certificates_that_cannot_be_used(tmp_path: Path, scratch: Path, authority: ClientAuthority) -> None:
    certificate, key = authority.client_pair("one")
    _, other_key = authority.client_pair("two")
    none = tmp_path / "none"
    none.write_text("hunter")
    cases = [
        (certificate, other_key, "certificate and key do not belong together, or cannot be parsed"),
        (certificate, none, "there is no private key in PEM in it"),
        (none, key, "there is no certificate in PEM in it"),
        (certificate, authority.encrypt(key), "its key is encrypted, and a kubeconfig has no place for a passphrase"),
    ]
    for given_certificate, given_key, problem in cases:
        user = {"client-certificate": str(given_certificate), "client-key": str(given_key)}

        with pytest.raises(ConfigurationError) as caught:
            context(tmp_path, {}, user)

        field = f'{tmp_path}/config: users["u"].user.client-certificate'
        assert [str(fault) for fault in caught.value.faults] == [f"{field}: {problem}"]
    assert list(scratch.iterdir()) == []
