"""One reply to a request for a log, received to its end, its break or its silence."""

from __future__ import annotations

import enum
from typing import Protocol

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import SILENCE, Close, Emit, Observe, Open, Operation, Read, Stream
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Body, Request
from hodei_k8s_core.log_entry import LogGap, LogItem
from hodei_k8s_core.log_line import format_since_time
from hodei_k8s_core.logs.cursor import LogCursor
from hodei_k8s_core.logs.reply import Place
from hodei_k8s_core.observations import LogReceived
from hodei_k8s_core.operations.get_worker_logs import has_no_log_yet
from hodei_k8s_core.operations.log_troubles import LogTroubles
from hodei_k8s_core.operations.pod_watch import read_whole_refusal
from hodei_k8s_core.server_time import NANOSECONDS, server_date


class End(enum.Enum):
    """How a reply ended. CLEAN says nothing about the log: a kubelet that dies ends it just so."""

    CLEAN = "clean"
    BROKEN = "broken"
    SILENT = "silent"
    LOST = "lost"
    REFUSED = "refused"
    NOT_STARTED = "not started"
    NOT_FOUND = "not found"


def log_window(cursor: LogCursor, tail: int | None, began: float | None) -> tuple[str, int | None]:
    """`since_time` and `tail_lines` of a request. No lines at all, asked for again: from when that was asked first."""
    if tail == 0 and began is not None:
        return format_since_time(int(began) * NANOSECONDS), None
    return "" if cursor.anchor is None else format_since_time(cursor.anchor * NANOSECONDS), tail


class Reader(Protocol):
    """What makes entries of bytes."""

    @property
    def place(self) -> Place: ...
    def feed(self, chunk: bytes) -> list[LogItem]: ...
    def end(self) -> None: ...


class LogConnection:
    """Receives replies for one follower. `date`: the server's clock (seconds since the epoch) at the first of them."""

    def __init__(self, config: KubernetesConfig, troubles: LogTroubles) -> None:
        self._config = config
        self._troubles = troubles
        self._body: Body | None = None
        self.date: float | None = None
        self.refusal = ""

    def receive(self, request: Request, reader: Reader, silence_limit: float) -> Stream[LogItem, End]:
        """Everything that the reply has; an empty batch says that it is open."""
        end = yield from self._open(request)
        if end is not None:
            return end
        yield from Emit([])
        while end is None:
            chunk = yield from self._read(silence_limit)
            if isinstance(chunk, End):
                end = chunk
                continue
            yield from Observe(LogReceived(len(chunk)))
            entries = reader.feed(chunk)
            if entries:
                self._troubles.moved_on()
                if isinstance(entries[0], LogGap):  # where a reply shows one, it is before all that it gives
                    yield from self._troubles.lost_lines(entries[0].reason)
                yield from Emit(entries)
            if reader.place is Place.LOST:
                end = End.LOST
        yield from self.let_go()
        if end is End.CLEAN:
            reader.end()
        return end

    def let_go(self) -> Operation[None]:
        """Close what is open."""
        body, self._body = self._body, None
        if body is not None:  # pragma: no branch - asked of an open one, but for a stop in between
            yield from Close(body)

    def _open(self, request: Request) -> Operation[End | None]:
        """None when it is open."""
        try:
            body = yield from Open(request, self._config.request_timeout)
            if body.is_success:
                self._body = body
                self._troubles.answered()
                self.date = self.date or server_date(body.headers)
                return None
            status = yield from read_whole_refusal(body, self._config)
        except TransportError as error:
            yield from self._troubles.met(error.fault.value, error)
            return End.BROKEN
        return (yield from self._refused(status))

    def _refused(self, status: Status) -> Operation[End]:
        self.refusal = status.message
        if status.is_not_found:
            self._troubles.answered()
            return End.NOT_FOUND
        if has_no_log_yet(status):
            self._troubles.answered()
            return End.NOT_STARTED
        yield from self._troubles.met(str(status.code), status)
        return End.BROKEN

    def _read(self, silence_limit: float) -> Operation[bytes | End]:
        if self._body is None:  # pragma: no cover - let go by whoever stopped the reading
            return End.BROKEN
        try:
            chunk = yield from Read(self._body, silence_limit)
        except TransportError as error:
            yield from self._troubles.met(error.fault.value, error)
            return End.BROKEN
        if chunk is SILENCE:
            yield from self._troubles.met("silent")
            return End.SILENT
        return chunk or End.CLEAN
