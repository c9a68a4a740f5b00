"""A log file as a node keeps it, and what the node serves of it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hodei_k8s_core.log_entry import LogEntry
from hodei_k8s_core.logs.batch import LogOptions
from hodei_k8s_core.logs.cursor import LogCursor
from hodei_k8s_core.logs.reply import LogReply, Place
from hodei_k8s_core.logs.search import LogSearch
from hodei_k8s_core.server_time import NANOSECONDS, format_rfc3339

SECOND = 1_790_000_000
OPTIONS = LogOptions("worker", container="c0ffee", restarts=0)


class Piece(msgspec.Struct, frozen=True):
    """What a runtime writes at once: a line, or a part of one that goes on in the next."""

    at: float
    text: bytes
    goes_on: bool = False

    @property
    def timestamp(self) -> int:
        return SECOND * NANOSECONDS + round(self.at * NANOSECONDS)


def stamp(timestamp: int) -> bytes:
    seconds, rest = divmod(timestamp, NANOSECONDS)
    return f"{format_rfc3339(seconds)[:-1]}.{rest:09d}Z".encode()


def served(file: Iterable[Piece], anchor: int | None = None) -> bytes:
    """What a kubelet replies (k8s.io/cri-client, ReadLogs): each piece is judged by itself."""
    out = []
    is_new_line = True
    for piece in file:
        if anchor is None or piece.timestamp >= anchor * NANOSECONDS:
            out.append((stamp(piece.timestamp) + b" " if is_new_line else b"") + piece.text)
            out.append(b"" if piece.goes_on else b"\n")
        is_new_line = not piece.goes_on
    return b"".join(out)


def start() -> LogCursor:
    return LogCursor(container=OPTIONS.container)


def read(
    cursor: LogCursor, reply: bytes, *, chunk: int | None = None, limit: int = 4096
) -> tuple[list[LogEntry], LogReply]:
    """Everything new in `reply`, which comes in chunks of that size."""
    reader = LogReply(cursor, OPTIONS, limit=limit)
    entries = []
    size = chunk or max(1, len(reply))
    for begin in range(0, len(reply), size):
        entries += reader.feed(reply[begin : begin + size])
    return entries, reader


def search(cursor: LogCursor, reply: bytes, *, limit: int = 4096) -> LogSearch:
    looking = LogSearch(cursor, limit=limit)
    looking.feed(reply)
    looking.end()
    return looking


def texts(entries: Iterable[LogEntry]) -> list[str]:
    """The messages, pieces of one line joined."""
    joined, within = [], False
    for entry in entries:
        joined[-1:] = [joined[-1] + entry.message] if within else [*joined[-1:], entry.message]
        within = entry.partial
    return joined


__all__ = ["OPTIONS", "Piece", "Place", "read", "search", "served", "stamp", "start", "texts"]
