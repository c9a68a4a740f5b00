"""Counting the lines of a log as they are given, so that there is a cursor behind each of them.

Counted are the lines of the newest second and of the one before: the anchor of the cursor is that earlier second, since
a line can be written a moment after one with a later timestamp (two streams, one file), and the node would not serve it
again for a later anchor. A clock that was set back further than that begins the count anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from hodei_k8s_core.lines import LinePiece
from hodei_k8s_core.logs.cursor import LogCursor, Mark, mark_of
from hodei_k8s_core.server_time import NANOSECONDS


class Lines(msgspec.Struct, frozen=True):
    """Lines of a reply, in order. A `LinePiece` goes on with the line before; `is_open`: the last one goes on, too.

    `timestamps`: None for pieces, and where a line came without one.
    """

    texts: Sequence[bytes]
    timestamps: Sequence[int | None]
    is_open: bool = False

    @property
    def are_plain(self) -> bool:
        """Whole lines, each with its timestamp."""
        return not self.is_open and None not in self.timestamps

    def part(self, begin: int, end: int) -> Lines:
        """Those from `begin` up to `end`."""
        is_open = self.is_open if end >= len(self.texts) else isinstance(self.texts[end], LinePiece)
        return Lines(self.texts[begin:end], self.timestamps[begin:end], is_open)


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What is known behind a line.

    `start`: the second that was asked for, None for the beginning. `second`: the newest so far. `count` and `head`: of
    the lines since the second before that; `newest_count` and `newest_head`: since `second`. `latest`: the newest
    second there ever was, another than `second` after the clock was set back.
    """

    start: int | None = None
    second: int = 0
    latest: int = 0
    count: int = 0
    head: Mark | None = None
    newest_count: int = 0
    newest_head: Mark | None = None
    last: Mark | None = None
    same: int = 0
    within: int = 0
    opened: Mark | None = None

    def cursor(self, container: str, restarts: int) -> LogCursor:
        """The place behind the last line, in that run of the container."""
        anchor = self.start
        if self.count:
            anchor = self.second - 1 if self.start is None else max(self.start, self.second - 1)
        return LogCursor(
            container=container,
            restarts=restarts,
            anchor=anchor,
            count=self.count,
            head=self.head,
            last=self.last,
            same=self.same,
            within=self.within,
            opened=self.opened,
            is_set_back=self.latest > self.second,
        )

    def after(self, lines: Lines) -> Position:
        """Behind `lines`."""
        if lines.are_plain and not self.within:
            return _after_plain(self, lines.texts, lines.timestamps)  # type: ignore[arg-type] # none is None: plain
        position = self
        for place in range(len(lines.texts)):
            one = lines.part(place, place + 1)
            position = _after_one(position, one.texts[0], one.timestamps[0], is_open=one.is_open)
        return position


def _after_plain(position: Position, texts: Sequence[bytes], timestamps: Sequence[int]) -> Position:
    if not texts:
        return position
    first, last, newest = timestamps[0], timestamps[-1], position.second * NANOSECONDS
    if position.count and newest <= min(timestamps) and max(timestamps) < newest + NANOSECONDS:
        counted = _counted(position, len(texts), of_newest=len(texts))
    elif last // NANOSECONDS > position.second and first >= newest and list(timestamps) == sorted(timestamps):
        counted = _count_sorted(position, texts, timestamps)
    else:
        counted = position
        for text, timestamp in zip(texts, timestamps, strict=True):
            counted = _count_mark(counted, mark_of(text, timestamp))
    return _ending_with(counted, position, texts, timestamps)


def _count_sorted(position: Position, texts: Sequence[bytes], timestamps: Sequence[int]) -> Position:
    """As `_count_mark` line by line, for lines in order of which the last is of a new second."""
    second = timestamps[-1] // NANOSECONDS
    earlier, newest = (bisect_left(timestamps, moment * NANOSECONDS) for moment in (second - 1, second))
    head, count = mark_of(texts[earlier], timestamps[earlier]), len(texts) - earlier
    if position.count and second == position.second + 1:
        head, count = position.newest_head or head, position.newest_count + count
    return msgspec.structs.replace(
        position,
        second=second,
        latest=max(second, position.latest),
        count=count,
        head=head,
        newest_count=len(texts) - newest,
        newest_head=mark_of(texts[newest], timestamps[newest]),
    )


def _after_one(position: Position, text: bytes, timestamp: int | None, *, is_open: bool) -> Position:
    """Behind one line or piece, of whatever kind."""
    if isinstance(text, LinePiece):
        # The rest of a line without a timestamp, which is not counted.
        if position.opened is None:  # pragma: no cover - a runtime stamps every line
            return position
        if is_open:
            return msgspec.structs.replace(position, within=position.within + len(text))
        opened = position.opened
        closed = msgspec.structs.replace(position, within=0, opened=None)
        return _with_last(_count_mark(closed, opened), position, opened, 1)
    if timestamp is None:
        return position
    if is_open:
        return msgspec.structs.replace(position, within=len(text), opened=mark_of(text, timestamp))
    return _after_plain(position, (text,), (timestamp,))


def _count_mark(position: Position, mark: Mark) -> Position:
    second = mark.timestamp // NANOSECONDS
    if position.count and second in (position.second - 1, position.second):
        return _counted(position, 1, of_newest=int(second == position.second))
    follows = position.count and second == position.second + 1
    was_set_back = position.count and second < position.second
    return msgspec.structs.replace(
        position,
        start=None if was_set_back else position.start,
        second=second,
        latest=max(second, position.latest),
        count=position.newest_count + 1 if follows else 1,
        head=position.newest_head if follows else mark,
        newest_count=1,
        newest_head=mark,
    )


def _counted(position: Position, lines: int, *, of_newest: int) -> Position:
    return msgspec.structs.replace(
        position, count=position.count + lines, newest_count=position.newest_count + of_newest
    )


def _ending_with(counted: Position, before: Position, texts: Sequence[bytes], timestamps: Sequence[int]) -> Position:
    last = mark_of(texts[-1], timestamps[-1])
    same = 1
    while (
        same < len(texts)
        and timestamps[-1 - same] == last.timestamp
        and mark_of(texts[-1 - same], last.timestamp) == last
    ):
        same += 1
    return _with_last(counted, before, last, same, all_the_same=same == len(texts))


def _with_last(counted: Position, before: Position, last: Mark, same: int, *, all_the_same: bool = True) -> Position:
    known = before.same if all_the_same and before.last == last else 0
    return msgspec.structs.replace(counted, last=last, same=same + known)
