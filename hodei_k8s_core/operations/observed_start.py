"""What a start that was waited for teaches: how long it took."""

from __future__ import annotations

from hodei_k8s_core.effects import Observe, Operation
from hodei_k8s_core.observations import PodStarted
from hodei_k8s_core.worker import WorkerInfo, WorkerState

_RUNS = (WorkerState.READY, WorkerState.BUSY, WorkerState.DRAINING)


def observe_start(info: WorkerInfo) -> Operation[None]:
    """Observe how long it took from the Pod's creation until it was ready, both by the cluster's clocks."""
    if info.state not in _RUNS or info.timeline is None or info.created_at is None:
        return
    there = info.timeline.ready or info.timeline.started
    if there is not None:
        seconds = max(0.0, there.at - info.created_at)
        yield from Observe(PodStarted(seconds, info.image, info.handle.pod_uid, info.timeline.durations))
