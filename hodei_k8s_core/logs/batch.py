"""The lines that came together, and the entries for them; what an entry is seldom asked for is found out here."""

from __future__ import annotations

from itertools import count, repeat

import msgspec

from hodei_k8s_core.lines import LinePiece
from hodei_k8s_core.log_entry import WORKER_CONTAINER, LogEntry
from hodei_k8s_core.logs.position import Lines, Position


class LogOptions(msgspec.Struct, frozen=True):
    """What all entries of one run share: the container's name, its id and its restarts, whether levels are wanted."""

    source: str = WORKER_CONTAINER
    container: str = ""
    restarts: int = 0
    finds_levels: bool = True


class LogBatch:
    """Lines behind a position: the origin of their entries."""

    __slots__ = ("_before", "_known", "_lines", "_options")

    def __init__(self, options: LogOptions, before: Position, lines: Lines) -> None:
        self._options = options
        self._before = before
        self._lines = lines
        # The last answer, so that who asks at every entry has each line counted once.
        self._known = 0, before

    @property
    def finds_levels(self) -> bool:
        """Whether levels are looked for."""
        return self._options.finds_levels

    def cursor_at(self, place: int) -> str:
        """The cursor behind the line at `place`."""
        counted, position = self._known
        if counted > place + 1:
            counted, position = 0, self._before
        position = position.after(self._lines.part(counted, place + 1))
        self._known = place + 1, position
        return str(position.cursor(self._options.container, self._options.restarts))

    def raw_at(self, place: int) -> bytes:
        """The bytes of the message at `place`."""
        text = self._lines.texts[place]
        return text if self._lines.timestamps[place] is None else text[text.index(b" ") + 1 :]

    def entries(self, messages: list[str]) -> list[LogEntry]:
        """An entry for each line."""
        size, source, whole = len(messages), repeat(self._options.source), repeat(False)  # noqa: FBT003
        if self._lines.are_plain and not self._before.within:
            return list(map(LogEntry, self._lines.timestamps, messages, source, whole, repeat(self), count()))
        continued = [isinstance(text, LinePiece) for text in self._lines.texts]
        stamp = self._before.opened.timestamp if self._before.opened is not None else None
        entries = []
        for place, timestamp in enumerate(self._lines.timestamps):
            stamp = stamp if continued[place] else timestamp
            is_last = place + 1 == size
            partial = self._lines.is_open if is_last else continued[place + 1]
            entries.append(LogEntry(stamp, messages[place], self._options.source, partial, self, place))
        return entries
