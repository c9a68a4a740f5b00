"""When a certificate expires: the little of X.509 that says it, and the words for it.

Own reader: Python's public `ssl` tells the dates of a certificate only where it has verified it. Source: RFC 5280,
4.1 (the fields and their order) and 4.1.2.5 (the two forms of a time); X.690 for the encoding.
"""

from __future__ import annotations

import base64
import re
from typing import Final, Protocol

import msgspec

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.errors import TransportError, TransportFault
from hodei_k8s_core.server_time import format_rfc3339, parse_second

SOON: Final = 7 * 86_400.0
"""Seconds before its end from which a certificate is worth a warning."""
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_INTEGER, _SEQUENCE, _UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x02, 0x30, 0x17, 0x18, 0xA0
_BEFORE_VALIDITY: Final = (_INTEGER, _SEQUENCE, _SEQUENCE)
"""Serial number, signature algorithm, issuer; the version stands before them where it is not the first."""
_REFUSALS: Final = {TransportFault.TLS, TransportFault.CLOSED}
"""How a server that asks for a client certificate ends a connection with one that has expired: by an alert, of which
the reset that follows it may leave nothing."""


class Certificate(msgspec.Struct, frozen=True):
    """`name`: whose it is, and where it comes from, for messages. `expires_at`: seconds since the epoch."""

    name: str
    expires_at: float

    def has_expired(self, now: float) -> bool:
        return now > self.expires_at

    def ends_soon(self, now: float) -> bool:
        """It has expired, or will within days."""
        return now > self.expires_at - SOON

    def told(self, now: float) -> str:
        """Whether it has expired, with the date."""
        return f"{self.name} {'expired' if self.has_expired(now) else 'expires'} on {format_rfc3339(self.expires_at)}"

    def mend(self, now: float) -> str:
        """What to do about one of ours that ends soon."""
        return f"{self.told(now)}: get a new one"

    def explains(self, failure: Status | TransportError | None, now: float) -> bool:
        """The server refused us since this certificate of ours has expired."""
        if failure is None or not self.has_expired(now):
            return False
        return failure.fault in _REFUSALS if isinstance(failure, TransportError) else failure.is_unauthorized


class Certificates(Protocol):
    """The certificates of the connections to one server, as they are now."""

    def own(self) -> Certificate | None:
        """The one that we show, where we show one whose end can be read."""
        ...

    def served(self, timeout: float) -> Certificate | None:
        """The one that the server shows, asked for with nothing verified and nothing sent; None where that fails.

        Blocks, at most `timeout` seconds.
        """
        ...


def expiry_in_pem(text: str) -> float | None:
    """When the first certificate of a text expires, in seconds since the epoch; None where that cannot be read."""
    found = _PEM.search(text)
    if found is None:
        return None
    try:
        return expiry_in_der(base64.b64decode(found[1]))
    except ValueError:  # the padding
        return None


def expiry_in_der(data: bytes) -> float | None:
    """The same of one certificate's bytes."""
    try:
        start, end = _enter(data, *_enter(data, 0, len(data), _SEQUENCE), _SEQUENCE)
        if data[start] == _VERSION:
            start = _enter(data, start, end, _VERSION)[1]
        for tag in _BEFORE_VALIDITY:
            start = _enter(data, start, end, tag)[1]
        start, end = _enter(data, start, end, _SEQUENCE)
        _, start = _enter(data, start, end, data[start])
        tag = data[start]
        first, last = _enter(data, start, end, tag)
        return _time(tag, data[first:last].decode("ascii"))
    except (IndexError, ValueError):
        return None


def _enter(data: bytes, start: int, end: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at `start` begins and ends. Raises: IndexError, ValueError: there is none."""
    length, start = data[start + 1], start + 2
    if data[start - 2] != tag:
        raise ValueError(tag)
    if length >= 0x80:
        size = length - 0x80
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    if start + length > end:
        raise ValueError(length)
    return start, start + length


def _time(tag: int, text: str) -> float | None:
    if tag == _UTC_TIME:  # two digits of the year, those from 50 on of the last century
        text = f"{'19' if text >= '50' else '20'}{text}"
    elif tag != _GENERALIZED_TIME:
        return None
    if len(text) != 15 or not text.endswith("Z"):
        return None
    seconds = parse_second(f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}")
    return None if seconds is None else float(seconds)
