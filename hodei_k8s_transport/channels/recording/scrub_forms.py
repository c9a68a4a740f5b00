"""The forms in which a text that is known to be secret can stand in what is recorded.

A secret may be escaped (JSON, and JSON inside a JSON string), percent-encoded, or base64, where it can begin at any of
three places within a group of four characters (`user:password` holds `password` at another place than `password` does).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus

SHORTEST_SECRET: Final = 6
"""Bytes. A shorter text occurs by chance (`true`, a port), and masking it everywhere would break the recording."""

_GO_HTML_ESCAPES: Final = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"))
"""encoding/json escapes these for HTML unless it is told not to."""


def _json_escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _json_escaped_ascii(text: str) -> str:
    return json.dumps(text)[1:-1]


def _json_escaped_by_go(text: str) -> str:
    escaped = _json_escaped(text)
    for char, escape in _GO_HTML_ESCAPES:
        escaped = escaped.replace(char, escape)
    return escaped.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _quoted_whole(text: str) -> str:
    return quote(text, safe="")


_ESCAPES: Final[tuple[Callable[[str], str], ...]] = (_json_escaped, _json_escaped_ascii, _json_escaped_by_go)
_QUOTES: Final[tuple[Callable[[str], str], ...]] = (quote, _quoted_whole, quote_plus)


def forms_of(secret: str) -> frozenset[bytes]:
    """Every byte string that shows the secret to a reader who decodes what is usually decoded."""
    plain = {secret.encode()}
    once = {escape(secret) for escape in _ESCAPES}
    twice = {escape(text) for text in once for escape in _ESCAPES}
    quoted = {encode(secret) for encode in _QUOTES}
    return frozenset(plain | {text.encode() for text in once | twice | quoted} | _base64_cores(secret.encode()))


def _base64_cores(data: bytes) -> set[bytes]:
    """The characters of a base64 text that `data` alone decides, for each place where it can begin."""
    cores = set()
    for before in range(3):
        first = -(-before * 8 // 6)
        end = (before + len(data)) * 8 // 6
        core = base64.b64encode(bytes(before) + data)[first:end]
        cores |= {core, core.translate(bytes.maketrans(b"+/", b"-_"))}
    return cores


def occurrences(data: bytes, forms: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    """Where any of the forms occurs in `data`, overlapping ones too."""
    for form in forms:
        start = data.find(form)
        while start >= 0:
            yield start, start + len(form)
            start = data.find(form, start + 1)
