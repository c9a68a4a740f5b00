"""A live view of a fleet for asyncio and trio: one watch, shared by any number of readers and waiters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol, TypeVar

import anyio
import anyio.abc

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation, Stream
from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.operations import describe_worker
from hodei_k8s_core.operations.attentive_watch import SharedWatch
from hodei_k8s_core.operations.observed_start import observe_start
from hodei_k8s_core.operations.worker_wait import Waits
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import FleetItem
from hodei_k8s_transport.drivers.async_stream import AsyncStream
from hodei_k8s_transport.fleet_desk import FleetDesk

R = TypeVar("R")


class AsyncRun(Protocol):
    """Performs an operation."""

    def __call__(self, operation: Operation[R]) -> Awaitable[R]: ...


class AsyncFleet:
    """The workers as they are now, kept so by one task with one watch.

        async with provider.fleet() as fleet:
            fleet.view.count_by_state()
            await fleet.wait_for(handle, until=WorkerState.READY, timeout=60)

    Entering returns when the picture is whole, and raises what `watch_workers` raises. When the watch ends for good,
    `view` stays as it was seen last, and every wait raises what ended it.
    """

    def __init__(
        self,
        config: KubernetesConfig,
        selector: str,
        stream: Callable[[Stream[FleetItem, None]], AsyncStream[FleetItem, None]],
        run: AsyncRun,
    ) -> None:
        self._config = config
        self._waits = Waits()
        self._watch = SharedWatch(config, self._waits, selector=selector)
        self._stream = stream(self._watch.run())
        self._run = run
        self._desk: FleetDesk[anyio.Event] | None = None
        self._tasks: anyio.abc.TaskGroup | None = None

    async def __aenter__(self) -> AsyncFleet:
        self._desk = FleetDesk(self._config, self._watch, self._waits, anyio.Event)
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        try:
            self._tasks.start_soon(self._follow, self._desk)
            await self._desk.first.wait()
            self._desk.raise_if_ended()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._desk is None or self._tasks is None:
            return
        self._desk.end(None)
        self._tasks.cancel_scope.cancel()
        # The task raises nothing, and what the block raised is not the group's: it must not be wrapped.
        await self._tasks.__aexit__(None, None, None)

    @property
    def view(self) -> FleetView:
        """The picture as it is now: a copy that does not change any more."""
        return self._entered().view.snapshot()

    def get(self, worker_id: str) -> WorkerInfo | None:
        """The worker as it is now, or None when it is not in view."""
        return self._entered().view.get(worker_id)

    async def wait_for(
        self,
        handle: WorkerHandle,
        *,
        until: WorkerState | Collection[WorkerState] = WorkerState.READY,
        timeout: float = 120.0,
    ) -> WorkerInfo:
        """Wait until the worker is in one of the states `until`, for at most `timeout` seconds.

        Costs one look at the Pod where the worker is not in view (yet) or in trouble already, and otherwise nothing;
        troubles that only events tell are looked for in one list of the namespace's events for all who wait.

        Raises: NotReady, ProvisioningTimeout, WorkerNotFound when it went out of view alive; and what ended the watch.
        """
        desk = self._entered()
        waiter = desk.enter(handle, until, timeout)
        try:
            with anyio.move_on_after(timeout):
                if waiter.needs_a_look:
                    waiter.look_shows(await self._run(describe_worker(self._config, handle)))
                await waiter.bell.wait()
        finally:
            desk.leave(waiter)
        info = desk.result(waiter)
        await self._run(observe_start(info))
        return info

    async def _follow(self, desk: FleetDesk[anyio.Event]) -> None:
        try:
            async with self._stream as items:
                async for item in items:
                    desk.take(item)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            desk.end(error)
        else:
            desk.end(None)

    def _entered(self) -> FleetDesk[anyio.Event]:
        if self._desk is None:
            raise RuntimeError("a view of a fleet is used inside its `async with` block")
        return self._desk
