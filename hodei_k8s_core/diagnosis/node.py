"""Rules about the node and the end: volumes and the sandbox, a node that is lost, and what does not go away."""

from __future__ import annotations

from typing import Final

from hodei_k8s_core.diagnosis.case import (
    ALL_WELL,
    Case,
    Examination,
    of_condition,
    of_event,
    of_pod,
    sentence,
    trouble,
)
from hodei_k8s_core.diagnosis.stages import FIRST_LOOK, is_scheduled, prepared_since, recheck_delay
from hodei_k8s_core.event_list import Event
from hodei_k8s_core.pod import epoch
from hodei_k8s_core.verdict import Blame, Category, Evidence
from hodei_k8s_core.worker_state import is_cut_off

_VOLUME_EVENTS: Final = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
_SANDBOX_EVENTS: Final = ("FailedCreatePodSandBox", "NetworkNotReady", "FailedPrepareDynamicResources")
_GATE_IS_CLOSED: Final = "ReadinessGatesNotReady"
_MADE_LATER: Final = " not found"
_PASSES: Final = ("failed to sync ", "not registered")
"""Of objects that the kubelet has not seen yet (pkg/kubelet/util/manager)."""


def held_by_finalizers(case: Case) -> Examination | None:
    """A deletion that is overdue, and finalizers that nobody takes away."""
    finalizers = case.pod.metadata.finalizers
    if not finalizers or _overdue(case) <= 0:
        return None
    names = ", ".join(finalizers)
    return trouble(
        Category.TERMINATING_STUCK,
        Blame.OPERATOR,
        f"it is to be deleted, and is held by its finalizers: {names}",
        Evidence("metadata.finalizers", names),
        _deletion(case),
        terminal=True,
        retryable=True,
        finalizers=finalizers,
    )


def node_lost(case: Case) -> Examination | None:
    """Its node does not answer any more: the control plane says that the Pod is not ready, whatever its containers."""
    if case.pod.phase == "Unknown":
        what, evidence = "its node does not tell of it", of_pod(case.pod)
    else:
        ready = case.condition("Ready", "False")
        if ready is None or not is_cut_off(case.pod) or ready.reason == _GATE_IS_CLOSED:
            return None
        what, evidence = "its node does not answer", of_condition(ready)
    told = case.events_of("NodeNotReady")[:1]
    return trouble(
        Category.NODE_LOST,
        Blame.PLATFORM,
        f"{what} ({case.pod.spec.node_name or 'none'})",
        evidence,
        *map(of_event, told),
        terminal=False,
        retryable=True,
    )


def not_ending(case: Case) -> Examination | None:
    """A deletion that is overdue without a finalizer: the node has not confirmed it. Before that, all is well."""
    if not case.pod.is_deleting:
        return None
    if epoch(case.pod.metadata.deletion_timestamp) is None:  # pragma: no cover - no server sends such a time
        return ALL_WELL
    overdue = _overdue(case)
    if overdue <= 0:  # a clock that tells whole seconds meets the limit itself
        return Examination(recheck_after=-overdue or 1.0)
    node = case.pod.spec.node_name or "none"
    return trouble(
        Category.TERMINATING_STUCK,
        Blame.PLATFORM,
        f"it is to be deleted, and its node ({node}) has not confirmed the end of its containers",
        _deletion(case),
        terminal=False,
        retryable=True,
    )


def node_prepares(case: Case) -> Examination | None:
    """A node that does not get the volumes and the network ready: only events tell."""
    if case.has_started or not case.is_pending or not is_scheduled(case):
        return None
    if case.condition("PodReadyToStartContainers", "True") is not None:
        return None
    spent = max(0.0, case.now - prepared_since(case))
    volumes, sandbox = case.events_of(*_VOLUME_EVENTS)[:1], case.events_of(*_SANDBOX_EVENTS)[:1]
    if volumes and _MADE_LATER in volumes[0].message and not _passes(volumes[0]):
        return _missing_for_volume(case, volumes[0])
    again = recheck_delay(spent) if spent >= FIRST_LOOK else FIRST_LOOK - spent
    wants_events = spent >= FIRST_LOOK
    for found, category, what in (
        (volumes, Category.VOLUME_UNAVAILABLE, "a volume of it cannot be used yet"),
        (sandbox, Category.START_FAILED, "its node cannot make its sandbox yet"),
    ):
        if found and not _passes(found[0]):
            return trouble(
                category,
                Blame.PLATFORM,
                sentence(what, found[0].message),
                of_event(found[0]),
                terminal=False,
                retryable=True,
                recheck_after=again,
                wants_events=wants_events,
            )
    return Examination(None, again, wants_events)


def _missing_for_volume(case: Case, event: Event) -> Examination:
    left = case.policy.settle - case.age
    if left > 0:
        return Examination(None, left, wants_events=True)
    return trouble(
        Category.VOLUME_UNAVAILABLE,
        Blame.CONFIGURATION,
        sentence("a volume of it cannot be used", event.message),
        of_event(event),
        terminal=True,
        retryable=False,
    )


def _passes(event: Event) -> bool:
    return any(mark in event.message for mark in _PASSES)


def _overdue(case: Case) -> float:
    """Seconds by which the deletion is later than it may be; below 0 before that. `deletionTimestamp` is its end."""
    end = epoch(case.pod.metadata.deletion_timestamp)
    return 0.0 if end is None else case.now - end - case.policy.end


def _deletion(case: Case) -> Evidence:
    meta = case.pod.metadata
    return Evidence("metadata.deletionTimestamp", f"{meta.deletion_timestamp} ({_overdue(case):.0f} s too late)")
