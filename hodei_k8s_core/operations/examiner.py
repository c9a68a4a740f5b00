"""The verdict on one Pod as time goes on: its events are read when they can say more, at most once per recheck."""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.diagnosis import described_worker, examine, out_of_time
from hodei_k8s_core.diagnosis.stages import SHORTEST_RECHECK
from hodei_k8s_core.effects import Monotonic, Operation
from hodei_k8s_core.event_list import Event
from hodei_k8s_core.operations.pod_events import noting, read_events
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.server_time import format_rfc3339
from hodei_k8s_core.verdict import Verdict
from hodei_k8s_core.worker import WorkerInfo

SOONEST: Final = 0.5
"""Seconds: the cluster's clock is known to a second, so what is due at once is looked at a little later."""


class Examiner:
    """Examines the Pod that it is given, now and again. `clock_offset`: from a monotonic time to the server's.

    `recheck_after`: seconds after which the last answer can be another, or None.
    """

    def __init__(self, config: KubernetesConfig, clock_offset: float) -> None:
        self._config = config
        self._offset = clock_offset
        self._events: tuple[Event, ...] = ()
        self._unreadable = ""
        self._ask_at = 0.0
        self._gated_at: float | None = None
        self.recheck_after: float | None = None

    def study(self, pod: Pod) -> Operation[WorkerInfo]:
        """The worker with its verdict and timeline, by the Pod, the time and the events."""
        now = yield from self._now()
        policy = self._config.startup
        judged = self._since_release(pod, now)
        found = examine(judged, self._events, now=now, policy=policy)
        if found.wants_events and now >= self._ask_at:
            yield from self._ask(pod)
            found = examine(judged, self._events, now=now, policy=policy)
            self._ask_at = now + max(SHORTEST_RECHECK, found.recheck_after or 0.0)
        self.recheck_after = None if found.recheck_after is None else max(SOONEST, found.recheck_after)
        return described_worker(pod, self._noted(found.verdict), self._events)

    def explain(self, pod: Pod) -> Operation[WorkerInfo]:
        """As `study`, with the events for whatever there is to explain."""
        now = yield from self._now()
        found = examine(pod, now=now, policy=self._config.startup)
        if found.wants_events or found.verdict is not None:
            yield from self._ask(pod)
            found = examine(pod, self._events, now=now, policy=self._config.startup)
        return described_worker(pod, self._noted(found.verdict), self._events)

    def study_past(self, pod: Pod) -> Operation[WorkerInfo]:
        """As `study`, of a state that has passed already: nothing is asked for it."""
        now = yield from self._now()
        found = examine(self._since_release(pod, now), self._events, now=now, policy=self._config.startup)
        return described_worker(pod, self._noted(found.verdict), self._events)

    def study_lateness(self, pod: Pod, waited: float) -> Operation[Verdict | None]:
        """The verdict on a start that somebody has waited for in vain, for `waited` seconds."""
        now = yield from self._now()
        judged = self._since_release(pod, now)
        return out_of_time(judged, self._events, now=now, policy=self._config.startup, waited=waited)

    def _since_release(self, pod: Pod, now: float) -> Pod:
        """The Pod as if it was created when it was last seen gated: when its gates went, it does not tell itself."""
        if pod.spec.scheduling_gates:
            self._gated_at = now
            return pod
        if self._gated_at is None:
            return pod
        meta = msgspec.structs.replace(pod.metadata, creation_timestamp=format_rfc3339(self._gated_at))
        return msgspec.structs.replace(pod, metadata=meta)

    def _now(self) -> Operation[float]:
        return self._offset + (yield from Monotonic())

    def _ask(self, pod: Pod) -> Operation[None]:
        told = yield from read_events(self._config, pod.metadata.uid)
        if isinstance(told, str):
            self._unreadable = told
        else:
            self._events, self._unreadable = told, ""

    def _noted(self, verdict: Verdict | None) -> Verdict | None:
        return noting(verdict, self._unreadable)
