"""What a replay gives of one exchange: its reply, whole, or its body piece by piece."""

from __future__ import annotations

from typing import Final

from hodei_k8s_core.effects import SILENCE, Silence
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Headers, Response
from hodei_k8s_transport.channels.recording.exchange import (
    Abandoned,
    Answered,
    Chunk,
    Closed,
    End,
    Event,
    Exchange,
    Failed,
    Head,
    Silent,
)

_TOLERANCE: Final = 0.01
"""Of a silence's length: several short waits in a row are measured a little longer or shorter than one long wait."""


def whole_reply(exchange: Exchange) -> Response:
    """The reply to a `send`, from whichever way it was recorded. Raises `TransportError` where it failed."""
    head = _reply_of(exchange)
    if isinstance(head, Answered):
        return Response(head.status, head.headers, head.data)
    body = BodyReplay(exchange)
    data = b""
    while True:
        got = body.read(0.0)
        if got is SILENCE:
            body.skip_silence()
        elif got:
            data += got
        else:
            return Response(head.status, head.headers, data)


def _reply_of(exchange: Exchange) -> Answered | Head:
    first = exchange.followed[0] if exchange.followed else None
    if isinstance(first, Answered | Head):
        return first
    raise _failure(first, Delivery.MAYBE_SENT)


def _failure(event: Event | None, delivery: Delivery) -> TransportError:
    if isinstance(event, Failed):
        return event.error
    reason = next((reason for kind, reason in _REASONS if isinstance(event, kind)), "the recording was cut off here")
    return TransportError(TransportFault.INTERRUPTED, delivery, reason)


_REASONS: Final = (
    (Closed, "the caller closed the recorded body here"),
    (Abandoned, "the caller of the recorded request was cancelled here"),
)


class BodyReplay:
    """A body that gives what was recorded, in the same chunks, without waiting.

    Silence is an amount of time: a read takes from it what it was ready to wait, so it does not matter whether it was
    recorded by one long wait or by many short ones. What fell silent for less than a read waits is skipped. After the
    last thing that was recorded, a body that had not ended fails: it never looks complete.

    Raises:
        TransportError: the exchange failed before there was a head.
    """

    def __init__(self, exchange: Exchange) -> None:
        head = _reply_of(exchange)
        self.status: int = head.status
        self.headers: Headers = head.headers
        if isinstance(head, Answered):
            number, at = head.exchange, head.at
            chunk = Chunk(exchange=number, at=at, text=head.text, base64=head.base64)
            self._events: list[Event] = [*([chunk] if chunk.data else []), End(exchange=number, at=at)]
        else:
            self._events = list(exchange.followed[1:])
        self._next = 0
        self._silence = self._silence_here()
        self._closed = False

    def read(self, silence_limit: float) -> bytes | Silence:
        """The next bytes, b"" at the end, or `SILENCE`. Raises `TransportError` where the recorded body failed."""
        if self._closed:
            raise TransportError(TransportFault.CLOSED, Delivery.ANSWERED, "this body is closed")
        if self._silence > 0 and self._silence >= silence_limit * (1 - _TOLERANCE):
            self._silence -= silence_limit or self._silence
            return SILENCE
        self.skip_silence()
        event = self._events[self._next] if self._next < len(self._events) else None
        if isinstance(event, Chunk):
            self._next += 1
            self._silence = self._silence_here()
            return event.data
        if isinstance(event, End):
            return b""
        raise _failure(event, Delivery.ANSWERED)

    def skip_silence(self) -> None:
        """Go on to what follows the silence."""
        self._silence = 0.0
        while self._next < len(self._events) and isinstance(self._events[self._next], Silent):
            self._next += 1

    def wake(self) -> None:
        """A replay never waits."""

    def close(self) -> None:
        """Let go of it."""
        self._closed = True

    def _silence_here(self) -> float:
        seconds = 0.0
        for event in self._events[self._next :]:
            if not isinstance(event, Silent):
                break
            seconds += event.seconds
        return seconds
