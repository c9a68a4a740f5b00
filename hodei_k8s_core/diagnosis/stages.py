"""Where a worker is on its way to ready, since when, and what the policy allows; by the cluster's times.

created ─ schedule ─▶ has a node ─ pull ─▶ has its image ─ start ─▶ runs ─ ready ─▶ ready
"""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.diagnosis.case import Case, Examination, of_condition, of_event, of_waiting
from hodei_k8s_core.event_list import Event
from hodei_k8s_core.pod import epoch
from hodei_k8s_core.verdict import Blame, Category, Evidence, Stage, Verdict
from hodei_k8s_core.worker import WORKER_CONTAINER
from hodei_k8s_core.worker_state import is_cut_off

NODE_IS_COMING: Final = ("TriggeredScaleUp", "Nominated")
NO_NODE_COMES: Final = ("NotTriggerScaleUp",)
"""Of the cluster autoscaler and of Karpenter ("Pod should schedule on: nodeclaim/...")."""
FIRST_LOOK: Final = 3.0
"""Seconds that a stage may take before its events are asked for."""
SHORTEST_RECHECK: Final = 5.0
_WORKER_FIELD: Final = f"spec.containers{{{WORKER_CONTAINER}}}"


class StageClock(msgspec.Struct, frozen=True):
    """A stage that a worker is in, since when (seconds since the epoch), and the seconds that it may last."""

    stage: Stage
    since: float
    limit: float


def stage_of(case: Case) -> StageClock | None:
    """The stage of a start that goes on; None for a worker that is ready, ends, has ended, or is held back on purpose.

    The end of a pull is known from events alone; without them it counts together with the start.
    """
    pod, worker = case.pod, case.worker
    if pod.is_deleting or pod.phase not in ("", "Pending", "Running") or worker.state.terminated is not None:
        return None
    running = worker.state.running
    if running is not None:
        began = epoch(running.started_at)
        if began is None or worker.ready or is_cut_off(pod):
            return None
        return StageClock(Stage.READY, began, case.policy.ready)
    if worker.last_state.terminated is not None:  # it has started before
        return None
    if not is_scheduled(case):
        if _is_held_back(case):
            return None
        since = scheduling_since(case)
        return None if since is None else StageClock(Stage.SCHEDULE, since, _scheduling_limit(case))
    return _preparing(case)


def _preparing(case: Case) -> StageClock | None:
    since = prepared_since(case)
    initializing = _init_container_runs_since(case)
    pulled = latest(case, "Pulled")
    if initializing is not None:
        return StageClock(Stage.START, initializing, case.policy.start)
    if pulled is not None:
        return StageClock(Stage.START, max(since, pulled.last_seen or since), case.policy.start)
    together = case.policy.pull + (0.0 if case.events else case.policy.start)
    return StageClock(Stage.PULL, since, together)


def is_scheduled(case: Case) -> bool:
    return bool(case.pod.spec.node_name) or case.condition("PodScheduled", "True") is not None


def _is_held_back(case: Case) -> bool:
    """By a gate; or its gate was just lifted, and the scheduler has not tried yet."""
    condition = case.condition("PodScheduled", "False")
    told = condition is not None and condition.reason == "SchedulingGated"
    return bool(case.pod.spec.scheduling_gates) or told


def scheduling_since(case: Case) -> float | None:
    """Since when a node is sought: a Pod that was gated is older than that, and its first failed attempt tells."""
    attempts = [event.first_seen for event in case.events_of("FailedScheduling") if event.first_seen is not None]
    created = case.pod.metadata.created_at
    return created if not attempts or created is None else max(created, min(attempts))


def scheduled_at(case: Case) -> float | None:
    """When a node was found."""
    condition = case.condition("PodScheduled", "True")
    found = None if condition is None else epoch(condition.last_transition_time)
    return found or epoch(case.pod.status.start_time) or case.pod.metadata.created_at


def prepared_since(case: Case) -> float:
    """Since when the node works on the worker's own container: the init containers come first, each with its image."""
    ends = [status.state.terminated for status, _ in case.init_containers()]
    moments = [epoch(end.finished_at) for end in ends if end is not None]
    known = [moment for moment in (scheduled_at(case), *moments) if moment is not None]
    return max(known, default=case.now)


