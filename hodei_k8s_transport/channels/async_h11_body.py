"""An open reply for asyncio and trio. No task reads ahead: the server waits for who reads."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import anyio.lowlevel

from hodei_k8s_core.effects import SILENCE, Silence
from hodei_k8s_core.errors import TransportError
from hodei_k8s_transport.channels.async_waiting import until_ready
from hodei_k8s_transport.channels.decoding import decoder_for, without_coding
from hodei_k8s_transport.channels.failures import translate
from hodei_k8s_transport.channels.h11_exchange import Link, pieces
from hodei_k8s_transport.channels.h11_heads import Head
from hodei_k8s_transport.channels.phase import Phase
from hodei_k8s_transport.channels.reply import again, closed_body
from hodei_k8s_transport.channels.wire import Wait


class AsyncSocketBody:
    """Read by one task at a time; a cancelled `read` loses nothing. `on_end`: is told once, when it has ended."""

    def __init__(self, head: Head, link: Link, on_end: Callable[[AsyncSocketBody], None]) -> None:
        self.status = head.status
        self.headers = without_coding(head.headers)
        self._link = link
        self._steps = pieces(link, decoder_for(head.headers))
        self._on_end = on_end
        self._waits_for: Wait | None = None
        self._waiting: anyio.CancelScope | None = None
        self._failure: TransportError | None = None
        self._ended = False
        self._released = False

    async def read(self, silence_limit: float) -> bytes | Silence:
        """The next bytes, b"" at the clean end, `SILENCE` after `silence_limit` seconds without any.

        Raises:
            TransportError: the body broke, or was closed.
        """
        await anyio.lowlevel.checkpoint()
        with anyio.move_on_after(silence_limit) as self._waiting:
            try:
                return await self._read()
            except Exception as error:
                self._failure = self._failure or translate(error, Phase.ANSWERED)
                raise again(self._failure) from error
            finally:
                self._waiting = None
                self._release_if_over()
        if self._failure is not None:
            raise again(self._failure)
        return SILENCE

    async def close(self) -> None:
        """Let go of the connection; a `read` that waits raises."""
        self.abandon(closed_body())

    def abandon(self, failure: TransportError) -> None:
        """`close`, and later reads raise `failure`."""
        self._failure = failure
        if self._waiting is None:
            self._release_if_over()
        else:
            self._waiting.cancel()

    async def _read(self) -> bytes:
        while self._failure is None and not self._ended:
            if self._waits_for is not None:
                await until_ready(self._waits_for)
            step = next(self._steps, b"")
            self._waits_for = step if isinstance(step, Wait) else None
            if not isinstance(step, Wait):
                self._ended = not step
                return step
        if self._failure is not None:
            raise again(self._failure)
        return b""

    def _release_if_over(self) -> None:
        if self._released or (self._failure is None and not self._ended):
            return
        self._released = True
        self._link.is_broken = self._failure is not None
        self._steps.close()
        self._on_end(self)
