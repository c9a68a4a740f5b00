"""The effects: everything an operation can ask of the world, as values.

An operation is a generator function that yields effects and returns its result; a driver performs them and sends the
replies in. Each effect is iterable and replies with its own type, so `response = yield from Send(request, 30)` is typed
under mypy --strict. Failures of the transport arrive as `TransportError`, thrown in at the yield.

    def server_version() -> Operation[str]:
        response = yield from Send(Request("GET", "/version"), timeout=10)
        return response.body.decode()
"""

from __future__ import annotations

import enum
from collections.abc import Generator, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar

import msgspec

from hodei_k8s_core.http import Body, Request, Response
from hodei_k8s_core.observations import Observation

R = TypeVar("R")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Silence(enum.Enum):
    """The type of `SILENCE`."""

    SILENCE = "silence"

    def __repr__(self) -> str:
        return "SILENCE"


SILENCE: Final = Silence.SILENCE
"""The reply to a `Read` that nothing answered in time. It is not the end of the body."""


class StopRequested(Exception):
    """Thrown into an operation that shall end gracefully: it may still yield effects, and returns.

    A second one closes it.
    """


class Send(msgspec.Struct, frozen=True):
    """One whole exchange. `timeout`: seconds for all of it, from the wait for a connection to the last byte."""

    request: Request
    timeout: float

    def __iter__(self) -> Generator[Send, Response, Response]:
        return (yield self)


class Open(msgspec.Struct, frozen=True):
    """Send a request and keep its body open. `timeout`: seconds until the head of the reply is there."""

    request: Request
    timeout: float

    def __iter__(self) -> Generator[Open, Body, Body]:
        return (yield self)


class Read(msgspec.Struct, frozen=True):
    """The next bytes of an open body: b"" at its clean end, `SILENCE` when nothing came for `silence_limit` seconds."""

    body: Body
    silence_limit: float

    def __iter__(self) -> Generator[Read, bytes | Silence, bytes | Silence]:
        return (yield self)


class Close(msgspec.Struct, frozen=True):
    """Let go of a body. Drivers close what is still open when an operation ends, however it ends."""

    body: Body

    def __iter__(self) -> Generator[Close, None, None]:
        return (yield self)


class Sleep(msgspec.Struct, frozen=True):
    """Wait for `seconds`."""

    seconds: float

    def __iter__(self) -> Generator[Sleep, None, None]:
        return (yield self)


class Monotonic(msgspec.Struct, frozen=True):
    """Seconds from an arbitrary start, never going back: for deadlines and back-off."""

    def __iter__(self) -> Generator[Monotonic, float, float]:
        return (yield self)


class WallClock(msgspec.Struct, frozen=True):
    """Seconds since the epoch, by the host's clock: for what is shown."""

    def __iter__(self) -> Generator[WallClock, float, float]:
        return (yield self)


class Random(msgspec.Struct, frozen=True):
    """A number in [0, 1): for jitter and tokens."""

    def __iter__(self) -> Generator[Random, float, float]:
        return (yield self)


class SpendRetry(msgspec.Struct, frozen=True):
    """Take one retry from the budget that all operations of a provider share; False when it is used up."""

    def __iter__(self) -> Generator[SpendRetry, bool, bool]:
        return (yield self)


class Observe(msgspec.Struct, frozen=True):
    """Tell the host what happened."""

    observation: Observation

    def __iter__(self) -> Generator[Observe, None, None]:
        return (yield self)


class Emit(msgspec.Struct, Generic[T_co], frozen=True):
    """A batch of items for the caller of a stream."""

    items: Sequence[T_co]

    def __iter__(self) -> Generator[Emit[T_co], None, None]:
        return (yield self)


Effect: TypeAlias = Send | Open | Read | Close | Sleep | Monotonic | WallClock | Random | SpendRetry | Observe
Operation: TypeAlias = Generator[Effect, Any, R]
"""Yields effects, returns R."""
Stream: TypeAlias = Generator[Effect | Emit[T], Any, R]
"""Yields effects and batches of T, returns R."""
