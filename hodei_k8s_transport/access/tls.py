"""TLS contexts that trust what client-go would trust.

Python is stricter than Go since 3.13 (`VERIFY_X509_STRICT` refuses the CAs of EKS and others, which lack an authority
key identifier), and by default wants a chain up to a root where Go takes any certificate of the bundle as an anchor.
"""

from __future__ import annotations

import os
import re
import ssl
import tempfile

import msgspec

from hodei_k8s_core.access.cluster_access import ClientCertificate, ClusterAccess
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.secret import Secret
from hodei_k8s_transport.access.files import read_material

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


_KEY = re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----.+?-----END (?:[A-Z]+ )?PRIVATE KEY-----", re.DOTALL)


class KeyPair(msgspec.Struct, frozen=True):
    """A client certificate with its key, in PEM. `field` names it in errors."""

    field: str
    certificate: Secret
    key: Secret


class TlsMaterial(msgspec.Struct, frozen=True):
    """Everything that a context is made from; equal material makes an equal context."""

    ca: Secret | None = None
    ca_field: str = ""
    insecure: bool = False
    pair: KeyPair | None = None


def read_tls_material(access: ClusterAccess) -> TlsMaterial:
    """What the files say now. Raises: `ConfigurationError`."""
    ca, certificate = access.trust.ca, access.identity.certificate
    return TlsMaterial(
        ca=Secret(read_material(ca)) if ca else None,
        ca_field=ca.field if ca else "",
        insecure=access.trust.insecure,
        pair=_read_pair(certificate) if certificate else None,
    )


def _read_pair(certificate: ClientCertificate) -> KeyPair:
    return KeyPair(
        certificate.certificate.field,
        Secret(read_material(certificate.certificate)),
        Secret(read_material(certificate.key)),
    )


def make_context(material: TlsMaterial) -> ssl.SSLContext:
    """A client's context. Raises: `ConfigurationError` for a bundle, certificate or key that is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if material.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif material.ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _load_bundle(context, material.ca.reveal(), material.ca_field)
    if material.pair is not None:
        _load_pair(context, material.pair)
    return context


def _load_bundle(context: ssl.SSLContext, bundle: str, field: str) -> None:
    """Each certificate alone: one that does not parse spoils no other, and comments may be in any language."""
    blocks = _CERTIFICATE.findall(bundle)
    loaded = sum(_loads(context, block) for block in blocks)
    if not loaded:
        problem = "holds no certificate in PEM" if not blocks else "holds no certificate that can be parsed"
        raise ConfigurationError("the trusted certificates cannot be loaded", [Fault(field, problem)])


def _loads(context: ssl.SSLContext, block: str) -> bool:
    try:
        context.load_verify_locations(cadata=block)
    except (ssl.SSLError, ValueError):
        return False
    return True


def _load_pair(context: ssl.SSLContext, pair: KeyPair) -> None:
    certificates = _CERTIFICATE.findall(pair.certificate.reveal())
    keys = _KEY.findall(pair.key.reveal())
    if not certificates or not keys:
        raise _bad_pair(pair, f"there is no {'private key' if certificates else 'certificate'} in PEM in it")
    try:
        _load_blocks(context, [*certificates, keys[0]])
    except _Encrypted:
        raise _bad_pair(pair, "its key is encrypted, and a kubeconfig has no place for a passphrase") from None
    except ssl.SSLError:
        raise _bad_pair(pair, "certificate and key do not belong together, or cannot be parsed") from None


def _load_blocks(context: ssl.SSLContext, blocks: list[str]) -> None:
    """OpenSSL reads a key from a file only: a private one (mode 0600), gone before this returns."""
    handle, path = tempfile.mkstemp(prefix="hodei-k8s-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write("\n".join(blocks) + "\n")
        context.load_cert_chain(path, password=_no_passphrase)
    finally:
        os.unlink(path)  # noqa: PTH108


def _bad_pair(pair: KeyPair, problem: str) -> ConfigurationError:
    return ConfigurationError("the client certificate cannot be loaded", [Fault(pair.field, problem)])


class _Encrypted(Exception):
    """Without this OpenSSL would ask for the passphrase on the terminal."""


def _no_passphrase() -> str:
    raise _Encrypted
