"""HTTP/1.1 on one connection: requests become bytes, bytes become replies. It does no I/O.

    data = connection.ask(progress, "GET", "/version", block)        # to be sent
    connection.sending()                                             # the first byte may be on its way
    connection.feed(data)                                            # what arrived; b"" for the end of the stream
    connection.head()                                                # the head of the reply, or None: feed more
    connection.piece()                                               # bytes of its body, b"" at its end, or None

What is wrong with a reply is a `TransportError` that says so and how far the request got. No text of h11 is passed on:
it quotes the exchange.
"""

from __future__ import annotations

import h11

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_transport.channels.h11_framing import BrokenFraming, ByConnection, ByLength, Framing, framing_of
from hodei_k8s_transport.channels.h11_heads import Head, read_by_h11, read_ordinary, write_request
from hodei_k8s_transport.channels.phase import Phase, Progress

HEAD_LIMIT = 64 * 1024
"""Bytes that the head of a reply may have."""
_HINT_TOO_LARGE = 431
_HEAD_TOO_LARGE = (TransportFault.TOO_LARGE, f"the head of the reply has more than {HEAD_LIMIT} bytes")
_EARLY_END = "the server closed the connection before the reply was complete"


class H11Connection:
    """Requests and their replies, one after the other."""

    def __init__(self) -> None:
        self._progress = Progress()
        self._begin("")

    def _begin(self, method: str) -> None:
        self._method = method
        self._arrived = b""
        self._ended = False
        self._judge: h11.Connection | None = None
        self._shown = 0
        self._framing: Framing = ByLength(0)
        self._stays_open = False
        self._broken: TransportError | None = None

    @property
    def delivery(self) -> Delivery:
        """How far the request got."""
        return self._progress.delivery

    @property
    def rest(self) -> bytes:
        """What arrived and belongs to no reply."""
        return self._arrived

    def ask(self, progress: Progress, method: str, target: str, block: bytes, body: bytes = b"") -> bytes:
        """The bytes of a request; `block`: its fields, checked. Raises: TransportError: it is not valid HTTP."""
        data = write_request(method, target, block, body)
        self._progress = progress
        self._begin(method)
        return data

    def sending(self) -> None:
        """From now on the server may act on the request."""
        self._progress.phase = Phase.SENT

    def feed(self, data: bytes) -> None:
        """What arrived; b"" when the server ended the stream."""
        self._arrived = self._arrived + data if self._arrived else data
        self._ended = self._ended or not data

    def head(self) -> Head | None:
        """The head of the reply, or None when more is needed. Raises: TransportError."""
        found = read_ordinary(self._arrived) if self._judge is None else None
        if found is not None:
            head, size = found
            self._arrived = self._arrived[size:]
        elif self._arrived or self._ended:
            judged = self._judged()
            if judged is None:
                return None
            head = judged
        else:
            return None
        self._progress.phase = Phase.ANSWERED
        self._framing = framing_of(self._method, head.status, head.headers)
        self._stays_open = head.stays_open
        return head

    def piece(self) -> bytes | None:
        """What there is of the body; b"" when it is complete, None when more is needed. Raises: TransportError."""
        if self._broken is not None:
            raise self._broken
        found: list[bytes] = []
        try:
            used = self._framing.read(self._arrived, found)
            self._arrived = self._arrived[used:]
        except BrokenFraming:
            self._broken = self._failure(TransportFault.MALFORMED, "the reply is not valid HTTP")
        if found:
            return found[0] if len(found) == 1 else b"".join(found)
        if self._broken is not None:
            raise self._broken
        if self._framing.is_complete:
            return b""
        if self._ended and not isinstance(self._framing, ByConnection):
            raise self._failure(TransportFault.CLOSED, _EARLY_END)
        return b"" if self._ended else None

    def can_ask_again(self) -> bool:
        """The reply is complete, nothing came after it, and the connection stays."""
        return self._stays_open and self._framing.is_complete and not (self._arrived or self._ended or self._broken)

    def _judged(self) -> Head | None:
        judge = self._judge
        if judge is None:
            judge = self._judge = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
            judge.send(h11.Request(method=self._method, target="/", headers=[("host", "h")]))
            judge.send(h11.EndOfMessage())
        if self._arrived:
            self._shown += len(self._arrived)
            judge.receive_data(self._arrived)
            self._arrived = b""
        if self._ended:
            judge.receive_data(b"")
        try:
            event = judge.next_event()
            while isinstance(event, h11.InformationalResponse):
                event = judge.next_event()
        except h11.RemoteProtocolError as error:
            raise self._failure(*_verdict(error)) from None
        if not isinstance(event, h11.Response):
            return None
        self._arrived = judge.trailing_data[0]
        # h11 looks at the size only of what is incomplete.
        if self._shown - len(self._arrived) > HEAD_LIMIT:
            raise self._failure(*_HEAD_TOO_LARGE)
        return read_by_h11(event)

    def _failure(self, fault: TransportFault, reason: str) -> TransportError:
        return TransportError(fault, self.delivery, f"{self._progress.phase.value}: {reason}")


def _verdict(error: h11.RemoteProtocolError) -> tuple[TransportFault, str]:
    text = str(error)
    if error.error_status_hint == _HINT_TOO_LARGE:
        return _HEAD_TOO_LARGE
    # h11's words for a reply that begins with a control byte: that of a TLS alert, where a status line was expected.
    if text == "illegal request line":
        return TransportFault.NOT_TLS, "the server speaks TLS on this port; the address should begin with https"
    if "closed connection" in text or "ConnectionClosed" in text:
        return TransportFault.CLOSED, _EARLY_END
    return TransportFault.MALFORMED, "the reply is not valid HTTP"
