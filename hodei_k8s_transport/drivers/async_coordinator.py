"""Runs a coordinator on asyncio and on trio: a task for each child."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from hodei_k8s_core.coordinators.coordinator import Action, Coordinator, Start
from hodei_k8s_core.effects import Emit, Stream
from hodei_k8s_transport.channels.channel import AsyncChannel
from hodei_k8s_transport.drivers.async_driver import AsyncMachine
from hodei_k8s_transport.drivers.host import Host
from hodei_k8s_transport.drivers.stopper import Stopper

T = TypeVar("T")


class AsyncMergedStream(Generic[T]):
    """The items of many streams, one at a time; leaving the context ends them all and closes their connections.

        async with provider.follow_fleet_logs() as lines:
            async for line in lines: ...

    A cancelled `anext` loses nothing. Where nobody reads, the streams wait. One task at a time may wait for items.
    """

    def __init__(self, coordinator: Coordinator[T], channel: AsyncChannel, host: Host) -> None:
        self._coordinator = coordinator
        self._channel = channel
        self._host = host
        self._batch: deque[T] = deque()
        self._tasks: TaskGroup | None = None
        self._scopes: dict[str, anyio.CancelScope] = {}
        self._rooms: dict[str, anyio.Event] = {}
        self._news = anyio.Event()
        self._is_stopped = False
        self._is_read = False

    async def __aenter__(self) -> AsyncMergedStream[T]:
        self._host.ensure_open()
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._host.on_close(self._wake)
        self._obey(self._coordinator.begin())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def __aiter__(self) -> AsyncMergedStream[T]:
        return self

    async def __anext__(self) -> T:
        if self._tasks is None:
            raise RuntimeError("a stream is iterated inside its `async with` block")
        if self._is_read:
            raise RuntimeError("another task is waiting for an item of this stream")
        self._is_read = True
        try:
            while not self._batch:
                self._host.ensure_open()
                await self._fill()
        finally:
            self._is_read = False
        return self._batch.popleft()

    def request_stop(self) -> None:
        """End the streams; what they gave before can still be read."""
        self._is_stopped = True
        for scope in self._scopes.values():
            scope.cancel()
        self._wake()

    async def close(self) -> None:
        """End everything, and close the connections."""
        tasks, self._tasks = self._tasks, None
        self._host.forget(self._wake)
        self._batch.clear()
        if tasks is not None:
            tasks.cancel_scope.cancel()
            await tasks.__aexit__(None, None, None)

    async def _fill(self) -> None:
        taken = self._coordinator.take()
        if taken is not None:
            child, items = taken
            self._batch.extend(items)
            room = self._rooms.pop(child, None)
            if room is not None:
                room.set()
        elif self._coordinator.error is not None:
            raise self._coordinator.error
        elif self._is_stopped or self._coordinator.is_over:
            raise StopAsyncIteration
        else:
            self._news = anyio.Event()
            await self._news.wait()

    def _wake(self) -> None:
        self._news.set()

    def _obey(self, actions: Iterable[Action]) -> None:
        for action in actions:
            if not isinstance(action, Start):
                scope = self._scopes.get(action.child)
                if scope is not None:
                    scope.cancel()
            elif self._tasks is not None and not self._is_stopped:
                self._tasks.start_soon(self._run, action.child, action.stream)
        self._wake()

    async def _run(self, child: str, stream: Stream[Any, Any]) -> None:
        machine: AsyncMachine[Any] = AsyncMachine(stream, self._channel, self._host, Stopper())
        with anyio.CancelScope() as scope:
            self._scopes[child] = scope
            try:
                await self._drive(child, machine)
                self._obey(self._coordinator.ended(child, machine.progress.result))
            except Exception as error:  # noqa: BLE001 - it is told to whoever reads
                self._obey(self._coordinator.failed(child, error))
            finally:
                del self._scopes[child]
                await machine.close()

    async def _drive(self, child: str, machine: AsyncMachine[Any]) -> None:
        while not machine.progress.ended:
            effect = machine.progress.effect
            if not isinstance(effect, Emit):
                await machine.advance()
                continue
            while not self._coordinator.has_room(child):
                self._rooms[child] = anyio.Event()
                await self._rooms[child].wait()
            self._obey(self._coordinator.emitted(child, effect.items))
            machine.progress.reply(None)
