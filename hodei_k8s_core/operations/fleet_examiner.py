"""What only events tell about the workers of a watch: one list of the namespace's events for all of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Final

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.diagnosis import described_worker, examine
from hodei_k8s_core.diagnosis.case import Examination
from hodei_k8s_core.diagnosis.stages import SHORTEST_RECHECK
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.event_list import Event
from hodei_k8s_core.operations.pod_events import EventsOfMany, noting, read_events_of_many
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.worker import WorkerInfo

SOONEST: Final = 0.5
"""Seconds: the cluster's clock is known to a second, so what is due at once is looked at a little later."""


class FleetExaminer:
    """Examines Pods that are a puzzle without their events. All times are by the cluster's clock.

    `look_at`: when an answer can be another, or infinite.
    """

    def __init__(self, config: KubernetesConfig) -> None:
        self._config = config
        self._events = EventsOfMany()
        self._asked_at = -math.inf
        self._ask_at: dict[str, float] = {}
        self._puzzles: frozenset[str] = frozenset()
        self.look_at = math.inf

    def study(
        self, puzzles: Mapping[str, Pod], changed: Collection[str], now: float
    ) -> Operation[dict[str, WorkerInfo]]:
        """The workers of those of the Pods that have `changed`, are new, or are due, with verdict and timeline.

        All by uid. Events are asked for when one of the Pods is due, and never twice in SHORTEST_RECHECK.
        """
        uids = puzzles.keys() if now >= self.look_at else (puzzles.keys() & changed) | (puzzles.keys() - self._puzzles)
        later = math.inf if now >= self.look_at else self.look_at
        self._puzzles = frozenset(puzzles)
        found = {uid: self._examine(puzzles[uid], now) for uid in uids}
        if any(one.wants_events and self._ask_at.get(uid, now) <= now for uid, one in found.items()):
            if now < self._asked_at + SHORTEST_RECHECK:
                later = min(later, self._asked_at + SHORTEST_RECHECK)
            else:
                found, later = (yield from self._ask(puzzles, now)), math.inf
        self.look_at = min((now + _pause(one) for one in found.values()), default=math.inf)
        self.look_at = min(self.look_at, later)
        return {uid: self._told(puzzles[uid], one) for uid, one in found.items()}

    def _ask(self, puzzles: Mapping[str, Pod], now: float) -> Operation[dict[str, Examination]]:
        self._events = yield from read_events_of_many(self._config, puzzles)
        self._asked_at = now
        found = {uid: self._examine(pod, now) for uid, pod in puzzles.items()}
        self._ask_at = {uid: now + max(SHORTEST_RECHECK, one.recheck_after or 0.0) for uid, one in found.items()}
        return found

    def _examine(self, pod: Pod, now: float) -> Examination:
        return examine(pod, self.events_of(pod), now=now, policy=self._config.startup)

    def _told(self, pod: Pod, found: Examination) -> WorkerInfo:
        return described_worker(pod, noting(found.verdict, self._events.unreadable), self.events_of(pod))

    def events_of(self, pod: Pod) -> tuple[Event, ...]:
        """What was read about the Pod when events were asked for last."""
        return self._events.by_uid.get(pod.metadata.uid, ())


def _pause(found: Examination) -> float:
    return math.inf if found.recheck_after is None else max(SOONEST, found.recheck_after)
