"""Bytes in any chunking -> complete lines.

Only the byte `\\n` ends one: U+0085 and U+2028 are legal within JSON strings and logs.

What is held back has a bound. `LineSplitter` fails beyond it (a watch: half an event is worth nothing);
`LogLineSplitter` hands a long line out in pieces (half a line of a log is worth reading).
"""

from __future__ import annotations

from typing import Final

WATCH_LINE_LIMIT: Final = 16 * 1024**2
"""Bytes. An object has at most 1.5 MiB in etcd; as JSON, with what is escaped there, it can be some times that."""

LOG_LINE_LIMIT: Final = 1024**2


class LineTooLong(Exception):
    """A line has more bytes than `limit`."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a line is longer than {limit} bytes")
        self.limit = limit


class LinePiece(bytes):
    """What continues a long line that came before: no timestamp is at its beginning."""


class LineSplitter:
    """Feed it chunks, get complete lines (without their `\\n`)."""

    __slots__ = ("_held", "_held_size", "_limit")

    def __init__(self, limit: int = WATCH_LINE_LIMIT) -> None:
        self._limit = limit
        # Parts, since joining them at every chunk would cost the square of a long line's length.
        self._held: list[bytes] = []
        self._held_size = 0

    @property
    def tail(self) -> bytes:
        """What came after the last `\\n`: at the end of a stream, an incomplete line."""
        return b"".join(self._held)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes. Raises `LineTooLong`; nothing can be fed after that."""
        lines = self._split(chunk)
        if self._has_too_long(lines, len(chunk)):
            raise LineTooLong(self._limit)
        return lines

    def _split(self, chunk: bytes) -> list[bytes]:
        lines = self._parts(chunk)
        rest = lines.pop()
        if lines and self._held:
            self._held.append(lines[0])
            lines[0] = self.tail
        if lines:
            self._held = [rest] if rest else []
            self._held_size = len(rest)
        elif rest:
            self._held.append(rest)
            self._held_size += len(rest)
        return lines

    def _parts(self, chunk: bytes) -> list[bytes]:
        """As `chunk.split(b"\\n")`, which looks at each byte by itself, while `find` takes many at once.

        Where lines are as long as a Pod that is a tenth of what a watch event costs; where they are short it does not
        pay.
        """
        parts = []
        start, find = 0, chunk.find
        while (end := find(b"\n", start)) >= 0:
            parts.append(chunk[start:end])
            start = end + 1
        parts.append(chunk[start:])
        return parts

    def _has_too_long(self, lines: list[bytes], chunk_size: int) -> bool:
        if self._held_size > self._limit:
            return True
        if chunk_size > self._limit:
            return any(len(line) > self._limit for line in lines)
        # A line from within a short chunk is short; only the first has what was held before it.
        return bool(lines) and len(lines[0]) > self._limit


class LogLineSplitter(LineSplitter):
    """As `LineSplitter`, but a line beyond the limit comes as its beginning and then as `LinePiece`s.

    A piece may be some bytes shorter than the limit, so that no UTF-8 character is cut.
    """

    __slots__ = ("_within_line",)

    def __init__(self, limit: int = LOG_LINE_LIMIT) -> None:
        super().__init__(limit)
        self._within_line = False

    @property
    def is_within_line(self) -> bool:
        """The last piece that was handed out goes on."""
        return self._within_line

    @property
    def tail(self) -> bytes:
        """What came after the last `\\n`: at the end of a log, its last line. A `LinePiece` where it continues one."""
        tail = b"".join(self._held)
        return LinePiece(tail) if self._within_line else tail

    def _parts(self, chunk: bytes) -> list[bytes]:
        return chunk.split(b"\n")

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes, and the pieces of a line that is too long already."""
        continues = self._within_line
        lines = self._split(chunk)
        if not continues and not self._has_too_long(lines, len(chunk)):
            return lines
        pieces: list[bytes] = []
        for line in lines:
            pieces += _marked(_cut(line, self._limit), continues)
            continues = False
        if self._held_size > self._limit:
            *full, rest = _marked(_cut(b"".join(self._held), self._limit), continues)
            pieces += full
            self._held, self._held_size = [rest], len(rest)
            continues = True
        self._within_line = continues
        return pieces


def _cut(line: bytes, limit: int) -> list[bytes]:
    """A line in pieces of at most `limit` bytes."""
    pieces = []
    start = 0
    while len(line) - start > limit:
        end = _character_start(line, start, start + limit)
        pieces.append(line[start:end])
        start = end
    return [*pieces, line[start:]]


def _character_start(line: bytes, start: int, end: int) -> int:
    """The last place up to `end` where a UTF-8 character begins (it has at most four bytes), or `end` if it is none."""
    for place in range(end, max(end - 4, start), -1):
        if line[place] & 0xC0 != 0x80:
            return place
    return end


def _marked(pieces: list[bytes], continues: bool) -> list[bytes]:  # noqa: FBT001 - what the splitter knows of its line
    first, *others = pieces
    return [LinePiece(first) if continues else first, *map(LinePiece, others)]
