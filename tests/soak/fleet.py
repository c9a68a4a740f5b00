"""The hours of a fleet: its hosts, a watch on all of it, somebody who clears up, and what must hold in the end."""

from __future__ import annotations

from typing import Any

import msgspec

from hodei_k8s_core.effects import Operation, Sleep
from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.operations import destroy_worker, list_workers, watch_workers
from hodei_k8s_core.simulation import Behaviour, ByPod, Cluster, FaultPlan, Tasks, World, make_node
from hodei_k8s_core.simulation.wire import Json
from hodei_k8s_core.worker import WorkerHandle
from tests.soak.lives import CONFIG, GRACE, TRIES, Life
from tests.soak.troubles import CHANCES

HOUR = 3600.0
CLEARS_UP = 600.0
LOOKS = 300.0
LAG = 420.0
"""Seconds by which the picture may be late: the silence that counts as a loss, and the back-off after it."""
ENDS_AFTER = 4 * HOUR


class Report(msgspec.Struct, frozen=True):
    """What a seed has shown. `wrong`: empty when all held."""

    seed: int
    wrong: list[str]
    hours: float
    requests: int
    faults: int
    changes: int


class Fleet:
    """One seed."""

    def __init__(self, seed: int, workers: int, hours: float) -> None:
        self._seed, self._day = seed, hours * HOUR
        self._lives = {life.id: life for life in (Life(number, seed, self._day) for number in range(workers))}
        nodes = [make_node(f"n{n}", cpu="32", memory="128Gi") for n in range(8)]
        self._cluster = Cluster(behaviours=ByPod(self._behaviour), nodes=nodes, history_limit=5000)
        plan = FaultPlan(chances=CHANCES, seed=seed)
        self._world = World(cluster=self._cluster, plan=plan, seed=seed)
        self._tasks = Tasks(self._world)
        self._view = FleetView()
        self._wanted: set[str] = set()
        self._crashed: set[str] = set()
        self._first_seen: dict[str, float] = {}
        self._gone_at: dict[str, float] = {}
        self._wrong: list[str] = []

    def run(self) -> Report:
        """The day, until everybody is done."""
        self._tasks.start("watch", watch_workers(CONFIG), on_emit=self._view.apply)
        self._tasks.start("clear up", self._clear_up())
        for life in self._lives.values():
            self._tasks.at(life.begins, lambda life=life: self._begin(life))  # type: ignore[misc] # each its own
        now = 0.0
        while now < self._day + ENDS_AFTER and (now < self._day or len(self._tasks.running) > 2):
            now += LOOKS
            self._tasks.run_until(now)
            self._look()
        self._finish()
        for life in self._lives.values():
            self._wrong += [f"{life.id} ({life.kind}): {told}" for told in life.told]
        plan = self._world.plan
        return Report(
            self._seed, self._wrong, self._world.now / HOUR, plan.seen, len(plan.fired), self._cluster.store.version
        )

    def _behaviour(self, pod: Json) -> Behaviour:
        return self._lives[pod["spec"]["containers"][0]["image"]].behaviour

    def _begin(self, life: Life) -> None:
        self._wanted.add(life.id)
        life.on_handle = lambda handle: self._got(life, handle)
        self._tasks.start(life.id, life.main(), on_emit=life.read, on_end=lambda outcome: self._over(life, outcome))
        if life.kind == "contended":
            self._tasks.start(f"{life.id} rival", life.rival(), on_end=lambda outcome: self._over(life, outcome))
        if life.crashes is not None:
            self._tasks.at(life.crashes, lambda: self._crash(life))

    def _got(self, life: Life, handle: WorkerHandle) -> None:
        if handle.pod_uid in {known.pod_uid for known in life.handles}:
            life.told.append("two hosts have the same worker")
        life.handles.append(handle)
        if life.kind == "service":
            on_end: Any = lambda _: life.check_lines()  # noqa: E731
            self._tasks.start(f"{life.id} log", life.follow(handle), on_emit=life.read, on_end=on_end)

    def _over(self, life: Life, outcome: Any) -> None:
        if outcome.error is not None:
            life.told.append(f"its host failed: {outcome.error!r}")
        if life.kind == "job":
            life.check_lines()
        if f"{life.id} rival" not in self._tasks.running and life.id not in self._tasks.running:
            self._wanted.discard(life.id)

    def _crash(self, life: Life) -> None:
        if life.id in self._tasks.running:
            self._crashed.add(life.id)
            self._tasks.stop(life.id)

    def _clear_up(self) -> Operation[None]:
        """For ever: what nobody wants is destroyed."""
        while True:
            yield from Sleep(CLEARS_UP)
            yield from self._clear_up_once()

    def _clear_up_once(self) -> Operation[None]:
        before = set(self._wanted)
        try:
            found = yield from list_workers(CONFIG)
        except ProviderError:
            return
        for info in found:
            if info.worker_id in self._wanted | before:  # before: its host may have ended it since the list was made
                continue
            if info.worker_id not in self._crashed:
                self._wrong.append(f"{info.worker_id}: its host is done, and has left it behind")
                self._crashed.add(info.worker_id)
            try:
                yield from destroy_worker(CONFIG, info.handle, grace_period=GRACE)
            except ProviderError:
                continue

    def _look(self) -> None:
        """What the watch shows must be what there is, but for what has just changed."""
        now = self._world.now
        there = {name.removeprefix("hodei-worker-") for name in self._world.pods(CONFIG.namespace)}
        for worker_id in there:
            self._first_seen.setdefault(worker_id, now)
            self._gone_at.pop(worker_id, None)
        for worker_id in [one for one in self._first_seen if one not in there]:
            del self._first_seen[worker_id]
            self._gone_at[worker_id] = now
        shown = set(self._view.workers)
        for worker_id in shown - there:
            if now - self._gone_at.setdefault(worker_id, now) > LAG:
                self._wrong.append(f"{worker_id}: the watch still shows it, and it is gone")
        for worker_id in there - shown:
            if now - self._first_seen[worker_id] > LAG:
                self._wrong.append(f"{worker_id}: the watch does not show it")

    def _finish(self) -> None:
        """No more faults; after one more round nothing may be left."""
        for name in self._tasks.running:
            if name not in ("watch", "clear up"):
                self._wrong.append(f"{name}: it does not come to an end")
        self._world.plan.chances = []
        self._wanted.clear()
        self._tasks.start("clear up at last", self._clear_up_once())
        self._tasks.run_until(self._world.now + TRIES)
        left = list(self._world.pods(CONFIG.namespace))
        if left:
            self._wrong.append(f"left behind: {left}")
