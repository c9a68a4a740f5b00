"""A stream of items for asyncio and trio: an async context manager and an async iterator over a `Stream` operation."""

from __future__ import annotations

from collections import deque
from typing import Any, Generic, TypeVar

from hodei_k8s_core.effects import Emit, Sleep, StopRequested, Stream
from hodei_k8s_transport.channels.channel import AsyncChannel
from hodei_k8s_transport.drivers.async_driver import AsyncMachine
from hodei_k8s_transport.drivers.host import Host
from hodei_k8s_transport.drivers.progress import interrupted_error
from hodei_k8s_transport.drivers.stopper import Stopper

T = TypeVar("T")
R = TypeVar("R")


class AsyncStream(Generic[T, R]):
    """Items one at a time; leaving the context ends the operation and closes its connections.

        async with provider.watch_workers() as changes:
            async for change in changes: ...

    A cancelled `anext` does not end the stream: the connection in use is dropped, and the next `anext` goes on from
    where the operation was, so `move_on_after` around `anext` is safe. (An interrupted `Sleep` ends when it would have
    ended, however many calls were cancelled meanwhile.) `request_stop` ends it gracefully: the iteration goes on with
    what the operation still has to say, and then ends. One task at a time may wait for items.
    """

    def __init__(self, operation: Stream[T, R], channel: AsyncChannel, host: Host) -> None:
        self._stopper = Stopper()
        self._host = host
        self._machine = AsyncMachine(operation, channel, host, self._stopper)
        self._batch: deque[T] = deque()
        self._entered = False
        self._interrupted = False
        self._busy = False

    async def __aenter__(self) -> AsyncStream[T, R]:
        self._entered = True
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def __aiter__(self) -> AsyncStream[T, R]:
        return self

    async def __anext__(self) -> T:
        # Only a stream that is entered and that no task waits for has a batch. Asked first, since it is so for all but
        # one item of a batch: 0.18 us instead of 0.32.
        if self._batch:
            return self._batch.popleft()
        if not self._entered:
            raise RuntimeError("a stream is iterated inside its `async with` block")
        if self._busy:
            raise RuntimeError("another task is waiting for an item of this stream")
        self._busy = True
        try:
            await self._fill()
        finally:
            self._busy = False
        return self._batch.popleft()

    @property
    def result(self) -> R:
        """What the operation returned. Raises: RuntimeError: it did not return (yet)."""
        return self._machine.progress.result

    @property
    def has_result(self) -> bool:
        """The operation has returned."""
        return self._machine.progress.has_result

    @property
    def stop_requested(self) -> bool:
        """A graceful end was asked for."""
        return self._stopper.requests > 0

    def request_stop(self) -> None:
        """Ask for a graceful end; a second time, for an end at once."""
        self._stopper.request_stop()

    async def close(self) -> None:
        """End the stream and close its connections."""
        self._entered = False
        self._batch.clear()
        await self._machine.close()

    async def _fill(self) -> None:
        while not self._batch:
            if self._machine.progress.ended:
                raise StopAsyncIteration
            await self._advance()

    async def _advance(self) -> None:
        try:
            await self._resume()
        except StopRequested:
            await self._machine.close()
        except Exception:
            await self._machine.close()
            raise
        except BaseException:
            self._interrupted = not isinstance(self._machine.progress.effect, Sleep)
            await self._machine.drop_pending_body()
            raise
        effect: Any = self._machine.progress.effect
        if isinstance(effect, Emit) and not self._machine.progress.ended:
            self._batch.extend(effect.items)

    async def _resume(self) -> None:
        progress = self._machine.progress
        self._host.ensure_open()
        if self._interrupted:
            self._interrupted = False
            progress.fail(interrupted_error())
        elif isinstance(progress.effect, Emit) and not progress.owes_stop(self._stopper.requests):
            progress.reply(None)
        else:
            await self._machine.advance()
