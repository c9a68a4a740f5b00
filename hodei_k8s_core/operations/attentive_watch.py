"""The watch on a fleet, of whose workers some are awaited: about those their events are asked where they say more.

A verdict from the Pod alone can be hasty, and some troubles it does not tell. So the news of an awaited worker that is
a puzzle are held back, and told as they were studied. Nobody's worker costs anything beyond the watch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container
from typing import Final

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.diagnosis import described_worker, out_of_time
from hodei_k8s_core.diagnosis.look import lean_worker
from hodei_k8s_core.effects import Emit, Operation, StopRequested, Stream
from hodei_k8s_core.labels import WORKER_ID
from hodei_k8s_core.operations.fleet_examiner import FleetExaminer
from hodei_k8s_core.operations.watch_workers import FLEET, FleetWatch
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.verdict import Verdict
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo
from hodei_k8s_core.worker_change import ChangeKind, FleetItem, WorkerChange

ATTENTION: Final = 0.5
"""Seconds after which it is noticed that somebody waits for a worker that was a puzzle before."""


class AttentiveWatch:
    """A pull machine. `awaited`: the ids of the workers that somebody waits for; it may change at any time."""

    def __init__(
        self,
        config: KubernetesConfig,
        awaited: Container[str],
        *,
        what: str,
        selector: str = "",
        describe: Callable[[Pod, Verdict | None], WorkerInfo] = described_worker,
        observed_as: str = "",
    ) -> None:
        self._config = config
        self._awaited = awaited
        self._fleet = FleetWatch(config, what=what, selector=selector, describe=describe, observed_as=observed_as)
        self._examiner = FleetExaminer(config)
        self._studied: frozenset[str] = frozenset()

    @property
    def is_whole(self) -> bool:
        """A list was read to its end, so a worker that was not told does not exist."""
        return self._fleet.is_whole

    def is_hasty(self, change: WorkerChange) -> bool:
        """Events can say more about this worker, and were not asked for: nobody waited when the change was made."""
        uid = change.info.handle.pod_uid
        return uid in self._fleet.puzzles and uid not in self._studied

    def next_items(self, *, look_at: float = math.inf) -> Operation[list[FleetItem]]:
        """As those of a `FleetWatch`, in the light of events where a worker is awaited."""
        items = yield from self._fleet.next_items(look_at=min(look_at, self._examiner.look_at))
        self._fleet.find_puzzles()
        puzzles = {
            uid: pod for uid, pod in self._fleet.puzzles.items() if pod.metadata.labels.get(WORKER_ID) in self._awaited
        }
        self._studied = frozenset(puzzles)
        if not puzzles and self._examiner.look_at == math.inf:
            return items
        concerned = {item.info.handle.pod_uid for item in items if isinstance(item, WorkerChange)}
        studied = yield from self._examiner.study(puzzles, concerned, (yield from self._fleet.now()))
        kept = [item for item in items if not (isinstance(item, WorkerChange) and item.info.handle.pod_uid in studied)]
        return [*kept, *(WorkerChange(kind=ChangeKind.CHANGED, info=info) for info in studied.values())]

    def attention(self) -> Operation[float]:
        """When to look whether somebody waits for a puzzle by now, by the cluster's clock; infinite without one."""
        return (yield from self._fleet.now()) + ATTENTION if self._fleet.puzzles else math.inf

    def lateness(self, handle: WorkerHandle, waited: float, wall_clock: float) -> Verdict | None:
        """The verdict on a start that somebody has waited for in vain, for `waited` seconds. Asks nothing."""
        pod = self._fleet.starting(handle)
        if pod is None:
            return None
        events = self._examiner.events_of(pod)
        now = self._fleet.by_server_clock(wall_clock)
        return out_of_time(pod, events, now=now, policy=self._config.startup, waited=waited)

    def let_go(self) -> Operation[None]:
        """Let go of the connection."""
        yield from self._fleet.let_go()


class SharedWatch:
    """The watch of a view that any number of readers and waiters share; `run` is its stream, for one driver.

    `awaited` may be changed, and what is no stream may be called, by other threads than that of the driver.
    """

    def __init__(self, config: KubernetesConfig, awaited: Container[str], *, selector: str = "") -> None:
        self._awaited = awaited
        self._watch = AttentiveWatch(
            config, awaited, what="watch the workers", selector=selector, describe=self._describe, observed_as=FLEET
        )
        self.lateness = self._watch.lateness
        self.is_hasty = self._watch.is_hasty

    def run(self) -> Stream[FleetItem, None]:
        """As `watch_workers`; an awaited worker comes with its timeline, and with what its events tell.

        Raises: as `watch_workers`.
        """
        try:
            while True:
                items = yield from self._watch.next_items(look_at=(yield from self._watch.attention()))
                if items:
                    yield from Emit(items)
        except StopRequested:
            yield from self._watch.let_go()

    def _describe(self, pod: Pod, verdict: Verdict | None) -> WorkerInfo:
        is_awaited = pod.metadata.labels.get(WORKER_ID) in self._awaited
        return (described_worker if is_awaited else lean_worker)(pod, verdict)
