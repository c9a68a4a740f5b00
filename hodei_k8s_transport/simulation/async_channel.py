"""The simulated cluster as a channel for asyncio and trio.

    async with AsyncKubernetesProvider.connect(config, channel=AsyncSimulatedChannel(Cluster())) as provider:
        handle = await provider.create_worker(spec)

In virtual time the clock jumps to the next thing that happens when no task has asked for anything for a few turns of
the event loop. What tasks do besides, such as waiting for a real socket, does not hold it up.
"""

from __future__ import annotations

import heapq
import itertools
import time as machine
from collections.abc import Iterable
from typing import TypeVar

import anyio
import anyio.abc
import anyio.lowlevel

from hodei_k8s_core.effects import Silence
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Headers, Request, Response
from hodei_k8s_core.simulation import Cluster, FaultPlan, Network, Rule, Waiting
from hodei_k8s_core.simulation.host import LATENCY
from hodei_k8s_core.simulation.shaped_reply import ShapedReply
from hodei_k8s_core.simulation.wire import EPOCH
from hodei_k8s_transport.simulation.timing import POLL

T = TypeVar("T")
TURNS = 10
"""Of the event loop, without any news, before virtual time goes on."""


class AsyncVirtualTime:
    """Seconds since the beginning of the simulation; for the tasks of one event loop."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.now = 0.0
        self._waiting: list[tuple[float, int, anyio.Event]] = []
        self._numbers = itertools.count()
        self._news = 0
        self._somebody_waits = anyio.Event()
        self._seen = cluster.store.version

    def monotonic(self) -> float:
        return self.now

    def wall_clock(self) -> float:
        return EPOCH + self.now

    async def wait_until(self, until: float) -> None:
        """Until `until`, or until something has changed before it."""
        bell = anyio.Event()
        heapq.heappush(self._waiting, (until, next(self._numbers), bell))
        self._news += 1
        self._somebody_waits.set()
        await bell.wait()

    async def run(self) -> None:
        """Let the time pass, for ever."""
        while True:
            await self._somebody_waits.wait()
            await self._settle()
            self._jump()
            if not self._waiting:
                self._somebody_waits = anyio.Event()

    async def _settle(self) -> None:
        """Until no task has asked for anything for some turns."""
        before, turns = self._news, 0
        while turns < TURNS:
            await anyio.lowlevel.checkpoint()
            turns = turns + 1 if before == self._news else 0
            before = self._news

    def _jump(self) -> None:
        """To the next thing that happens; after a change everyone looks again."""
        if self.cluster.store.version == self._seen:
            happens = self.cluster.next_event_at()
            self.now = max(self.now, min([self._waiting[0][0], *([] if happens is None else [happens])]))
            self.cluster.advance(self.now)
        is_changed, self._seen = self.cluster.store.version != self._seen, self.cluster.store.version
        while self._waiting and (is_changed or self._waiting[0][0] <= self.now):
            heapq.heappop(self._waiting)[2].set()


class AsyncRealTime:
    """Seconds of the machine's clock since the beginning of the simulation."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._began = machine.monotonic()
        cluster.clock.offset = machine.time() - EPOCH

    @property
    def now(self) -> float:
        return machine.monotonic() - self._began

    def monotonic(self) -> float:
        return self.now

    def wall_clock(self) -> float:
        return machine.time()

    async def wait_until(self, until: float) -> None:
        """For a moment, or until `until`."""
        await anyio.sleep(max(0.0, min(until - self.now, POLL)))
        self.cluster.advance(self.now)

    async def run(self) -> None:
        """The time passes by itself."""


AsyncTiming = AsyncVirtualTime | AsyncRealTime


class AsyncSimulatedChannel:
    """As `SimulatedChannel`, for the tasks of one event loop; an async context manager."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        time: AsyncTiming | None = None,
        faults: FaultPlan | Iterable[Rule] = (),
        latency: float = LATENCY,
    ) -> None:
        self.cluster = cluster
        self.plan = faults if isinstance(faults, FaultPlan) else FaultPlan(faults)
        self.own_time: AsyncTiming = AsyncVirtualTime(cluster) if time is None else time
        self._network = Network(cluster, self.plan, self.own_time, latency=latency)
        self._tasks: anyio.abc.TaskGroup | None = None

    async def __aenter__(self) -> AsyncSimulatedChannel:
        self._tasks = await anyio.create_task_group().__aenter__()
        self._tasks.start_soon(self.own_time.run)
        return self

    async def __aexit__(self, *exc_info: object) -> bool | None:
        tasks, self._tasks = self._tasks, None
        if tasks is None:
            return None
        tasks.cancel_scope.cancel()
        return await tasks.__aexit__(None, None, None)

    async def send(self, request: Request, timeout: float) -> Response:
        """One whole exchange within `timeout` seconds."""
        return await self.complete(self._network.send(request, timeout))

    async def open(self, request: Request, timeout: float) -> AsyncSimulatedBody:
        """The head of a reply within `timeout` seconds; the body stays open."""
        return AsyncSimulatedBody(await self.complete(self._network.open(request, timeout)), self, self._network)

    async def complete(self, waiting: Waiting[T]) -> T:
        """Let the time pass until it is there."""
        await anyio.lowlevel.checkpoint()
        try:
            while True:
                if self._tasks is None:
                    raise TransportError(TransportFault.CLOSED, Delivery.NOT_SENT, "this channel is not open")
                await self.own_time.wait_until(next(waiting))
        except StopIteration as end:
            value: T = end.value
            return value


class AsyncSimulatedBody:
    """An open reply of the simulated cluster, read by one task at a time."""

    def __init__(self, reply: ShapedReply, channel: AsyncSimulatedChannel, network: Network) -> None:
        self.status: int = reply.status
        self.headers: Headers = reply.headers
        self._reply = reply
        self._channel = channel
        self._network = network
        self._is_closed = False

    async def read(self, silence_limit: float) -> bytes | Silence:
        """The next bytes, b"" at the clean end, `SILENCE`. Raises: TransportError."""
        if self._is_closed:
            raise TransportError(TransportFault.CLOSED, Delivery.ANSWERED, "this body is closed")
        return await self._channel.complete(self._network.read(self._reply, silence_limit))

    async def close(self) -> None:
        self._is_closed = True
        self._reply.close()
