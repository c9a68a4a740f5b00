"""Finding a cursor's place in a log file that is not the one it was made in: its last line is looked for.

A file has a part of the log without holes. So if the line is in it, the place is behind that; if it is not, everything
in the file comes after the place, and what was between them is lost.
"""

from __future__ import annotations

import msgspec

from hodei_k8s_core.lines import LOG_LINE_LIMIT, LinePiece, LogLineSplitter
from hodei_k8s_core.log_entry import LogItem
from hodei_k8s_core.log_line import parse_columns
from hodei_k8s_core.logs.cursor import LogCursor, Mark, mark_of
from hodei_k8s_core.logs.reply import Place, complaint_in


class LogSearch:
    """Feed it the whole reply for `cursor.anchor`, then `end`; `found` is the cursor for this file, or None.

    `first` and `size`: the first line, and how many there are. `is_torn`: of the line that was being given in pieces,
    the rest is not there.
    """

    def __init__(self, cursor: LogCursor, *, limit: int = LOG_LINE_LIMIT) -> None:
        self._cursor = cursor
        self._splitter = LogLineSplitter(limit)
        self._matches = 0
        self._unfinished: Mark | None = None
        self._following: Mark | None = None
        self.size = 0
        self.first: Mark | None = None
        self.found: LogCursor | None = None
        self.is_torn = False
        self.complaint = ""
        self.place = Place.FINDING

    def feed(self, chunk: bytes) -> list[LogItem]:
        """Look at the lines that `chunk` completes; there are no entries for them."""
        texts = self._splitter.feed(chunk)
        for at, timestamp in enumerate(parse_columns(texts)[0]):
            is_last = at + 1 == len(texts)
            goes_on = self._splitter.is_within_line if is_last else isinstance(texts[at + 1], LinePiece)
            self._look_at(texts[at], timestamp, goes_on=goes_on)
        return []

    def end(self) -> None:
        """The reply has ended."""
        self.complaint = complaint_in(self._splitter.tail)
        if (
            self._splitter.tail and not self.complaint
        ):  # pragma: no cover - a finite reply ends with a newline or a complaint
            self.feed(b"\n")
        cursor = self._cursor
        if cursor.opened is None:
            return
        if self.found is None and self.first == cursor.opened:
            self.found = cursor.at_start()
        elif self.found is None or self._following != cursor.opened:
            self.is_torn = self.found is not None
            return
        self.found = msgspec.structs.replace(self.found, within=cursor.within, opened=cursor.opened)

    def _look_at(self, text: bytes, timestamp: int | None, *, goes_on: bool) -> None:
        if isinstance(text, LinePiece):  # pragma: no cover - a long line in the file; only some drawn examples have one
            mark = self._unfinished
        elif timestamp is not None:
            mark = mark_of(text, timestamp)
            self.first = self.first or mark
            self._following = self._following or mark
        else:  # pragma: no cover - a runtime stamps every line
            mark = None
        self._unfinished = mark if goes_on else None
        if mark is not None and not goes_on:  # pragma: no branch - as above
            self._count(mark)

    def _count(self, mark: Mark) -> None:
        self.size += 1
        if mark != self._cursor.last or self._matches == self._cursor.same:
            return
        self._matches += 1
        self._following = None
        base = self._cursor.at_start()
        self.found = msgspec.structs.replace(
            base, count=self.size, head=self.first, last=mark, same=self._matches, is_set_back=self._cursor.is_set_back
        )
