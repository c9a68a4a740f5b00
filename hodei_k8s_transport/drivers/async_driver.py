"""Runs operations on asyncio and on trio."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, TypeVar

import anyio

from hodei_k8s_core.effects import Close, Open, Operation, Read, Send, Silence, Sleep
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Body
from hodei_k8s_transport.channels.channel import AsyncBodyStream, AsyncChannel
from hodei_k8s_transport.drivers.host import Host
from hodei_k8s_transport.drivers.own_time import AsyncOwnTime
from hodei_k8s_transport.drivers.progress import Progress, WaitBrokenOff
from hodei_k8s_transport.drivers.stopper import Stopper, is_wait

R = TypeVar("R")
CLOSE_LIMIT = 2.0
"""Seconds that closing one body may take; it is shielded from cancellation for that long."""


async def run_async(operation: Operation[R], channel: AsyncChannel, host: Host, *, stopper: Stopper | None = None) -> R:
    """Run an operation to its end and return its result.

    Cancellation closes the operation, and every body that it has open.

    Raises:
        ProviderError: what the operation raises.
        ProviderClosed: the host was closed, before or meanwhile.
        StopRequested: `stopper` was used, and the operation did not return.
    """
    machine = AsyncMachine(operation, channel, host, stopper or Stopper())
    try:
        while not machine.progress.ended:
            await machine.advance()
    finally:
        await machine.close()
    return machine.progress.result


class AsyncMachine(Generic[R]):
    """One operation, and the bodies that it has open."""

    def __init__(self, operation: Generator[Any, Any, R], channel: AsyncChannel, host: Host, stopper: Stopper) -> None:
        self.progress: Progress[R] = Progress(operation)
        self._channel = channel
        self._host = host
        self._own_time: AsyncOwnTime | None = getattr(channel, "own_time", None)
        self._stopper = stopper
        self._keys = itertools.count(1)
        self._bodies: dict[int, AsyncBodyStream] = {}
        self._wake_at: float | None = None
        self._pending: anyio.CancelScope | None = None
        self._table: dict[type, Callable[[Any], Awaitable[Any]]] = {
            Send: self._send,
            Open: self._open,
            Read: self._read,
            Close: self._close_body,
            Sleep: self._sleep,
        }
        stopper.when_requested(self._on_stop)

    async def advance(self) -> None:
        """Perform one effect, and run the operation to its next suspension.

        When this is cancelled the operation stays where it was; `advance` again performs the same effect again (and
        what is left of a `Sleep`).
        """
        self._host.ensure_open()
        if not self.progress.started:
            self._host.on_close(self._break_off)
            self.progress.start()
            return
        if self.progress.obey(self._stopper.requests):
            self._wake_at = None
            return
        try:
            reply = await self._perform(self.progress.effect)
        except WaitBrokenOff:
            return
        except TransportError as error:
            self._host.ensure_open()
            self.progress.fail(error)
        else:
            self._wake_at = None
            self.progress.reply(reply)

    async def drop_pending_body(self) -> None:
        """Let go of the body that the pending effect was about."""
        if isinstance(self.progress.effect, Read):
            await self._close_body(Close(self.progress.effect.body))

    async def close(self) -> None:
        """Close the operation and every body; shielded, and bounded in time."""
        self._host.forget(self._break_off)
        self._stopper.when_requested(None)
        self._break_off()
        try:
            self.progress.close()
        finally:
            async with contextlib.AsyncExitStack() as stack:
                for body in self._bodies.values():
                    stack.push_async_callback(_let_go, body)
                self._bodies = {}

    async def _perform(self, effect: object) -> Any:
        perform = self._table.get(type(effect))
        if perform is None:
            return self._host.perform(effect)
        with anyio.CancelScope() as scope:
            self._pending = scope
            try:
                return await perform(effect)
            finally:
                self._pending = None
        raise WaitBrokenOff

    def _on_stop(self) -> None:
        if self._stopper.requests > 1 or is_wait(self.progress.effect):
            self._break_off()

    def _break_off(self) -> None:
        if self._pending is not None:
            self._pending.cancel()

    async def _send(self, effect: Send) -> Any:
        return await self._channel.send(effect.request, effect.timeout)

    async def _open(self, effect: Open) -> Body:
        stream = await self._channel.open(effect.request, effect.timeout)
        key = next(self._keys)
        self._bodies[key] = stream
        return Body(stream.status, stream.headers, key)

    async def _read(self, effect: Read) -> bytes | Silence:
        stream = self._bodies.get(effect.body.key)
        if stream is None:
            raise TransportError(TransportFault.CLOSED, Delivery.ANSWERED, "this body is closed")
        return await stream.read(effect.silence_limit)

    async def _close_body(self, effect: Close) -> None:
        stream = self._bodies.pop(effect.body.key, None)
        if stream is not None:
            await _let_go(stream)

    async def _sleep(self, effect: Sleep) -> None:
        if self._own_time is not None:
            await self._sleep_in(self._own_time, effect.seconds)
            return
        if self._wake_at is None:
            self._wake_at = anyio.current_time() + effect.seconds
        await anyio.sleep_until(self._wake_at)

    async def _sleep_in(self, time: AsyncOwnTime, seconds: float) -> None:
        if self._wake_at is None:
            self._wake_at = time.monotonic() + seconds
        while time.monotonic() < self._wake_at:
            await time.wait_until(self._wake_at)


async def _let_go(stream: AsyncBodyStream) -> None:
    with anyio.move_on_after(CLOSE_LIMIT, shield=True), contextlib.suppress(TransportError):
        await stream.close()
