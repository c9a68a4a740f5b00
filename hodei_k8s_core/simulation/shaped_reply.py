"""An open reply as its client meets it: in pieces, cut, or fallen silent."""

from __future__ import annotations

from collections import deque

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Headers
from hodei_k8s_core.simulation.faults import CutStream, StallStream
from hodei_k8s_core.simulation.streams import OpenReply


class ShapedReply:
    """The contract of a body: a clean end stays one, and so does a failure.

    `max_chunk`: bytes that one read gives at most. `delay`: seconds that everything comes late. `twice`: every line.
    """

    def __init__(
        self,
        reply: OpenReply,
        *,
        cut: CutStream | None = None,
        stall: StallStream | None = None,
        max_chunk: int | None = None,
        delay: float = 0.0,
        twice: bool = False,
    ) -> None:
        self.status: int = reply.status
        self.headers: Headers = reply.headers
        self._reply = reply
        self._cut = cut
        self._stall = stall
        self._max_chunk = max_chunk
        self._delay = delay
        self._twice = twice
        self._late: deque[tuple[float, bytes]] = deque()
        self._buffer = b""
        self._delivered = 0
        self._has_ended = False
        self._error: TransportError | None = None

    def read(self, now: float) -> bytes | None:
        """The next bytes, None when nothing has come yet, b"" at the clean end. Raises: TransportError."""
        if self._error is None and self._cut is not None and self._delivered >= self._cut.after:
            said = self._cut.saying if not self._has_ended else b""
            self._end_early(clean=self._cut.clean or bool(self._cut.saying))
            if said:
                return said
        if self._error is not None:
            raise self._error
        if self._has_ended:
            return b""
        if self._stall is not None and self._delivered >= self._stall.after:
            return None
        return self._next_chunk(now)

    def next_event_at(self, now: float) -> float | None:
        due = self._late[0][0] if self._late else None
        own = self._reply.next_event_at(now)
        return min((time for time in (due, own) if time is not None and time > now), default=None)

    def fail(self, error: TransportError) -> None:
        """From now on every read raises `error`."""
        self._error = error
        self._reply.close()

    def close(self) -> None:
        self._reply.close()

    def _end_early(self, *, clean: bool) -> None:
        self._reply.close()
        self._has_ended = True
        if not clean:
            self.fail(TransportError(TransportFault.CLOSED, Delivery.ANSWERED, "simulated: the body was cut"))

    def _next_chunk(self, now: float) -> bytes | None:
        if not self._buffer:
            try:
                chunk = self._receive(now)
            except TransportError as error:
                self.fail(error)
                raise
            if not chunk:
                self._has_ended = chunk is not None
                return chunk
            self._buffer = chunk
        size = min([len(self._buffer), *self._limits()])
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        self._delivered += len(piece)
        return piece

    def _receive(self, now: float) -> bytes | None:
        """The reply's own bytes, late or twice where that is its fault."""
        if not self._delay:
            return self._doubled(self._reply.read(now))
        chunk = self._reply.read(now) if not self._late or self._late[-1][1] else None
        if chunk is not None:
            self._late.append((now + self._delay, chunk))
        if self._late and self._late[0][0] <= now:
            return self._doubled(self._late.popleft()[1])
        return None

    def _doubled(self, chunk: bytes | None) -> bytes | None:
        return b"".join(line * 2 for line in chunk.splitlines(keepends=True)) if chunk and self._twice else chunk

    def _limits(self) -> list[int]:
        limits = [fault.after - self._delivered for fault in (self._cut, self._stall) if fault is not None]
        return limits if self._max_chunk is None else [*limits, self._max_chunk]
