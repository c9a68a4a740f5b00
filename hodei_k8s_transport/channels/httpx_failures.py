"""What the exceptions of httpx and httpcore mean, in addition to the table in `failures`."""

from __future__ import annotations

import httpcore
import httpx

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_transport.channels.failures import (
    CLOSED,
    GENERAL,
    SPECIFIC,
    TIMEOUT,
    Table,
    Verdict,
    always,
    causes,
    translate_by,
)
from hodei_k8s_transport.channels.phase import Phase

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
    httpx.LocalProtocolError,
)


def translate_httpx(error: BaseException, phase: Phase, *, proxied: bool = False) -> TransportError:
    """What `error` means for an exchange that got to `phase`; `proxied`: connections are made to a proxy."""
    failure = translate_by(_TABLE, error, phase, proxied=proxied)
    if failure is error or not any(isinstance(cause, _NEVER_SENT) for cause in causes(error)):
        return failure
    return TransportError(failure.fault, Delivery.NOT_SENT, failure.detail)


def _protocol(error: BaseException) -> Verdict | None:
    text = str(error)
    # h11's words for a reply that begins with a control byte: that of a TLS alert, where a status line was expected.
    if text == "illegal request line":
        return TransportFault.NOT_TLS, "the server speaks TLS on this port; the address should begin with https"
    if "disconnected" in text or "closed connection" in text:
        return TransportFault.CLOSED, "the server closed the connection before the reply was complete"
    return TransportFault.MALFORMED, "the reply is not valid HTTP"


def _proxy(error: BaseException) -> Verdict | None:
    status = str(error).partition(" ")[0]
    return TransportFault.PROXY, f"the proxy refused{f' with status {status}' if status.isdigit() else ''}"


_TABLE: Table = (
    *SPECIFIC,
    ((httpx.ProxyError, httpcore.ProxyError), _proxy),
    (
        (httpx.LocalProtocolError, httpcore.LocalProtocolError),
        always(TransportFault.MALFORMED, "the request is not valid HTTP"),
    ),
    ((httpx.RemoteProtocolError, httpcore.RemoteProtocolError), _protocol),
    (
        (httpx.PoolTimeout, httpcore.PoolTimeout),
        always(TransportFault.NO_CONNECTION_FREE, "no connection became free"),
    ),
    ((httpx.TimeoutException, httpcore.TimeoutException), TIMEOUT),
    *GENERAL,
    ((httpx.NetworkError, httpcore.NetworkError), CLOSED),
    (
        (httpx.UnsupportedProtocol, httpx.InvalidURL),
        always(TransportFault.MALFORMED, "the server's address is not a URL"),
    ),
)
