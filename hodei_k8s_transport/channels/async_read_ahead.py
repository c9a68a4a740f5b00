"""The body for asyncio and trio: one task of the channel reads ahead, see `read_ahead`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
import anyio.lowlevel
import httpx

from hodei_k8s_core.effects import SILENCE, Silence
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Headers
from hodei_k8s_transport.channels.decoding import Decoder
from hodei_k8s_transport.channels.httpx_failures import translate_httpx
from hodei_k8s_transport.channels.phase import Phase
from hodei_k8s_transport.channels.read_ahead import Buffer
from hodei_k8s_transport.channels.reply import closed_body

CLOSE_LIMIT = 2.0
"""Seconds that closing a connection may take; it is shielded from cancellation for that long."""


class TaskBody:
    """An open reply, read by one task at a time. A cancelled `read` loses nothing."""

    def __init__(
        self,
        response: httpx.Response,
        headers: Headers,
        decoder: Decoder,
        on_end: Callable[[TaskBody], Awaitable[None]],
    ) -> None:
        self.status = response.status_code
        self.headers = headers
        self._response = response
        self._decoder = decoder
        self._on_end = on_end
        self._buffer = Buffer()
        self._scope = anyio.CancelScope()
        self._readable = anyio.Event()
        self._has_room = anyio.Event()
        self._done = anyio.Event()

    async def read(self, silence_limit: float) -> bytes | Silence:
        """The next bytes, b"" at the clean end, `SILENCE` after `silence_limit` seconds without any.

        Raises:
            TransportError: the body broke, or was closed.
        """
        await anyio.lowlevel.checkpoint()
        with anyio.move_on_after(silence_limit):
            while not self._buffer.is_readable:
                self._readable = anyio.Event()
                await self._readable.wait()
        if not self._buffer.is_readable:
            return SILENCE
        data = self._buffer.take()
        self._has_room.set()
        return data

    async def close(self) -> None:
        """Let go of the connection, whatever the reader is waiting for."""
        self.abandon(closed_body())
        await self.wait_closed()

    def abandon(self, failure: TransportError) -> None:
        """Begin to close; later reads raise `failure`."""
        self._buffer.discard(failure)
        self._readable.set()
        self._scope.cancel()

    async def wait_closed(self) -> None:
        """Return when the connection is no longer ours."""
        await self._done.wait()

    async def read_ahead(self) -> None:
        """The reader: runs in the channel's task group until the end of the body or `close`."""
        chunks = raw_chunks(self._response)
        try:
            with self._scope:
                await self._copy(chunks)
        except Exception as error:  # noqa: BLE001 - whatever it is, the reader of the body must hear of it
            self._buffer.fail(translate_httpx(error, Phase.ANSWERED))
        finally:
            self._buffer.fail(closed_body())
            self._readable.set()
            await let_go(self._response, chunks)
            self._done.set()
            await self._on_end(self)

    async def _copy(self, chunks: AsyncIterator[bytes]) -> None:
        async for chunk in chunks:
            for piece in self._decoder.feed(chunk):
                self._buffer.put(piece)
                self._readable.set()
                while self._buffer.is_full:
                    self._has_room = anyio.Event()
                    await self._has_room.wait()
        self._decoder.finish()
        self._buffer.end()


def raw_chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """The undecoded body; unlike `aiter_raw` it does not close the reply by itself at the end."""
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise TypeError("the reply of an async client has a body for threads")
    return aiter(response.stream)


async def let_go(response: httpx.Response, chunks: AsyncIterator[bytes] | None = None) -> None:
    """Close a reply and finish the generators that read it: the collector must not find one half-way (trio warns)."""
    with anyio.move_on_after(CLOSE_LIMIT, shield=True), contextlib.suppress(Exception):
        await response.aclose()
    if chunks is not None:
        with anyio.move_on_after(CLOSE_LIMIT, shield=True), contextlib.suppress(Exception):
            async for _ in chunks:
                pass
