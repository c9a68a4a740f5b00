"""Many operations at once in one virtual time: what a host with many tasks does, the same every time.

    tasks = Tasks(world)
    tasks.start("a", create_worker(config, spec))
    tasks.run_until(60.0)
    handle = tasks.done["a"].result

A task runs until it has to wait; of those that wait the one that is due first goes on, among equals the one that began
to wait first. A task that reads goes on as soon as anything in the cluster has changed, too.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from hodei_k8s_core.effects import Emit, Operation, Read, Stream
from hodei_k8s_core.errors import HodeiK8sError, TransportError
from hodei_k8s_core.simulation.driver import Outcome
from hodei_k8s_core.simulation.host import SimulatedHost
from hodei_k8s_core.simulation.network import Waiting
from hodei_k8s_core.simulation.world import World

OnEmit = Callable[[Sequence[Any]], object]
OnEnd = Callable[[Outcome[Any]], object]


class Task:
    """One operation on its way. `wakes` names the wait that counts; what else is in the heap about it is stale."""

    def __init__(self, name: str, operation: Operation[Any] | Stream[Any, Any], host: SimulatedHost) -> None:
        self.name = name
        self.operation = operation
        self.host = host
        self.began = host.clock.now
        self.wakes = 0
        self.waiting: Waiting[Any] | None = None
        self.effect: Any = None
        self.on_emit: OnEmit | None = None
        self.on_end: OnEnd | None = None

    @property
    def is_reading(self) -> bool:
        return isinstance(self.effect, Read)


class Tasks:
    """`done`: what became of each that has ended, by its name; `running`: the others."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.running: dict[str, Task] = {}
        self.done: dict[str, Outcome[Any]] = {}
        self._heap: list[tuple[float, int, Task]] = []
        self._numbers = itertools.count(1)
        self._seen = world.cluster.store.version

    def start(
        self,
        name: str,
        operation: Operation[Any] | Stream[Any, Any],
        *,
        on_emit: OnEmit | None = None,
        on_end: OnEnd | None = None,
    ) -> None:
        """Begin one, now. `on_emit` sees every batch, `on_end` what became of it; both may start others."""
        task = Task(name, operation, self.world.host.beside())
        task.on_emit, task.on_end = on_emit, on_end
        self.running[name] = task
        self._sleep(task, self.world.now)

    def stop(self, name: str) -> None:
        """Close one, as a cancelled call is."""
        self._end(self.running[name], Outcome(closed_at=0))

    def at(self, time: float, action: Callable[[], object]) -> None:
        """Do something of the host's own when time gets there."""
        self.world.cluster.at(time, lambda _: action())

    def run_until(self, time: float) -> None:
        """Let the time pass."""
        while True:
            self._wake_readers()
            while self._heap and self._heap[0][1] != self._heap[0][2].wakes:
                heapq.heappop(self._heap)
            due = [self._heap[0][0]] if self._heap else []
            others = self.world.cluster.next_event_at()
            soon = min(due if others is None else [*due, others], default=math.inf)
            if soon > time:
                self.world.host.advance_to(time)
                return
            self.world.host.advance_to(max(soon, self.world.now))
            if self._heap and self._heap[0][0] <= self.world.now:
                self._resume(heapq.heappop(self._heap)[2])

    def _wake_readers(self) -> None:
        version = self.world.cluster.store.version
        if version != self._seen:
            self._seen = version
            for task in self.running.values():
                if task.is_reading:
                    self._sleep(task, self.world.now)

    def _sleep(self, task: Task, until: float) -> None:
        task.wakes = next(self._numbers)
        heapq.heappush(self._heap, (until, task.wakes, task))

    def _resume(self, task: Task) -> None:
        """Until it waits again, or has ended."""
        reply: Any = None
        while True:
            try:
                if task.waiting is None:
                    task.effect = _go_on(task.operation, reply)
                    if isinstance(task.effect, Emit) and task.on_emit is not None:
                        task.on_emit(task.effect.items)
                    task.waiting = task.host.performing(task.effect)
                until = next(task.waiting)
            except StopIteration as end:
                if task.waiting is None:
                    self._end(task, Outcome(returned=end.value))
                    return
                task.waiting, reply = None, end.value
            except TransportError as error:
                if task.waiting is None:
                    self._end(task, Outcome(error=error))
                    return
                task.waiting, reply = None, error
            except HodeiK8sError as error:
                self._end(task, Outcome(error=error))
                return
            else:
                self._sleep(task, until)
                return

    def _end(self, task: Task, outcome: Outcome[Any]) -> None:
        task.operation.close()
        task.effect, task.wakes = None, 0
        del self.running[task.name]
        outcome.bodies_left = task.host.close_bodies()
        outcome.started, outcome.ended, outcome.emitted = task.began, self.world.now, task.host.emitted
        self.done[task.name] = outcome
        if task.on_end is not None:
            task.on_end(outcome)


def _go_on(operation: Operation[Any] | Stream[Any, Any], reply: Any) -> Any:
    return operation.throw(reply) if isinstance(reply, BaseException) else operation.send(reply)
