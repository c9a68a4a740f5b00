"""What a followed log gives: its lines, where lines are missing, and where the container was started again.

An entry keeps a reference to the batch that it came in, so that what few callers ask for (the cursor, the raw bytes)
costs nothing where it is not asked for.
"""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any, Final, Protocol

import msgspec

from hodei_k8s_core.log_level import LogLevel, detect_level

WORKER_CONTAINER: Final = "worker"
"""The name of the one container that counts."""


class LogOrigin(Protocol):
    """The batch that an entry came in."""

    @property
    def finds_levels(self) -> bool: ...
    def cursor_at(self, place: int) -> str: ...
    def raw_at(self, place: int) -> bytes: ...


class LogEntry(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One line that a worker wrote, or a piece of a very long one.

    `timestamp`: integer nanoseconds since the epoch, as the container runtime stamped it; None where a line came
    without one. `message`: letter for letter, bytes that are not UTF-8 replaced by U+FFFD. `source`: the container.
    `partial`: the line was too long to be held; the next entry goes on with it.
    """

    timestamp: int | None
    message: str
    source: str = WORKER_CONTAINER
    partial: bool = False
    _origin: Any = None
    _place: int = 0

    @property
    def datetime(self) -> dt.datetime | None:
        """`timestamp` in UTC; three digits shorter, since a datetime has no nanoseconds."""
        return None if self.timestamp is None else _datetime(self.timestamp)

    @property
    def level(self) -> LogLevel:
        """How bad the line says it is; found when it is asked for. INFO where the setting `log_levels` is off."""
        if self._origin is not None and not self._origin.finds_levels:
            return LogLevel.INFO
        return detect_level(self.message)

    @property
    def cursor(self) -> str:
        """From where a follower goes on after this entry, in any process; "" for one that was not followed."""
        return "" if self._origin is None else str(self._origin.cursor_at(self._place))

    @property
    def raw(self) -> bytes:
        """The message as it was written, before anything was replaced."""
        return self.message.encode() if self._origin is None else bytes(self._origin.raw_at(self._place))

    def to_dict(self) -> dict[str, Any]:
        """What there is to it, ready for JSON."""
        told = {"timestamp": self.timestamp, "level": self.level.value, "message": self.message, "source": self.source}
        return {**told, "partial": self.partial, "cursor": self.cursor}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LogEntry) and self._told == other._told

    def __ne__(self, other: object) -> bool:
        return not self == other  # msgspec's own would compare identities

    def __hash__(self) -> int:
        return hash(self._told)

    def __repr__(self) -> str:
        return f"LogEntry({', '.join(map(repr, self._told))})"

    def __reduce__(self) -> tuple[Any, ...]:
        origin = None if self._origin is None else KeptOrigin(self._origin.finds_levels, self.cursor, self.raw)
        return LogEntry, (*self._told, origin)

    @property
    def _told(self) -> tuple[int | None, str, str, bool]:
        return self.timestamp, self.message, self.source, self.partial


class KeptOrigin(msgspec.Struct, frozen=True):
    """What is left of a batch for an entry that went to another process."""

    finds_levels: bool
    cursor: str
    raw: bytes

    def cursor_at(self, _place: int) -> str:
        return self.cursor

    def raw_at(self, _place: int) -> bytes:
        return self.raw


class GapReason(enum.Enum):
    """Why lines of a log cannot be had (any more)."""

    ROTATED = "rotated"
    RESTARTED = "restarted"
    GONE = "gone"
    UNAVAILABLE = "unavailable"


class LogGap(msgspec.Struct, frozen=True, kw_only=True):
    """Here lines are missing, or may be: those between the last that was given before it and the next one.

    `since` and `until`: nanoseconds since the epoch, None where the log has no line on that side. `detail`: the words
    of the kubelet or the server, or "". `cursor`: from where a follower goes on behind the gap.
    """

    reason: GapReason
    since: int | None = None
    until: int | None = None
    detail: str = ""
    source: str = WORKER_CONTAINER
    cursor: str = ""

    @property
    def message(self) -> str:
        """The gap in a sentence."""
        ends = (
            f"since {_shown(self.since)}" if self.since else "",
            f"until {_shown(self.until)}" if self.until else "",
        )
        told = " ".join(["lines may be missing here", *(end for end in ends if end)])
        return f"{told}: {_SENTENCE_OF[self.reason]}{': ' if self.detail else ''}{self.detail}"

    def to_dict(self) -> dict[str, Any]:
        """What there is to it, ready for JSON."""
        told = {"gap": self.reason.value, "since": self.since, "until": self.until, "message": self.message}
        return {**told, "source": self.source, "cursor": self.cursor}


class LogRestart(msgspec.Struct, frozen=True, kw_only=True):
    """Here the container was started again: what follows was written by its next run, the `restarts`-th restart."""

    restarts: int
    source: str = WORKER_CONTAINER
    cursor: str = ""

    @property
    def message(self) -> str:
        """The restart in a sentence."""
        return f"the container {self.source} was started again ({self.restarts}. restart)"

    def to_dict(self) -> dict[str, Any]:
        """What there is to it, ready for JSON."""
        return {"restarts": self.restarts, "message": self.message, "source": self.source, "cursor": self.cursor}


LogItem = LogEntry | LogGap | LogRestart
"""What a followed log gives, in order."""

_SENTENCE_OF: Final = {
    GapReason.ROTATED: "the node has rotated its log file, and only the newest is served",
    GapReason.RESTARTED: "the container was restarted more often than its logs are kept",
    GapReason.GONE: "the Pod is gone, and its log with it",
    GapReason.UNAVAILABLE: "the node does not serve the log",
}


def _datetime(nanoseconds: int) -> dt.datetime:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(microsecond=rest // 1000)


def _shown(nanoseconds: int) -> str:
    return _datetime(nanoseconds).isoformat()
