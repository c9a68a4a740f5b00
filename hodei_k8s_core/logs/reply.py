"""The bytes of one reply to a request for a log -> the entries behind a cursor, each once.

finding the place ──the lines up to the cursor are as they were──▶ giving
       ├───────────── a first line that is newer ───────────────▶ a gap, then giving: the file was rotated
       └───────────── another first or last line ───────────────▶ lost: the place must be searched for
"""

from __future__ import annotations

import enum
from typing import Final

from hodei_k8s_core.lines import LOG_LINE_LIMIT, LinePiece, LogLineSplitter
from hodei_k8s_core.log_entry import GapReason, LogGap, LogItem
from hodei_k8s_core.log_line import kubelet_complaint, parse_columns
from hodei_k8s_core.logs.batch import LogBatch, LogOptions
from hodei_k8s_core.logs.cursor import LogCursor, mark_of
from hodei_k8s_core.logs.position import Lines, Position
from hodei_k8s_core.server_time import NANOSECONDS

CONTAINER_REMOVED: Final = "rpc error: code = NotFound"
"""What a kubelet says that has served a log to its end and then asks for a container that was removed meanwhile."""


class Place(enum.Enum):
    """Where a reader is in a reply, as against its cursor."""

    FINDING = "finding"
    GIVING = "giving"
    LOST = "lost"


class LogReply:
    """Feed it the bytes of a reply for `cursor.anchor`, get the entries behind `cursor`.

    `since`: lines before that time (nanoseconds since the epoch) are left out, until there is one that is not older.
    `limit`: bytes of a line beyond which it is given in pieces.
    """

    def __init__(
        self, cursor: LogCursor, options: LogOptions, *, since: int | None = None, limit: int = LOG_LINE_LIMIT
    ) -> None:
        self._cursor = cursor
        self._options = options
        self._since = since if cursor.is_at_start else None
        self._splitter = LogLineSplitter(limit)
        self._position = Position(start=cursor.anchor)
        self._to_skip = cursor.count
        self._gap: LogGap | None = None
        self.gaps = 0
        self.complaint = ""
        self.place = Place.GIVING if cursor.is_at_start else Place.FINDING

    @property
    def cursor(self) -> LogCursor:
        """Behind everything that was given, in this reply or before."""
        if self.place is not Place.GIVING:
            return self._cursor
        return self._position.cursor(self._options.container, self._options.restarts)

    @property
    def is_whole(self) -> bool:
        """It ended, as far as it tells, where the log ends. (A kubelet that dies ends it just as cleanly.)"""
        return self.place is Place.GIVING and (not self.complaint or self.complaint.startswith(CONTAINER_REMOVED))

    @property
    def is_cut_short(self) -> bool:
        """It began like the reply that the cursor was made in, and ended before that place."""
        return self.place is Place.FINDING and self._position.last is not None

    def feed(self, chunk: bytes) -> list[LogItem]:
        """The new entries that `chunk` completes."""
        return self._take(self._splitter.feed(chunk))

    def end(self) -> None:
        """The reply has ended."""
        self.complaint = self.complaint or complaint_in(self._splitter.tail)

    @property
    def tail(self) -> bytes:
        """What came last, without a newline: the end of the log, or the beginning of a line that is being written."""
        return b"" if self.complaint else self._splitter.tail

    def end_of_log(self) -> list[LogItem]:
        """What was written last, without a newline; for a log that is complete."""
        return self._take(self._splitter.feed(b"\n")) if self._splitter.tail and not self.complaint else []

    def _take(self, texts: list[bytes]) -> list[LogItem]:
        if not texts or self.place is Place.LOST or self.complaint:
            return []
        timestamps, messages = parse_columns(texts)
        lines = Lines(texts, timestamps, self._splitter.is_within_line)
        if None in timestamps:
            lines = self._up_to_complaint(lines)
        if self.place is Place.FINDING and self._position.last is self._position.opened is None:
            self._see_first(lines)
        begin = self._find(lines)
        if self.place is Place.GIVING and self._since is not None:
            begin = self._leave_out_old(lines, begin, self._since)
        new = lines.part(begin, len(lines.texts))
        if self.place is not Place.GIVING or not new.texts:
            return []
        batch = LogBatch(self._options, self._position, new)
        self._position = self._position.after(new)
        gap, self._gap = self._gap, None
        return [*([] if gap is None else [gap]), *batch.entries(messages[begin : len(lines.texts)])]

    def _up_to_complaint(self, lines: Lines) -> Lines:
        for at, text in enumerate(lines.texts):
            if lines.timestamps[at] is None and not isinstance(text, LinePiece):
                self.complaint = kubelet_complaint(text) or ""
                if self.complaint:
                    return lines.part(0, at)
        return lines

    def _leave_out_old(self, lines: Lines, begin: int, since: int) -> int:
        stamps = lines.timestamps
        first = next((at for at in range(begin, len(stamps)) if (stamps[at] or 0) >= since), None)
        if first is not None:
            self._since = None
        end = len(stamps) if first is None else first
        self._position = self._position.after(lines.part(begin, end))
        return end

    def _see_first(self, lines: Lines) -> None:
        """A first line later than any that can stand before the cursor: the file begins behind it.

        Two lines that are out of order are less than a second apart, which the anchor relies on too.
        """
        last, first = (
            self._cursor.opened or self._cursor.last,
            next((stamp for stamp in lines.timestamps if stamp is not None), None),
        )
        if last is None or first is None or self._cursor.is_set_back or first <= last.timestamp + NANOSECONDS:
            return
        start = self._cursor.at_start()
        self._gap = LogGap(
            reason=GapReason.ROTATED, since=last.timestamp, until=first, source=self._options.source, cursor=str(start)
        )
        self.gaps += 1
        self.place = Place.GIVING

    def _find(self, lines: Lines) -> int:
        """How many of `lines` were given before."""
        at, size = 0, len(lines.texts)
        while at < size and self.place is Place.FINDING:
            in_bulk = not at and self._to_skip and lines.are_plain and not self._position.within
            step = min(self._to_skip, size) if in_bulk else 1
            self._pass_over(lines.part(at, at + step))
            at += step
        return at

    def _pass_over(self, lines: Lines) -> None:
        before, cursor, stamp = self._position, self._cursor, lines.timestamps[0]
        self._position = after = before.after(lines)
        if after is before:  # the rest of a line that began before the anchor
            return
        is_first = before.last is None and before.opened is None and self._to_skip
        if is_first and stamp is not None and mark_of(lines.texts[0], stamp) != cursor.head:
            self.place = Place.LOST
        elif self._to_skip:
            self._to_skip -= 0 if lines.is_open else len(lines.texts)
            if not self._to_skip:
                found = Place.FINDING if cursor.within else Place.GIVING
                self.place = found if after.last == cursor.last else Place.LOST
        elif (
            after.opened != cursor.opened or after.within > cursor.within
        ):  # pragma: no cover - another line at the cursor's place
            self.place = Place.LOST
        elif after.within == cursor.within:
            self.place = Place.GIVING


def complaint_in(tail: bytes) -> str:
    """What the kubelet says in place of further lines, or "": at the end, without a newline and without a timestamp."""
    if not tail or isinstance(tail, LinePiece) or parse_columns([tail])[0] != [None]:
        return ""
    return tail.decode("utf-8", "replace")
