"""Where a text that nobody declared secret shows one by its surroundings: `token: …`, `Bearer …`, a JWT, a private key.

Works on bytes, so a place is the same place in the text and in the file. Too much is masked rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class Span(NamedTuple):
    """Bytes `start` to `end` are secret; `filler` is the one byte that takes the place of each."""

    start: int
    end: int
    filler: int = ord("*")


_SECRET_VARIABLE: Final = re.compile(
    r"token|passw|passphrase|passcode|_pwd|secret|key|credential|otp|auth", re.IGNORECASE
)
_SECRET_HEADER: Final = re.compile(r"authorization|cookie|token|passw|secret|api-?key|credential", re.IGNORECASE)

_NAME: Final = (
    rb"(?:token|passw(?:or)?d|passphrase|secret|credential|otp|api[-_]?key|access[-_]?key|private[-_]?key"
    rb"|client[-_]?key[-_]?data)[\w.-]{0,64}"
)
_QUOTED: Final = rb"(?:\\+\"([^\"\r\n]+?)\\*\"|\"((?:[^\"\\\r\n]|\\.)+)\"|'([^'\r\n]+)')"
_VALUE: Final = rb"(?:" + _QUOTED + rb"|[\\\"']*([^\s\"',;}\]\\]+))"
_PATTERNS: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        _NAME + rb"[ \t]*[:=][ \t]*" + _VALUE,
        # A quoted name is a key only before a quoted value: `pods "x-token": the UID ...` is prose.
        _NAME + rb"[\\\"']+[ \t]*[:=][ \t]*" + _QUOTED,
        _NAME + rb"[\\\"']+[ \t]*,[ \t]*[\\\"']+value[\\\"']+[ \t]*:[ \t]*" + _QUOTED,
        rb"--[\w-]{0,64}" + _NAME + rb"[ \t]+" + _VALUE,
        rb"\bbearer[ \t]+([\w.~+/=-]{6,})",
        rb"authorization[\\\"']*[ \t]*[:=][ \t]*[\\\"']*([^\r\n\"']+)",
        rb"\b(eyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?)",
        rb"://[^/\s:@\"]{0,256}:([^@/\s\"]+)@",
        rb"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----(.{1,16384}?)(?:-----END|\Z)",
    )
)
_KEY_BEGINS: Final = re.compile(rb"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----(?!.{0,16384}?-----END)", re.DOTALL)
_LONGEST_KEY: Final = 16384
"""Characters. A text that only mentions how a key begins is not held back, nor masked, for longer."""


def is_secret_variable(name: str) -> bool:
    """An environment variable of this name probably holds a secret."""
    return _SECRET_VARIABLE.search(name) is not None


def is_secret_header(name: str) -> bool:
    """A header of this name proves an identity."""
    return _SECRET_HEADER.search(name) is not None


def telling_spans(data: bytes) -> Iterator[Span]:
    """What the surroundings in a text tell to be secret."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(data):
            yield from (Span(*match.span(group)) for group in range(1, pattern.groups + 1) if match[group])


def unfinished_key(data: bytes) -> int:
    """Where a private key begins that has not ended yet; the length of the data when there is none."""
    match = _KEY_BEGINS.search(data, max(0, len(data) - _LONGEST_KEY))
    return match.start() if match else len(data)


def mask(data: bytes, spans: list[Span]) -> bytes:
    """`data` with every span filled, byte for byte; the ends of lines stay, since streams are read by line."""
    if not spans:
        return data
    masked = bytearray(data)
    for start, end, filler in spans:
        masked[start:end] = bytes(byte if byte in b"\r\n" else filler for byte in data[start:end])
    return bytes(masked)
