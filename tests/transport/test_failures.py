"""The table that translates foreign exceptions: what each means, and that no text shows a secret."""

from __future__ import annotations

import errno
import socket
import ssl

import anyio
import httpcore
import httpx
import pytest

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_transport.channels.httpx_failures import translate_httpx as translate
from hodei_k8s_transport.channels.phase import Phase


def caused_by(error, cause):
    error.__cause__ = cause
    return error


def unverified(code):
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "the message"
    return caused_by(httpx.ConnectError("x"), caused_by(httpcore.ConnectError("x"), error))


def tls(reason):
    error = ssl.SSLError(1, "x")
    error.reason = reason
    return caused_by(httpx.ConnectError("x"), error)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (unverified(10), TransportFault.TLS_EXPIRED),
        (unverified(9), TransportFault.TLS_EXPIRED),
        (unverified(62), TransportFault.TLS_NAME),
        (unverified(64), TransportFault.TLS_NAME),
        (unverified(18), TransportFault.TLS_UNTRUSTED),
        (unverified(20), TransportFault.TLS_UNTRUSTED),
        (tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"), TransportFault.TLS),
        (tls("WRONG_VERSION_NUMBER"), TransportFault.NOT_TLS),
        (caused_by(httpx.ConnectError("x"), ssl.SSLEOFError(8, "eof")), TransportFault.CLOSED),
        (caused_by(httpx.ConnectError("x"), socket.gaierror(-2, "unknown")), TransportFault.NAME_NOT_FOUND),
        (caused_by(httpx.ConnectError("x"), ConnectionRefusedError(111, "no")), TransportFault.REFUSED),
        (
            caused_by(
                httpx.ConnectError("x"),
                caused_by(
                    OSError("all failed"),
                    ExceptionGroup("x", [OSError(errno.ENETUNREACH, "no v6"), ConnectionRefusedError(111, "no")]),
                ),
            ),
            TransportFault.REFUSED,
        ),
        (caused_by(httpx.ConnectError("x"), OSError(errno.EHOSTUNREACH, "no")), TransportFault.UNREACHABLE),
        (httpx.ConnectError("x"), TransportFault.CLOSED),
        (httpx.ConnectTimeout("x"), TransportFault.TIMEOUT),
        (httpx.ProxyError("407 x"), TransportFault.PROXY),
        (anyio.ClosedResourceError(), TransportFault.CLOSED),
        (KeyError("a bug"), TransportFault.CLOSED),
    ],
)
def test_while_connecting_nothing_was_sent(error, fault):
    failure = translate(error, Phase.CONNECTING)
    assert (failure.fault, failure.delivery) == (fault, Delivery.NOT_SENT)


@pytest.mark.parametrize(
    ("phase", "fault", "delivery"),
    [
        (Phase.CREDENTIALS, TransportFault.CREDENTIALS, Delivery.NOT_SENT),
        (Phase.QUEUED, TransportFault.NO_CONNECTION_FREE, Delivery.NOT_SENT),
        (Phase.CONNECTING, TransportFault.TIMEOUT, Delivery.NOT_SENT),
        (Phase.UNTRACED, TransportFault.TIMEOUT, Delivery.MAYBE_SENT),
        (Phase.SENT, TransportFault.TIMEOUT, Delivery.MAYBE_SENT),
        (Phase.ANSWERED, TransportFault.TIMEOUT, Delivery.ANSWERED),
    ],
)
def test_a_timeout_says_where_the_time_went(phase, fault, delivery):
    failure = translate(TimeoutError(), phase)
    assert (failure.fault, failure.delivery) == (fault, delivery)
    assert phase.value in failure.detail


@pytest.mark.parametrize(
    ("error", "fault", "delivery"),
    [
        (httpx.ConnectError("x"), TransportFault.CLOSED, Delivery.NOT_SENT),
        (httpx.PoolTimeout("x"), TransportFault.NO_CONNECTION_FREE, Delivery.NOT_SENT),
        (httpx.UnsupportedProtocol("x"), TransportFault.MALFORMED, Delivery.NOT_SENT),
        (httpx.ReadError("x"), TransportFault.CLOSED, Delivery.MAYBE_SENT),
        (httpx.RemoteProtocolError("Server disconnected without x"), TransportFault.CLOSED, Delivery.MAYBE_SENT),
        (httpx.RemoteProtocolError("malformed data"), TransportFault.MALFORMED, Delivery.MAYBE_SENT),
    ],
)
def test_a_client_that_tells_nothing_is_judged_by_its_exceptions(error, fault, delivery):
    failure = translate(error, Phase.UNTRACED)
    assert (failure.fault, failure.delivery) == (fault, delivery)


def test_what_happens_on_the_way_to_a_proxy_is_the_proxys():
    error = caused_by(httpx.ConnectError("x"), ConnectionRefusedError(111, "refused"))
    assert translate(error, Phase.CONNECTING, proxied=True).fault is TransportFault.PROXY
    assert translate(unverified(62), Phase.CONNECTING, proxied=True).fault is TransportFault.TLS_NAME


def test_a_failure_that_is_translated_already_stays():
    failure = TransportError(TransportFault.TOO_LARGE, Delivery.ANSWERED)
    assert translate(failure, Phase.SENT) is failure


@pytest.mark.parametrize(
    "error",
    [
        httpx.LocalProtocolError("Illegal header value b'Bearer hunter2\\n'"),
        httpx.RemoteProtocolError("illegal status line: bytearray(b'hunter2')"),
        httpx.ProxyError("hunter2 at http://user:hunter2@proxy"),
        httpx.InvalidURL("http://user:hunter2@proxy"),
        KeyError("hunter2"),
    ],
)
def test_no_text_of_the_exchange_is_shown(error):
    failure = translate(error, Phase.SENT)
    assert "hunter2" not in str(failure)
    assert failure.detail
