"""A Pod, its events and the time -> what is wrong, as a table of rules of which the first that finds something counts.

The more telling places come first: a deadline is known to the Pod while its container only says 137, and an eviction
to a condition. What has ended is judged before what waits, and a start that goes on is held against its limits last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from hodei_k8s_core.config.startup_policy import DEFAULT_POLICY, StartupPolicy
from hodei_k8s_core.diagnosis.case import ALL_WELL, Case, Examination
from hodei_k8s_core.diagnosis.contradictions import contradicts_itself
from hodei_k8s_core.diagnosis.endings import (
    disrupted,
    ended_by_reason,
    failed_without_a_reason,
    has_succeeded,
    init_failed,
    worker_ended,
)
from hodei_k8s_core.diagnosis.node import held_by_finalizers, node_lost, node_prepares, not_ending
from hodei_k8s_core.diagnosis.scheduling import gated, unschedulable
from hodei_k8s_core.diagnosis.stages import not_in_time, stage_of, within_limits
from hodei_k8s_core.diagnosis.waiting import container_waits
from hodei_k8s_core.event_list import Event
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.verdict import Verdict

_RULES: Final[tuple[Callable[[Case], Examination | None], ...]] = (
    contradicts_itself,
    held_by_finalizers,
    has_succeeded,
    disrupted,
    ended_by_reason,
    worker_ended,
    init_failed,
    failed_without_a_reason,
    node_lost,
    not_ending,
    container_waits,
    gated,
    unschedulable,
    node_prepares,
)


def diagnose(
    pod: Pod, events: Iterable[Event] = (), *, now: float, policy: StartupPolicy = DEFAULT_POLICY
) -> Verdict | None:
    """What is wrong with the worker of this Pod; None while all is well.

    `events`: about the Pod, as far as they are known (those about others are left out). `now`: seconds since the epoch
    by the cluster's clock, such as the `Date` of its reply.
    """
    return examine(pod, events, now=now, policy=policy).verdict


def examine(
    pod: Pod, events: Iterable[Event] = (), *, now: float, policy: StartupPolicy = DEFAULT_POLICY
) -> Examination:
    """As `diagnose`, and besides: when to look again, and whether the Pod's events could say more."""
    case = Case(pod, tuple(event for event in events if _is_about(event, pod)), now, policy)
    return within_limits(case, _first_found(case))


def _first_found(case: Case) -> Examination:
    for rule in _RULES:
        found = rule(case)
        if found is not None:
            return found
    return ALL_WELL


def out_of_time(
    pod: Pod, events: Iterable[Event] = (), *, now: float, policy: StartupPolicy = DEFAULT_POLICY, waited: float
) -> Verdict | None:
    """The verdict on a start that somebody gives up after `waited` seconds of their own; None where none goes on."""
    case = Case(pod, tuple(event for event in events if _is_about(event, pod)), now, policy)
    clock = stage_of(case)
    return None if clock is None else not_in_time(case, clock, waited)


def _is_about(event: Event, pod: Pod) -> bool:
    return event.involved_object.uid in ("", pod.metadata.uid)
