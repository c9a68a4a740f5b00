"""The one table that translates the exceptions of httpx, httpcore, ssl and the system into `TransportError`.

An exception is looked at with everything that caused it, and with the members of groups (several addresses tried).
Texts are short and hold no secret: no header, no URL, nothing that the request or the reply contained.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Iterator

import anyio
import httpcore
import httpx

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_transport.channels.attempt import Phase

_DELIVERY_IN = {
    Phase.CREDENTIALS: Delivery.NOT_SENT,
    Phase.QUEUED: Delivery.NOT_SENT,
    Phase.CONNECTING: Delivery.NOT_SENT,
    Phase.SENT: Delivery.MAYBE_SENT,
    Phase.ANSWERED: Delivery.ANSWERED,
}
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
    httpx.LocalProtocolError,
)
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

Verdict = tuple[TransportFault, str]


def translate(error: BaseException, phase: Phase, *, proxied: bool = False) -> TransportError:
    """What `error` means for an exchange that got to `phase`; `proxied`: connections are made to a proxy."""
    if isinstance(error, TransportError):
        return error
    chain = tuple(_causes(error))
    fault, reason = _first_verdict(chain)
    if fault is TransportFault.TIMEOUT:
        fault = _TIMEOUT_IN.get(phase, fault)
    if proxied and phase is Phase.CONNECTING and fault in _ALONG_THE_WAY:
        fault, reason = TransportFault.PROXY, f"the proxy: {reason}"
    return TransportError(fault, _delivery(chain, phase), f"{phase.value}: {reason}")


def _delivery(chain: tuple[BaseException, ...], phase: Phase) -> Delivery:
    if any(isinstance(error, _NEVER_SENT) for error in chain):
        return Delivery.NOT_SENT
    return _DELIVERY_IN.get(phase, Delivery.MAYBE_SENT)


def _first_verdict(chain: tuple[BaseException, ...]) -> Verdict:
    for kind, judge in _TABLE:
        for error in chain:
            if isinstance(error, kind) and (verdict := judge(error)) is not None:
                return verdict
    return TransportFault.CLOSED, f"the connection failed ({type(chain[0]).__name__})"


def _causes(error: BaseException, depth: int = 8) -> Iterator[BaseException]:
    yield error
    if depth == 0:
        return
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for cause in (*members, error.__cause__ or error.__context__):
        if cause is not None:
            yield from _causes(cause, depth - 1)


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


def _protocol(error: BaseException) -> Verdict | None:
    text = str(error)
    # h11's words for a reply that begins with a control byte: that of a TLS alert, where a status line was expected.
    if text == "illegal request line":
        return TransportFault.NOT_TLS, "the server speaks TLS on this port; the address should begin with https"
    if "disconnected" in text or "closed connection" in text:
        return TransportFault.CLOSED, "the server closed the connection before the reply was complete"
    return TransportFault.MALFORMED, "the reply is not valid HTTP"


def _always(fault: TransportFault, reason: str) -> Callable[[BaseException], Verdict | None]:
    return lambda _: (fault, reason)


def _name(error: BaseException) -> Verdict | None:
    return TransportFault.NAME_NOT_FOUND, str(getattr(error, "strerror", None) or "the name does not resolve")


def _proxy(error: BaseException) -> Verdict | None:
    status = str(error).partition(" ")[0]
    return TransportFault.PROXY, f"the proxy refused{f' with status {status}' if status.isdigit() else ''}"


_CLOSED = _always(TransportFault.CLOSED, "the connection was closed")
_TIMEOUT = _always(TransportFault.TIMEOUT, "nothing came in time")

# The first row that says something about any exception of the chain decides.
_TABLE: tuple[
    tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[[BaseException], Verdict | None]], ...
] = (
    (ssl.SSLCertVerificationError, _certificate),
    (ssl.SSLError, _tls),
    (socket.gaierror, _name),
    ((httpx.ProxyError, httpcore.ProxyError), _proxy),
    (ConnectionRefusedError, _always(TransportFault.REFUSED, "connection refused")),
    (OSError, _system),
    (
        (httpx.LocalProtocolError, httpcore.LocalProtocolError),
        _always(TransportFault.MALFORMED, "the request is not valid HTTP"),
    ),
    ((httpx.RemoteProtocolError, httpcore.RemoteProtocolError), _protocol),
    (
        (httpx.PoolTimeout, httpcore.PoolTimeout),
        _always(TransportFault.NO_CONNECTION_FREE, "no connection became free"),
    ),
    ((httpx.TimeoutException, httpcore.TimeoutException, TimeoutError), _TIMEOUT),
    ((httpx.NetworkError, httpcore.NetworkError, ConnectionError), _CLOSED),
    ((anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream), _CLOSED),
    (
        (httpx.UnsupportedProtocol, httpx.InvalidURL),
        _always(TransportFault.MALFORMED, "the server's address is not a URL"),
    ),
)
