"""What was read ahead of an open body, and the body for threads.

"Silence is not the end": httpx's iterator is finished after a read that timed out or was cancelled, and looks like the
end of the body. So one reader per body reads without a limit in time, into a buffer bounded in bytes, and `read` waits
on the buffer. An end or a failure is told after all bytes that came before it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from hodei_k8s_core.effects import SILENCE, Silence
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Headers
from hodei_k8s_transport.channels.decoding import Decoder
from hodei_k8s_transport.channels.httpx_failures import translate_httpx
from hodei_k8s_transport.channels.phase import Phase
from hodei_k8s_transport.channels.reply import closed_body

READ_AHEAD_LIMIT = 1024**2
"""Bytes read ahead of the reader of one body; after that the server has to wait."""
_CLOSE_LIMIT = 2.0
_LONGEST_NAP = 1.0
"""Seconds after which a waiting `read` looks by itself: a signal that comes just before it waits notifies nobody."""


class Buffer:
    """Bytes in order, then at most one outcome: the clean end, or a failure. Does no locking."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._failure: TransportError | None = None

    @property
    def is_full(self) -> bool:
        return self._size >= READ_AHEAD_LIMIT

    @property
    def is_readable(self) -> bool:
        """`take` would say something."""
        return bool(self._chunks) or self.has_outcome

    @property
    def has_outcome(self) -> bool:
        return self._ended or self._failure is not None

    def put(self, data: bytes) -> None:
        if not self.has_outcome:
            self._chunks.append(data)
            self._size += len(data)

    def end(self) -> None:
        """The body is complete; without effect after another outcome."""
        self._ended = self._ended or not self.has_outcome

    def fail(self, failure: TransportError) -> None:
        """The body broke; without effect after another outcome."""
        if not self.has_outcome:
            self._failure = failure

    def discard(self, failure: TransportError) -> None:
        """Nobody wants the rest: later reads fail."""
        self._chunks.clear()
        self._size = 0
        self._ended, self._failure = False, failure

    def take(self) -> bytes:
        """Everything that was read ahead; at the end b"". Raises: TransportError: the body broke there."""
        if self._chunks:
            data = b"".join(self._chunks) if len(self._chunks) > 1 else self._chunks[0]
            self._chunks.clear()
            self._size = 0
            return data
        if self._failure is not None:
            raise TransportError(self._failure.fault, self._failure.delivery, self._failure.detail)
        return b""


class ThreadedBody:
    """An open reply for threads; one daemon thread reads ahead until the end or `close`."""

    def __init__(
        self, response: httpx.Response, headers: Headers, decoder: Decoder, on_end: Callable[[ThreadedBody], None]
    ) -> None:
        self.status = response.status_code
        self.headers = headers
        self._response = response
        self._decoder = decoder
        self._on_end = on_end
        self._buffer = Buffer()
        self._changed = threading.Condition()
        self._released = False
        self._woken = False
        self._reader = threading.Thread(target=self._read_ahead, name="hodei-k8s-body", daemon=True)

    def start(self) -> None:
        self._reader.start()

    def read(self, silence_limit: float) -> bytes | Silence:
        """The next bytes, b"" at the clean end, `SILENCE` after `silence_limit` seconds without any.

        Raises:
            TransportError: the body broke, or was closed.
        """
        until = time.monotonic() + silence_limit
        with self._changed:
            while not (self._buffer.is_readable or self._woken):
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(min(left, _LONGEST_NAP))
            self._woken = False
            if not self._buffer.is_readable:
                return SILENCE
            data = self._buffer.take()
            self._changed.notify_all()
            return data

    def wake(self) -> None:
        """A `read` that waits returns `SILENCE` now. For any thread, and for signal handlers."""
        self._woken = True
        with self._changed:  # reentrant: a signal handler may interrupt a thread that holds it
            self._changed.notify_all()

    def close(self) -> None:
        """Let go of the connection, whatever the reader is waiting for."""
        self.abandon(closed_body())

    def abandon(self, failure: TransportError) -> None:
        """`close`, and later reads raise `failure`."""
        with self._changed:
            self._buffer.discard(failure)
            self._changed.notify_all()
            if not self._released:
                _shut_down(self._response)
        self._reader.join(_CLOSE_LIMIT)

    def _read_ahead(self) -> None:
        try:
            for chunk in raw_chunks(self._response):
                for piece in self._decoder.feed(chunk):
                    if not self._put(piece):
                        return
            self._decoder.finish()
            self._conclude(self._buffer.end)
        except Exception as error:  # noqa: BLE001 - whatever it is, the reader of the body must hear of it
            failure = translate_httpx(error, Phase.ANSWERED)
            self._conclude(lambda: self._buffer.fail(failure))
        finally:
            # From here on the connection may serve another request, so `abandon` must not touch it any more.
            with self._changed:
                self._released = True
            with contextlib.suppress(Exception):
                self._response.close()
            self._on_end(self)

    def _put(self, piece: bytes) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: not self._buffer.is_full or self._buffer.has_outcome)
            if self._buffer.has_outcome:
                return False
            self._buffer.put(piece)
            self._changed.notify_all()
            return True

    def _conclude(self, conclude: Callable[[], None]) -> None:
        with self._changed:
            conclude()
            self._changed.notify_all()


def raw_chunks(response: httpx.Response) -> Iterator[bytes]:
    """The undecoded body; unlike `iter_raw` it does not close the reply by itself at the end."""
    if not isinstance(response.stream, httpx.SyncByteStream):
        raise TypeError("the reply of a sync client has a body for tasks")
    return iter(response.stream)


def _shut_down(response: httpx.Response) -> None:
    # Closing a socket does not wake a thread that waits in recv; shutting it down does. For TLS the method of the plain
    # socket is called: that of SSLSocket would take the TLS state away from under the reader.
    stream: Any = response.extensions.get("network_stream")
    connection = None if stream is None else stream.get_extra_info("socket")
    with contextlib.suppress(OSError):
        if isinstance(connection, socket.socket):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
