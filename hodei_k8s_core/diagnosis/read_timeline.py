"""A Pod and its events -> its timeline. The Pod is read first: it is there when its events are forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from hodei_k8s_core.event_list import Event
from hodei_k8s_core.pod import Pod, Running, Terminated, epoch
from hodei_k8s_core.timeline import Milestone, Timeline
from hodei_k8s_core.worker import WORKER_CONTAINER
from hodei_k8s_core.worker_info import last_end

_WORKER_FIELD: Final = f"spec.containers{{{WORKER_CONTAINER}}}"


def timeline(pod: Pod, events: Iterable[Event] = ()) -> Timeline:
    """When the worker of this Pod reached what, as far as the Pod and `events` (about it) tell."""
    about = [event for event in events if event.involved_object.uid in ("", pod.metadata.uid)]
    meta = pod.metadata
    return Timeline(
        created=_at(meta.created_at, "metadata.creationTimestamp"),
        scheduled=_condition(pod, "PodScheduled") or _event(about, "Scheduled", first=True),
        pulling=_event(about, "Pulling", first=True),
        pulled=_event(about, "Pulled", first=False),
        started=_of_run(pod, lambda run: run.started_at, "startedAt") or _event(about, "Started", first=False),
        ready=_condition(pod, "Ready"),
        finished=_of_run(pod, _finished_at, "finishedAt"),
        deleted=_at(meta.deleting_since, "metadata.deletionTimestamp"),
    )


def _at(moment: float | None, source: str) -> Milestone | None:
    return None if moment is None else Milestone(moment, source)


def _condition(pod: Pod, kind: str) -> Milestone | None:
    condition = pod.condition(kind)
    if condition is None or condition.status != "True":
        return None
    return _at(epoch(condition.last_transition_time), f"condition {kind}")


def _of_run(pod: Pod, read: Callable[[Running | Terminated], str | None], name: str) -> Milestone | None:
    worker = pod.worker_container
    if worker is None:
        return None
    run = worker.state.running or last_end(worker)
    state = "running" if isinstance(run, Running) else "terminated"
    return None if run is None else _at(epoch(read(run)), f"container {WORKER_CONTAINER} {state}.{name}")


def _finished_at(run: Running | Terminated) -> str | None:
    return run.finished_at if isinstance(run, Terminated) else None


def _event(events: Iterable[Event], reason: str, *, first: bool) -> Milestone | None:
    """The first or last event of that reason about the Pod or the worker's container, at its own end of the series."""
    fitting = (e for e in events if e.reason == reason and e.involved_object.field_path in ("", _WORKER_FIELD))
    seen = [event.first_seen if first else event.last_seen for event in fitting]
    known = [moment for moment in seen if moment is not None]
    return _at((min if first else max)(known), f"event {reason}") if known else None