def latest(case: Case, reason: str) -> Event | None:
    """The last event of that reason about the worker's container."""
    found = (e for e in case.events_of(reason) if e.involved_object.field_path in ("", _WORKER_FIELD))
    return next(found, None)


def node_is_coming(case: Case) -> bool:
    """The last word of an autoscaler is that it adds a node."""
    words = case.events_of(*NODE_IS_COMING, *NO_NODE_COMES)
    return bool(words) and words[0].reason in NODE_IS_COMING


def recheck_delay(spent: float) -> float:
    """Seconds until the next look at what has lasted `spent` seconds: the longer it lasts, the less is new."""
    return max(SHORTEST_RECHECK, spent / 2)


def within_limits(case: Case, found: Examination) -> Examination:
    """The examination of a start in the light of its time: `startup_timeout` when a stage has run out of it."""
    clock = stage_of(case)
    verdict = found.verdict
    # A Pod that contradicts itself is in no stage that one could rely on.
    if clock is None or (verdict is not None and (verdict.terminal or verdict.category is Category.UNKNOWN)):
        return found
    left = clock.since + clock.limit - case.now
    if left <= 0:
        return Examination(_timed_out(case, clock, verdict), None, wants_events=True)
    recheck = left if found.recheck_after is None else min(left, found.recheck_after)
    if verdict is not None:
        verdict = msgspec.structs.replace(verdict, recheck_after=recheck, stage=verdict.stage or clock.stage)
    return Examination(verdict, recheck, found.wants_events)


def _timed_out(case: Case, clock: StageClock, before: Verdict | None) -> Verdict:
    verdict = not_in_time(case, clock, clock.limit)
    if before is None:
        return verdict
    return msgspec.structs.replace(
        before,
        category=verdict.category,
        summary=f"{verdict.summary}: {before.summary}",
        evidence=(*before.evidence, verdict.evidence[-1]),
        recheck_after=None,
        stage=clock.stage,
    )


def not_in_time(case: Case, clock: StageClock, limit: float) -> Verdict:
    """The verdict on a stage that did not end within `limit` seconds, with nothing to say why."""
    spent = f"{case.now - clock.since:.0f} s so far, of {clock.limit:g} s"
    return Verdict(
        category=Category.STARTUP_TIMEOUT,
        blame=_BLAME[clock.stage],
        terminal=False,
        retryable=True,
        summary=f"{_STUCK[clock.stage]} within {limit:g} s",
        evidence=(*_seen(case, clock.stage), Evidence(f"policy startup.{clock.stage.value}", spent)),
        stage=clock.stage,
    )


def _seen(case: Case, stage: Stage) -> tuple[Evidence, ...]:
    if stage is Stage.READY:
        condition = case.condition("Ready", "False")
        failed = case.events_of("Unhealthy")[:1]
        return (*(() if condition is None else (of_condition(condition),)), *map(of_event, failed))
    if stage is Stage.SCHEDULE:
        return (Evidence("condition PodScheduled", "nothing is told of it: does a scheduler run?"),)
    return (of_waiting(case.worker), *map(of_event, case.events_of("Pulling", "Unhealthy")[:1]))


def _scheduling_limit(case: Case) -> float:
    return case.policy.scale_up if node_is_coming(case) else case.policy.schedule


def _init_container_runs_since(case: Case) -> float | None:
    """An init container that has not ended, or a sidecar whose startup probe has not succeeded: the worker waits."""
    holding = (
        status.state.running for status, is_sidecar in case.init_containers() if not (is_sidecar and status.started)
    )
    return next((epoch(one.started_at) for one in holding if one is not None), None)


_STUCK: Final = {
    Stage.SCHEDULE: "no node was found for it",
    Stage.PULL: "its node did not get the image and the volumes ready",
    Stage.START: "its program did not start",
    Stage.READY: "it did not get ready",
}
_BLAME: Final = {
    Stage.SCHEDULE: Blame.PLATFORM,
    Stage.PULL: Blame.PLATFORM,
    Stage.START: Blame.PLATFORM,
    Stage.READY: Blame.WORKER,
}
