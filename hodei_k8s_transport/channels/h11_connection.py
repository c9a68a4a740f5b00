"""HTTP/1.1 on one connection: requests become bytes, bytes become replies. It does no I/O; h11 knows the protocol.

    data = connection.ask(progress, "GET", b"/version", headers)     # to be sent
    connection.sending()                                             # the first byte may be on its way
    connection.feed(data)                                            # what arrived; b"" for the end of the stream
    connection.head()                                                # the head of the reply, or None: feed more
    connection.piece()                                               # bytes of its body, b"" at its end, or None

What is wrong with a reply is a `TransportError` that says so and how far the request got. No text of h11 is passed on:
it quotes the exchange.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h11
import msgspec

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Headers
from hodei_k8s_transport.channels.phase import Phase, Progress

Fields = Sequence[tuple[bytes, bytes]]
HEAD_LIMIT = 64 * 1024
"""Bytes that the head of a reply may have, or the line of a chunk's size with its extensions."""
_TOO_LONG = 431


class Head(msgspec.Struct, frozen=True):
    """The status and the fields of a reply."""

    status: int
    headers: Headers


def checked_fields(fields: Fields) -> Fields:
    """The same fields, which h11 then takes without looking at each again. Raises: TransportError: NOT_SENT."""
    try:
        return h11.Request(method="GET", target="/", headers=list(fields)).headers
    except h11.LocalProtocolError:
        raise _invalid_request() from None


class H11Connection:
    """Requests and their replies, one after the other."""

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
        self._progress = Progress()

    @property
    def delivery(self) -> Delivery:
        """How far the request got."""
        return self._progress.delivery

    def ask(self, progress: Progress, method: str, target: bytes, headers: Fields, body: bytes = b"") -> bytes:
        """The bytes of a request. Raises: TransportError: it is not valid HTTP."""
        self._progress = progress
        try:
            head = self._h11.send(h11.Request(method=method, target=target, headers=headers))  # type: ignore[arg-type]
            end = self._h11.send(h11.Data(data=body)) if body else b""
            end += self._h11.send(h11.EndOfMessage())
        except h11.LocalProtocolError:
            raise _invalid_request() from None
        return head + end

    def sending(self) -> None:
        """From now on the server may act on the request."""
        self._progress.phase = Phase.SENT

    def feed(self, data: bytes) -> None:
        """What arrived; b"" when the server ended the stream."""
        self._h11.receive_data(data)

    def head(self) -> Head | None:
        """The head of the reply, or None when more is needed. Raises: TransportError."""
        event = self._next_event()
        while type(event) is h11.InformationalResponse:
            event = self._next_event()
        if type(event) is not h11.Response:
            return None
        self._progress.phase = Phase.ANSWERED
        return Head(event.status_code, tuple((_text(name), _text(value)) for name, value in event.headers))

    def piece(self) -> bytes | bytearray | None:
        """What there is of the body; b"" when it is complete, None when more is needed. Raises: TransportError."""
        event = self._next_event()
        if type(event) is h11.Data:
            return event.data
        return b"" if type(event) is h11.EndOfMessage else None

    def trailing(self) -> bytes:
        """What came after a CONNECT was accepted."""
        return self._h11.trailing_data[0]

    def begin_anew(self) -> bool:
        """Whether the connection can carry another request; it is ready for that."""
        finished = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
        if not finished or self._h11.trailing_data != (b"", False):
            return False
        self._h11.start_next_cycle()
        return True

    def _next_event(self) -> Any:
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError as error:
            raise self._failure(*_verdict(error)) from None

    def _failure(self, fault: TransportFault, reason: str) -> TransportError:
        return TransportError(fault, self.delivery, f"{self._progress.phase.value}: {reason}")


def _invalid_request() -> TransportError:
    return TransportError(TransportFault.MALFORMED, Delivery.NOT_SENT, "the request is not valid HTTP")


def _verdict(error: h11.RemoteProtocolError) -> tuple[TransportFault, str]:
    text = str(error)
    if error.error_status_hint == _TOO_LONG:
        return TransportFault.TOO_LARGE, f"the head of the reply has more than {HEAD_LIMIT} bytes"
    # h11's words for a reply that begins with a control byte: that of a TLS alert, where a status line was expected.
    if text == "illegal request line":
        return TransportFault.NOT_TLS, "the server speaks TLS on this port; the address should begin with https"
    if "closed connection" in text or "ConnectionClosed" in text:
        return TransportFault.CLOSED, "the server closed the connection before the reply was complete"
    return TransportFault.MALFORMED, "the reply is not valid HTTP"


def _text(field: bytes) -> str:
    try:
        return field.decode()
    except UnicodeDecodeError:
        return field.decode("latin-1")
