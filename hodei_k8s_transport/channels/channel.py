"""The contract between a driver and whatever carries bytes: `Channel` (threads) and `AsyncChannel` (asyncio, trio).

A channel adds host, credentials and content coding; it translates every failure of its own into `TransportError` with
`delivery` known, and raises nothing else (but cancellation, and `KeyboardInterrupt`). It repeats no request, with one
exception: a 401 refreshes the credentials once per generation and repeats, since the server did nothing.

The contract of a body:

- `read` returns the next bytes; b"" at the clean end, and for ever after; `SILENCE` when nothing came for
  `silence_limit` seconds.
- After `SILENCE` the body can still be read, or the next `read` raises `TransportError`; never b"".
- A body that ends early, or whose `read` was cancelled, is never told as a clean end.
- `close` may be called at any time, from any state, twice; it ends only this body's own connection.
- `wake` (of a body for threads) may be called from any thread and from a signal handler: a `read` that waits returns
  `SILENCE` now, and the body can still be read. Where none waits it does nothing, or the next `read` returns at once.
"""

from __future__ import annotations

from typing import Protocol

from hodei_k8s_core.effects import Silence
from hodei_k8s_core.http import Headers, Request, Response

DEFAULT_RESPONSE_LIMIT = 64 * 1024**2
"""Bytes (decoded) that one whole reply may have before it is refused with `TransportFault.TOO_LARGE`."""


class BodyStream(Protocol):
    """An open reply: its head is known, its bytes come by `read`."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...
    def read(self, silence_limit: float) -> bytes | Silence: ...
    def wake(self) -> None: ...
    def close(self) -> None: ...


class Channel(Protocol):
    """Carries requests to one API server; may be shared by threads."""

    def send(self, request: Request, timeout: float) -> Response:
        """One whole exchange within `timeout` seconds."""
        ...

    def open(self, request: Request, timeout: float) -> BodyStream:
        """The head of a reply within `timeout` seconds; the body stays open."""
        ...

    def close(self) -> None:
        """End every connection. Later calls raise `TransportError`."""
        ...


class AsyncBodyStream(Protocol):
    """An open reply, read by one task at a time."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...
    async def read(self, silence_limit: float) -> bytes | Silence: ...
    async def close(self) -> None: ...


class AsyncChannel(Protocol):
    """Carries requests to one API server; shared by the tasks of one event loop.

    An async context manager: what runs in the background (reading ahead) lives between enter and exit.
    """

    async def __aenter__(self) -> AsyncChannel: ...
    async def __aexit__(self, *exc_info: object) -> bool | None: ...
    async def send(self, request: Request, timeout: float) -> Response:
        """One whole exchange within `timeout` seconds."""
        ...

    async def open(self, request: Request, timeout: float) -> AsyncBodyStream:
        """The head of a reply within `timeout` seconds; the body stays open."""
        ...
