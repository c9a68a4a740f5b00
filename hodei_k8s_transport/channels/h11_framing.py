"""Where the body of a reply ends (RFC 9112, section 6): by length, by chunks, or by the end of the connection.

Readers of bytes that do no I/O. h11 has them too; these give all that came at once and copy nothing that is not split:
a watch sends each event as a chunk, of which h11 takes 26 us and this 2 (a test holds the two against each other).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from hodei_k8s_core.http import Headers, find_header

_LINE_LIMIT = 4096
"""Bytes that the line before a chunk may have."""
_TRAILER_LIMIT = 16 * 1024
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00\r\n]*")
_NO_BODY = frozenset({204, 304})


class BrokenFraming(Exception):
    """The body is not as it says. What was found before that counts."""


class ByLength:
    """Ends after a number of bytes."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.is_complete = length == 0

    def read(self, data: bytes, found: list[bytes]) -> int:
        """Put the body's bytes in `data` into `found`; how many bytes are used up."""
        piece = data if len(data) <= self._left else data[: self._left]
        if piece:
            found.append(piece)
        self._left -= len(piece)
        self.is_complete = self._left == 0
        return len(piece)


class ByConnection:
    """Ends with the connection."""

    is_complete = False

    def read(self, data: bytes, found: list[bytes]) -> int:
        """See `ByLength`."""
        if data:
            found.append(data)
        return len(data)


class ByChunks:
    """Ends with a chunk of no bytes, and fields after it that nobody needs."""

    def __init__(self) -> None:
        self.is_complete = False
        self._left = 0
        self._read_on: Callable[[bytes, int, list[bytes]], int] = self._size_line
        self._trailers = 0

    def read(self, data: bytes, found: list[bytes]) -> int:
        """See `ByLength`. Raises: BrokenFraming."""
        at = 0
        while not self.is_complete:
            used = self._read_on(data, at, found)
            if used == 0:
                break
            at += used
        return at

    def _size_line(self, data: bytes, at: int, _found: list[bytes]) -> int:
        end = _line_end(data, at, _LINE_LIMIT)
        if end < 0:
            return 0
        match = _SIZE_LINE.fullmatch(data, at, end)
        if match is None:
            raise BrokenFraming
        self._left = int(match[1], 16)
        self._read_on = self._content if self._left else self._trailer
        return end + 2 - at

    def _content(self, data: bytes, at: int, found: list[bytes]) -> int:
        piece = data[at : at + self._left]
        if piece:
            found.append(piece)
            self._left -= len(piece)
            if self._left == 0:
                self._read_on = self._after_content
        return len(piece)

    def _after_content(self, data: bytes, at: int, _found: list[bytes]) -> int:
        if not b"\r\n".startswith(data[at : at + 2]):
            raise BrokenFraming
        if len(data) - at < 2:
            return 0
        self._read_on = self._size_line
        return 2

    def _trailer(self, data: bytes, at: int, _found: list[bytes]) -> int:
        end = _line_end(data, at, _TRAILER_LIMIT - self._trailers)
        if end < 0:
            return 0
        self._trailers += end + 2 - at
        self.is_complete = end == at
        if end > at and _TRAILER.fullmatch(data, at, end) is None:
            raise BrokenFraming
        return end + 2 - at


Framing: TypeAlias = ByLength | ByConnection | ByChunks


def framing_of(method: str, status: int, headers: Headers) -> Framing:
    """How the body of a reply ends, whose fields are sound: one length at most, and no coding but `chunked`."""
    if status in _NO_BODY or method == "HEAD" or (method == "CONNECT" and status < 300):
        return ByLength(0)
    if find_header(headers, "transfer-encoding") is not None:
        return ByChunks()
    length = find_header(headers, "content-length")
    return ByConnection() if length is None else ByLength(int(length))


def _line_end(data: bytes, at: int, limit: int) -> int:
    end = data.find(b"\r\n", at)
    if (end if end >= 0 else len(data)) - at > limit:
        raise BrokenFraming
    return end
