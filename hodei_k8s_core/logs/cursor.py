"""Where a reader of a log is, so that another connection, or another process, goes on exactly there.

A node serves of its log file the lines whose timestamp is not before a whole second, in the order of the file. The file
only grows, so the reply for one second (the *anchor*) always begins in the same way, and a place in it is a number of
lines. Timestamps alone would not do: several lines can have the same one, and those of stdout and stderr can be out of
order by some milliseconds. They are the check: if the first line of the reply, or the last of those that were given, is
another than it was, the file is another too (it was rotated), and the place must be searched for.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

import msgspec

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.server_time import NANOSECONDS

MARK_BYTES: Final = 128
"""What a mark looks at. A line is never cut into pieces shorter than this."""
ID_DIGITS: Final = 16


class Mark(msgspec.Struct, frozen=True, gc=False):
    """How a line is known again: its timestamp, and a checksum of its first bytes."""

    timestamp: int
    checksum: int


def mark_of(line: bytes, timestamp: int) -> Mark:
    """`line` with its timestamp in front, as the node serves it."""
    return Mark(timestamp, binascii.crc32(line[:MARK_BYTES]))


class LogCursor(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the log of one run of a container.

    `container`: the end of its id, "" where no run is known yet. `restarts`: of the container before this run.
    `anchor`: the second (since the epoch) to ask for, None for the beginning. `count`: how many lines of that reply
    were given; `head`: the first of them, `last` the last, and `same` how many up to there are the same as that.
    `within`: bytes of the next line (its timestamp included) that were given as pieces; `opened`: that line.
    `is_set_back`: there were lines with later timestamps, by another time of the node's clock.
    """

    container: str = ""
    restarts: int = 0
    anchor: int | None = None
    count: int = 0
    head: Mark | None = None
    last: Mark | None = None
    same: int = 0
    within: int = 0
    opened: Mark | None = None
    is_set_back: bool = False

    @property
    def is_at_start(self) -> bool:
        """Nothing that was served since the anchor was given."""
        return not self.count and not self.within

    def at_start(self) -> LogCursor:
        """The same run, from the anchor on."""
        return LogCursor(container=self.container, restarts=self.restarts, anchor=self.anchor)

    def __str__(self) -> str:
        base = (self.anchor or 0) * NANOSECONDS
        marks = (_mark_text(mark, base) for mark in (self.head, self.last, self.opened))
        anchor = "" if self.anchor is None else self.anchor
        numbers = (self.restarts, anchor, self.count, self.same, self.within)
        return "_".join(["v1", self.container, *map(str, numbers), *marks, *(["b"] if self.is_set_back else [])])


def parse_cursor(text: str) -> LogCursor:
    """The cursor that was printed so. Raises: ConfigurationError for anything else."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise ConfigurationError("the log cannot be read from there", [Fault("since", "is no cursor of a log")])
    anchor = int(match["anchor"]) if match["anchor"] else None
    base = (anchor or 0) * NANOSECONDS
    head, last, opened = (_parse_mark(match[name], base) for name in ("head", "last", "opened"))
    return LogCursor(
        container=match["container"],
        restarts=int(match["restarts"]),
        anchor=anchor,
        count=int(match["count"]),
        head=head,
        last=last,
        same=int(match["same"]),
        within=int(match["within"]),
        opened=opened,
        is_set_back=match["back"] is not None,
    )


def short_id(container_id: str) -> str:
    """What a cursor has of a container's id (`containerd://0f3a…`)."""
    return container_id.rpartition("/")[2][-ID_DIGITS:]


def _mark_text(mark: Mark | None, base: int) -> str:
    return "" if mark is None else f"{mark.timestamp - base}.{mark.checksum:x}"


def _parse_mark(text: str, base: int) -> Mark | None:
    if not text:
        return None
    timestamp, _, checksum = text.partition(".")
    return Mark(int(timestamp) + base, int(checksum, 16))


_MARK: Final = r"-?\d{1,20}\.[0-9a-f]{1,8}"
_NUMBERS: Final = (
    r"_(?P<restarts>\d{1,9})_(?P<anchor>-?\d{0,12})_(?P<count>\d{1,18})_(?P<same>\d{1,18})_(?P<within>\d{1,18})"
)
_CURSOR: Final = re.compile(
    rf"v1_(?P<container>[0-9A-Za-z.-]{{0,{ID_DIGITS}}}){_NUMBERS}"
    rf"_(?P<head>(?:{_MARK})?)_(?P<last>(?:{_MARK})?)_(?P<opened>(?:{_MARK})?)(?P<back>_b)?",
    re.ASCII,
)
