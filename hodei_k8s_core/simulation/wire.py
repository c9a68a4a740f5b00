"""What the API server writes: JSON bodies, timestamps of its clock, uids from a counter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec

from hodei_k8s_core.http import Response

Json: TypeAlias = dict[str, Any]

EPOCH = 1_790_000_000
"""Seconds since the epoch at the virtual time 0 (2026-09-21T14:13:20Z)."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class ServerClock(msgspec.Struct):
    """The server's wall clock: virtual seconds `now` → its timestamps; `offset` seconds ahead of the host's."""

    offset: float = 0.0

    def nanoseconds(self, now: float) -> int:
        """Nanoseconds since the epoch, exact (a float of today's seconds loses three digits)."""
        return EPOCH * 10**9 + round((now + self.offset) * 10**9)

    def timestamp(self, now: float) -> str:
        """RFC 3339, whole seconds, as in an object's metadata."""
        return f"{self._datetime(now):%Y-%m-%dT%H:%M:%SZ}"

    def log_timestamp(self, now: float) -> str:
        """RFC 3339 with nine digits, as in a log line."""
        return f"{self._datetime(now):%Y-%m-%dT%H:%M:%S}.{self.nanoseconds(now) % 10**9:09d}Z"

    def http_date(self, now: float) -> str:
        """The `date` header, in English whatever the locale is."""
        moment = self._datetime(now)
        return f"{_DAYS[moment.weekday()]}, {moment:%d} {_MONTHS[moment.month - 1]} {moment:%Y %H:%M:%S} GMT"

    def _datetime(self, now: float) -> datetime:
        return datetime.fromtimestamp(self.nanoseconds(now) // 10**9, UTC)


def uid_of(number: int) -> str:
    """The uid of the `number`th object."""
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def encode(value: Json) -> bytes:
    """One JSON document and a newline, as the API server ends them."""
    return msgspec.json.encode(value) + b"\n"


def json_response(status: int, value: Json) -> Response:
    """A reply with `value` as its body."""
    return Response(status, (("content-type", "application/json"),), encode(value))


def text_response(status: int, text: str) -> Response:
    """A reply as `/readyz` gives it."""
    return Response(status, (("content-type", "text/plain; charset=utf-8"),), text.encode())
