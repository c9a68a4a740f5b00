"""A JSON document with the place of every value in its bytes: what can be masked without writing the document anew."""

from __future__ import annotations

import bisect
import re
from typing import Final, NamedTuple, TypeAlias

import msgspec


class Text(NamedTuple):
    """The inside of a string, without its quotes."""

    start: int
    end: int


class Scalar(NamedTuple):
    """A number, true, false or null."""

    start: int
    end: int


class Array(NamedTuple):
    """The values of an array."""

    items: list[Node]


class Object(NamedTuple):
    """Keys and values, in order, duplicates included."""

    members: list[tuple[Text, Node]]


Node: TypeAlias = "Text | Scalar | Array | Object"

_TOKEN: Final = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"|([\[{])|([\]}])|([^\s\[\]{}:,"]+)', re.DOTALL)
_UNIT: Final = re.compile(rb"[^\\]+|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.", re.DOTALL)


class Document:
    """A parsed document. `leaves`: strings (keys too) and scalars in order; `texts`: only the strings."""

    def __init__(self, data: bytes, root: Node, leaves: list[Text | Scalar]) -> None:
        self.data = data
        self.root = root
        self.leaves = leaves
        self.texts = [leaf for leaf in leaves if isinstance(leaf, Text)]

    @classmethod
    def parse(cls, data: bytes) -> Document | None:
        """The document, or None when `data` is not one JSON object or array."""
        if data.lstrip()[:1] not in (b"{", b"["):
            return None
        try:
            msgspec.json.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return cls(data, *_places(data))

    def decode(self, text: Text) -> Decoded:
        """What the string says, with the way back to its bytes."""
        return Decoded(self.data[text.start : text.end], text.start)

    def text_of(self, text: Text) -> str:
        """What the string says; a lone surrogate is replaced."""
        return self.decode(text).data.decode("utf-8", "replace")


class Decoded:
    """A string without its escapes, as UTF-8, and where in the document each of its bytes comes from."""

    def __init__(self, raw: bytes, offset: int) -> None:
        self._offset = offset
        self._end = offset + len(raw)
        self._starts: list[int] = []
        if b"\\" not in raw:
            self.data = raw
            return
        data = bytearray()
        for match in _UNIT.finditer(raw):
            unit = match[0]
            plain = unit if unit[:1] != b"\\" else _unescaped(unit)
            data += plain
            start = offset + match.start()
            self._starts += range(start, start + len(plain)) if plain is unit else [start] * len(plain)
        self.data = bytes(data)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where the decoded bytes `start` to `end` stand in the document, whole escapes included."""
        if not self._starts:
            return self._offset + start, self._offset + end
        return self._starts[start], self._after(self._starts[end - 1])

    def snap(self, start: int, end: int) -> tuple[int, int]:
        """The document's bytes `start` to `end`, widened to whole escapes."""
        if not self._starts:
            return start, end
        before = self._starts[bisect.bisect_right(self._starts, start) - 1]
        return before, self._after(self._starts[bisect.bisect_right(self._starts, end - 1) - 1])

    def _after(self, start: int) -> int:
        """Where the byte or the escape that begins at `start` ends."""
        following = bisect.bisect_right(self._starts, start)
        return self._starts[following] if following < len(self._starts) else self._end


def _unescaped(unit: bytes) -> bytes:
    return msgspec.json.decode(b'"' + unit + b'"', type=str).encode()


def _places(data: bytes) -> tuple[Node, list[Text | Scalar]]:
    """The tree and its leaves; `data` is known to be valid. Iterative, since the depth is the sender's choice."""
    root = Array([])
    open_nodes: list[Array | Object] = [root]
    keys: list[Text | None] = [None]
    leaves: list[Text | Scalar] = []

    def add(node: Node) -> None:
        parent, key = open_nodes[-1], keys[-1]
        if isinstance(parent, Array):
            parent.items.append(node)
        elif key is None and isinstance(node, Text):
            keys[-1] = node
        elif key is not None:
            parent.members.append((key, node))
            keys[-1] = None

    for match in _TOKEN.finditer(data):
        if match[3]:
            open_nodes.pop()
            keys.pop()
        elif match[2]:
            node: Array | Object = Object([]) if match[2] == b"{" else Array([])
            add(node)
            open_nodes.append(node)
            keys.append(None)
        else:
            leaf = Text(*match.span(1)) if match[1] is not None else Scalar(*match.span(4))
            leaves.append(leaf)
            add(leaf)
    return root.items[0], leaves
