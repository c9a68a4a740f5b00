"""Heads of requests and replies: written and read by h11 where they are unusual, and without it where they are not.

h11 takes 80 us for the heads of one call and this 12; a whole call takes 150. What is read here h11 reads alike (a
test holds the two against each other); what is not quite ordinary is left to h11's judgement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

import h11
import msgspec

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Headers

Fields: TypeAlias = Sequence[tuple[bytes, bytes]]
_REQUEST_LINE = re.compile(r"[A-Z]+ [\x21-\x7e]+")
_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: [\t\x20-\x7e]*)?\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*\r\n)*)\r\n"
)
_LENGTH = re.compile(r"[0-9]{1,18}")
_OURS = frozenset({b"content-length", b"transfer-encoding", b"connection"})


class Head(msgspec.Struct, frozen=True):
    """Status and fields of a reply. `stays_open`: the connection can carry another request afterwards."""

    status: int
    headers: Headers
    stays_open: bool


def checked_block(fields: Fields) -> bytes:
    """Fields as they are sent, checked by h11. Raises: TransportError: MALFORMED, NOT_SENT; it quotes nothing."""
    try:
        if not _OURS.isdisjoint(name for name, _ in fields):
            raise invalid_request()
        h11.Request(method="GET", target="/", headers=list(fields))
    except h11.LocalProtocolError:
        raise invalid_request() from None
    return b"".join(b"%b: %b\r\n" % field for field in fields)


def write_request(method: str, target: str, block: bytes, body: bytes) -> bytes:
    """A request with a body that is complete. `block`: fields that were checked. Raises: TransportError: NOT_SENT."""
    line = f"{method} {target}"
    if _REQUEST_LINE.fullmatch(line) is None:
        raise invalid_request()
    return b"%b HTTP/1.1\r\n%b\r\n%b" % (line.encode(), block, body)


def read_ordinary(data: bytes) -> tuple[Head, int] | None:
    """The head that `data` begins with, and where it ends; None when it is incomplete, or in any way unusual."""
    match = _HEAD.match(data)
    if match is None:
        return None
    lines = match[2].decode("ascii").split("\r\n")[:-1]
    pairs = [line.partition(":") for line in lines]
    headers = tuple([(name.lower(), value.strip(" \t")) for name, _, value in pairs])
    if not _has_plain_framing(headers):
        return None
    return Head(int(match[1]), headers, not _says_close(headers)), match.end()


def read_by_h11(event: h11.Response) -> Head:
    """The same of a head that h11 read."""
    headers = tuple((_text(name), _text(value)) for name, value in event.headers)
    return Head(event.status_code, headers, event.http_version >= b"1.1" and not _says_close(headers))


def invalid_request() -> TransportError:
    return TransportError(TransportFault.MALFORMED, Delivery.NOT_SENT, "the request is not valid HTTP")


def _has_plain_framing(headers: Headers) -> bool:
    framing = [pair for pair in headers if pair[0] in ("content-length", "transfer-encoding")]
    if not framing:
        return True
    name, value = framing[0]
    plain = _LENGTH.fullmatch(value) is not None if name == "content-length" else value == "chunked"
    return plain and len(framing) == 1


def _says_close(headers: Headers) -> bool:
    return any(
        name == "connection" and "close" in (token.strip(" \t") for token in value.lower().split(","))
        for name, value in headers
    )


def _text(field: bytes) -> str:
    try:
        return field.decode()
    except UnicodeDecodeError:
        return field.decode("latin-1")
