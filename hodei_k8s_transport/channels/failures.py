"""Translates exceptions of ssl, anyio and the system into `TransportError`, by a table; `httpx_failures` adds to it.

An exception is looked at with everything that caused it, and with the members of groups (several addresses tried).
Texts are short and hold no secret: no header, no URL, nothing that the request or the reply contained.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import TypeAlias

import anyio

from hodei_k8s_core.errors import TransportError, TransportFault
from hodei_k8s_transport.channels.phase import DELIVERY_IN, Phase

_TIMEOUT_IN = {
    Phase.CREDENTIALS: TransportFault.CREDENTIALS,
    Phase.QUEUED: TransportFault.NO_CONNECTION_FREE,
}
# X509_V_ERR_... of OpenSSL's x509_vfy.h
_CERTIFICATE_FAULTS = {
    9: TransportFault.TLS_EXPIRED,
    10: TransportFault.TLS_EXPIRED,
    62: TransportFault.TLS_NAME,
    64: TransportFault.TLS_NAME,
}
# What OpenSSL makes of the first bytes of a reply that is not TLS.
_NOT_TLS_REASONS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG")
_UNREACHABLE = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL, errno.EACCES}
)
_ALONG_THE_WAY = frozenset({TransportFault.NAME_NOT_FOUND, TransportFault.REFUSED, TransportFault.UNREACHABLE})

Verdict: TypeAlias = tuple[TransportFault, str]
Judge: TypeAlias = Callable[[BaseException], Verdict | None]
Kind: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]
Table: TypeAlias = tuple[tuple[Kind, Judge], ...]


def translate(error: BaseException, phase: Phase, *, proxied: bool = False) -> TransportError:
    """What `error` means for an exchange that got to `phase`; `proxied`: connections are made to a proxy."""
    return translate_by(TABLE, error, phase, proxied=proxied)


def translate_by(table: Table, error: BaseException, phase: Phase, *, proxied: bool) -> TransportError:
    """The same by another table: the first row that says something about any exception of the chain decides."""
    if isinstance(error, TransportError):
        return error
    chain = tuple(causes(error))
    fault, reason = _first_verdict(table, chain)
    if fault is TransportFault.TIMEOUT:
        fault = _TIMEOUT_IN.get(phase, fault)
    if proxied and phase is Phase.CONNECTING and fault in _ALONG_THE_WAY:
        fault, reason = TransportFault.PROXY, f"the proxy: {reason}"
    return TransportError(fault, DELIVERY_IN[phase], f"{phase.value}: {reason}")


def _first_verdict(table: Table, chain: tuple[BaseException, ...]) -> Verdict:
    for kind, judge in table:
        for error in chain:
            if isinstance(error, kind) and (verdict := judge(error)) is not None:
                return verdict
    return TransportFault.CLOSED, f"the connection failed ({type(chain[0]).__name__})"


def causes(error: BaseException, depth: int = 8) -> Iterator[BaseException]:
    """The exception itself, and what led to it."""
    yield error
    if depth == 0:
        return
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for cause in (*members, error.__cause__ or error.__context__):
        if cause is not None:
            yield from causes(cause, depth - 1)


def _certificate(error: BaseException) -> Verdict | None:
    code = getattr(error, "verify_code", 0)
    return _CERTIFICATE_FAULTS.get(code, TransportFault.TLS_UNTRUSTED), str(getattr(error, "verify_message", ""))


def _tls(error: BaseException) -> Verdict | None:
    # A handshake that waited for more bytes when something else ended it.
    if isinstance(error, ssl.SSLWantReadError | ssl.SSLWantWriteError):
        return None
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return TransportFault.CLOSED, "the connection was closed"
    reason = str(getattr(error, "reason", None) or type(error).__name__)
    if reason in _NOT_TLS_REASONS:
        return TransportFault.NOT_TLS, "the server does not speak TLS on this port"
    return TransportFault.TLS, reason.lower().replace("_", " ")


def _system(error: BaseException) -> Verdict | None:
    number = getattr(error, "errno", None)
    return (TransportFault.UNREACHABLE, str(getattr(error, "strerror", ""))) if number in _UNREACHABLE else None


def always(fault: TransportFault, reason: str) -> Judge:
    """Says the same of every exception of its kind."""
    return lambda _: (fault, reason)


def _name(error: BaseException) -> Verdict | None:
    return TransportFault.NAME_NOT_FOUND, str(getattr(error, "strerror", None) or "the name does not resolve")


CLOSED = always(TransportFault.CLOSED, "the connection was closed")
TIMEOUT = always(TransportFault.TIMEOUT, "nothing came in time")
SPECIFIC: Table = (
    (ssl.SSLCertVerificationError, _certificate),
    (ssl.SSLError, _tls),
    (socket.gaierror, _name),
    (ConnectionRefusedError, always(TransportFault.REFUSED, "connection refused")),
    (OSError, _system),
)
GENERAL: Table = (
    (TimeoutError, TIMEOUT),
    (ConnectionError, CLOSED),
    ((anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream), CLOSED),
)
TABLE: Table = (*SPECIFIC, *GENERAL)
