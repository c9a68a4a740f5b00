"""What the sync and the async `RecordingChannel` share: one `Tape` per exchange, scrubbed and written as it goes."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import msgspec

from hodei_k8s_core.effects import SILENCE, Silence
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Headers, Request, Response, find_header
from hodei_k8s_core.secret import Secret
from hodei_k8s_transport.channels.recording.exchange import (
    Abandoned,
    Answered,
    Asked,
    Chunk,
    Closed,
    End,
    Event,
    Failed,
    Head,
    Silent,
    payload,
)
from hodei_k8s_transport.channels.recording.exchange_file import ExchangeWriter
from hodei_k8s_transport.channels.recording.scrub import Scrubber, kind_of
from hodei_k8s_transport.channels.recording.scrub_stream import StreamScrubber


class Recorder:
    """Numbers the exchanges, scrubs and writes them; safe to share by threads."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        secrets: Iterable[Secret],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scrubber = Scrubber(secrets)
        self.lock = threading.RLock()
        self._writer = ExchangeWriter(path)
        self._clock = clock
        self._began = clock()
        self._asked = 0
        self._open: dict[int, Tape] = {}

    def now(self) -> float:
        """Seconds since the recording began, to the microsecond."""
        return round(self._clock() - self._began, 6)

    def ask(self, how: str, request: Request, timeout: float) -> Tape:
        """The tape of a new exchange."""
        with self.lock:
            self._asked += 1
            shown = self.scrubber.request(request)
            asked = Asked(
                exchange=self._asked,
                at=self.now(),
                how=how,
                timeout=timeout if math.isfinite(timeout) else None,
                method=shown.method,
                path=shown.path,
                query=shown.query,
                headers=shown.headers,
                **payload(shown.body),
            )
            tape = Tape(self, asked.exchange, kind_of(request))
            self._open[asked.exchange] = tape
            self._writer.write(asked)
            return tape

    def write(self, events: Iterable[Event]) -> None:
        """Add lines that are scrubbed."""
        self._writer.write(*events)

    def forget(self, exchange: int) -> None:
        """Nothing follows for this one."""
        self._open.pop(exchange, None)

    def close(self) -> None:
        """Write what is held back, and end the file. Raises `OSError` when not all could be written."""
        with self.lock:
            for tape in list(self._open.values()):
                tape.release()
            self._open.clear()
        self._writer.close()


class Tape:
    """One exchange. After an end, a failure or a close nothing more is written."""

    def __init__(self, recorder: Recorder, exchange: int, kind: str) -> None:
        self._recorder = recorder
        self._exchange = exchange
        self._kind = kind
        self._stream = StreamScrubber(recorder.scrubber, "")
        self._waiting: deque[tuple[Event, int]] = deque()
        self._ready = b""
        self._over = False

    @contextmanager
    def reply(self) -> Iterator[None]:
        """Around the wait for a reply: notes how it failed."""
        try:
            yield
        except TransportError as error:
            self._finish(self._failed(error))
            raise
        except BaseException:
            self._finish(Abandoned(exchange=self._exchange, at=self._recorder.now()))
            raise

    @contextmanager
    def reading(self) -> Iterator[Callable[[bytes | Silence, float], None]]:
        """Around a read: notes a failure; a cancelled read leaves no trace. Gives what takes (reply, silence limit)."""
        began = self._recorder.now()
        try:
            yield lambda got, limit: self._read(got, max(limit, self._recorder.now() - began))
        except TransportError as error:
            self._finish(self._failed(error))
            raise

    def response(self, response: Response) -> None:
        """The whole reply."""
        scrubber = self._recorder.scrubber
        with self._recorder.lock:
            body = scrubber.body(response.body, find_header(response.headers, "content-type") or "", self._kind)
            answered = Answered(
                exchange=self._exchange,
                at=self._recorder.now(),
                status=response.status,
                headers=scrubber.headers(response.headers),
                **payload(body),
            )
        self._finish(answered)

    def head(self, status: int, headers: Headers) -> None:
        """The head of a reply; its body follows."""
        with self._recorder.lock:
            scrubber = self._recorder.scrubber
            self._stream = StreamScrubber(scrubber, find_header(headers, "content-type") or "", self._kind)
            shown = scrubber.headers(headers)
            self._recorder.write([Head(exchange=self._exchange, at=self._recorder.now(), status=status, headers=shown)])

    def closed(self) -> None:
        """The caller lets go of the body."""
        self._finish(Closed(exchange=self._exchange, at=self._recorder.now()))

    def release(self) -> None:
        """Write what is held back."""
        with self._recorder.lock:
            self._ready += self._stream.finish()
            self._write_ready(held=0)
            self._over = True

    def _read(self, got: bytes | Silence, seconds: float) -> None:
        at = self._recorder.now()
        if got is SILENCE:
            self._add_silence(Silent(exchange=self._exchange, at=at, seconds=round(seconds, 6)))
        elif got:
            with self._recorder.lock:
                self._ready += self._stream.feed(got)
                self._waiting.append((Chunk(exchange=self._exchange, at=at), len(got)))
                self._write_ready(held=0)
        else:
            self._finish(End(exchange=self._exchange, at=at))

    def _add_silence(self, silence: Silent) -> None:
        """Silence in a row is one line, however often the caller looked; it is written with what ends it."""
        with self._recorder.lock:
            last = self._waiting[-1][0] if self._waiting else None
            if isinstance(last, Silent):
                self._waiting.pop()
                seconds = round(last.seconds + silence.seconds, 6)
                silence = msgspec.structs.replace(silence, seconds=seconds)
            self._waiting.append((silence, 0))
            self._write_ready(held=1)

    def _write_ready(self, *, held: int) -> None:
        """Write what is scrubbed, but the last `held` events."""
        while len(self._waiting) > held and self._waiting[0][1] <= len(self._ready):
            event, length = self._waiting.popleft()
            data, self._ready = self._ready[:length], self._ready[length:]
            if not self._over:
                self._recorder.write([msgspec.structs.replace(event, **payload(data)) if length else event])

    def _finish(self, last: Event) -> None:
        with self._recorder.lock:
            if self._over:
                return
            self.release()
            self._recorder.write([last])
            self._recorder.forget(self._exchange)

    def _failed(self, error: TransportError) -> Failed:
        detail = self._recorder.scrubber.text(error.detail)
        at = self._recorder.now()
        return Failed(exchange=self._exchange, at=at, fault=error.fault, delivery=error.delivery, detail=detail)
