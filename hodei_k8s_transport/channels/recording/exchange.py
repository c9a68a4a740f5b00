"""What a recording is made of: requests, and what came back, piece by piece. Frozen values, no I/O.

The same values are the lines of a recording's file (see `exchange_file`). `at` is seconds since the recording began,
`exchange` counts the requests from 1.
"""

from __future__ import annotations

import base64
from typing import TypeAlias

import msgspec

from hodei_k8s_core.errors import Delivery, HodeiK8sError, TransportError, TransportFault
from hodei_k8s_core.http import Headers, Request


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event", tag=str.lower):
    """One line."""

    exchange: int
    at: float


class Bytes(Record, frozen=True, kw_only=True):
    """A line that holds bytes: as `text` when they are UTF-8, else as `base64`."""

    text: str = ""
    base64: str = ""

    @property
    def data(self) -> bytes:
        return base64.b64decode(self.base64) if self.base64 else self.text.encode()


def payload(data: bytes) -> dict[str, str]:
    """The fields of `Bytes` for `data`."""
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


class Asked(Bytes, frozen=True, kw_only=True, tag="request"):
    """A request was given to the channel. `how`: send or open; `timeout` in seconds, None for no limit."""

    how: str
    timeout: float | None = None
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Headers = ()
    note: str = ""

    @property
    def request(self) -> Request:
        return Request(self.method, self.path, self.query, self.headers, self.data)


class Answered(Bytes, frozen=True, kw_only=True, tag="response"):
    """The whole reply to a `send`."""

    status: int
    headers: Headers = ()


class Head(Record, frozen=True, kw_only=True):
    """The head of the reply to an `open`."""

    status: int
    headers: Headers = ()


class Chunk(Bytes, frozen=True, kw_only=True):
    """What one `read` gave."""


class Silent(Record, frozen=True, kw_only=True, tag="silence"):
    """Nothing came for `seconds`, told by one or several reads in a row; `at` is when that was over."""

    seconds: float


class End(Record, frozen=True, kw_only=True):
    """The body ended cleanly."""


class Failed(Record, frozen=True, kw_only=True, tag="failure"):
    """The exchange ended with a `TransportError`."""

    fault: TransportFault
    delivery: Delivery
    detail: str = ""

    @property
    def error(self) -> TransportError:
        return TransportError(self.fault, self.delivery, self.detail)


class Closed(Record, frozen=True, kw_only=True, tag="close"):
    """The caller closed the body, which had not ended."""


class Abandoned(Record, frozen=True, kw_only=True):
    """The caller was cancelled or interrupted while it waited for the reply."""


Event: TypeAlias = Asked | Answered | Head | Chunk | Silent | End | Failed | Closed | Abandoned


class Exchange(msgspec.Struct, frozen=True):
    """A request and what followed, in order. `followed` is empty when the recording ended before."""

    asked: Asked
    followed: tuple[Event, ...] = ()

    @property
    def request(self) -> Request:
        return self.asked.request

    def __str__(self) -> str:
        note = f", {self.asked.note}" if self.asked.note else ""
        return f"exchange {self.asked.exchange} ({self.request.method} {self.request.target}{note})"


class Recording(msgspec.Struct, frozen=True):
    """The exchanges of one recording, in the order of their requests."""

    exchanges: tuple[Exchange, ...] = ()


class InvalidRecording(HodeiK8sError, ValueError):
    """A file is no recording, or one that this version cannot read."""
