"""Rules about a worker without a node: held back on purpose, or nowhere to go."""

from __future__ import annotations

from typing import Final

from hodei_k8s_core.diagnosis.case import Case, Examination, of_condition, of_event, sentence, trouble
from hodei_k8s_core.diagnosis.scheduler_message import SchedulerMessage, parse_scheduler_message
from hodei_k8s_core.diagnosis.stages import (
    FIRST_LOOK,
    NO_NODE_COMES,
    NODE_IS_COMING,
    is_scheduled,
    node_is_coming,
    recheck_delay,
    scheduling_since,
)
from hodei_k8s_core.labels import is_reserved
from hodei_k8s_core.pod import PodCondition
from hodei_k8s_core.verdict import Blame, Category, CauseKind, Evidence

_BLAME: Final[tuple[tuple[CauseKind, Blame], ...]] = (
    (CauseKind.CAPACITY, Blame.CAPACITY),
    (CauseKind.PORT, Blame.CAPACITY),
    (CauseKind.CORDONED, Blame.OPERATOR),
    (CauseKind.NODE_TROUBLE, Blame.PLATFORM),
    (CauseKind.SELECTOR, Blame.CONFIGURATION),
    (CauseKind.TAINT, Blame.CONFIGURATION),
    (CauseKind.SPREAD, Blame.CONFIGURATION),
    (CauseKind.VOLUME, Blame.CONFIGURATION),
)
"""Whoever could make room soonest: the first kind that is among the causes counts."""
_CLAIM_ABSENT: Final = ("not found", "is being deleted", "non-existent", "is lost")
_CLAIM_COMES: Final = "waiting for"
_MAY_COME_LATER: Final = ("max node group size", "in backoff", "limit reached", "cloud provider", "not ready for scale")
"""Reasons of the autoscaler that pass by themselves (cluster-autoscaler, core/scaleup/orchestrator)."""


def gated(case: Case) -> Examination | None:
    """Something holds it back from being scheduled. Hodei's own gates are for what a creator makes right after."""
    names = [gate.name for gate in case.pod.spec.scheduling_gates]
    if not names or is_scheduled(case):
        return None
    left = case.policy.schedule - case.age
    if left > 0 and all(is_reserved(name) for name in names):
        return Examination(recheck_after=left)
    condition = case.condition("PodScheduled", "False")
    return trouble(
        Category.SCHEDULING_GATED,
        Blame.OPERATOR,
        f"it is held back from being scheduled by {', '.join(names)}",
        Evidence("spec.schedulingGates", ", ".join(names)),
        *(() if condition is None else (of_condition(condition),)),
        terminal=False,
        retryable=True,
    )


def unschedulable(case: Case) -> Examination | None:
    """The scheduler finds no node."""
    condition = case.condition("PodScheduled", "False")
    if condition is None or condition.reason == "SchedulingGated" or not case.is_pending:
        return None
    message = parse_scheduler_message(condition.message)
    if message.causes and all(cause.kind is CauseKind.VOLUME and cause.nodes is None for cause in message.causes):
        return _claim_trouble(case, condition, message)
    words = case.events_of(*NODE_IS_COMING, *NO_NODE_COMES)[:1]
    spent = case.now - (scheduling_since(case) or case.now)
    terminal = _never_comes(case, message)
    return trouble(
        Category.UNSCHEDULABLE,
        _blame(message),
        _summary(case, message, condition.message),
        of_condition(condition),
        *map(of_event, words),
        terminal=terminal,
        retryable=not terminal,
        nodes=message.nodes,
        causes=message.causes,
        recheck_after=None if terminal else recheck_delay(spent),
        wants_events=spent >= FIRST_LOOK,
    )


def _never_comes(case: Case, message: SchedulerMessage) -> bool:
    """No node of today can ever take it, and the autoscaler says for a lasting reason that it would add none."""
    words = case.events_of(*NODE_IS_COMING, *NO_NODE_COMES)
    if not message.fits_nowhere or not words or words[0].reason in NODE_IS_COMING:
        return False
    why = words[0].message.partition(":")[2].strip()
    return bool(why) and not any(mark in why for mark in _MAY_COME_LATER)


def _blame(message: SchedulerMessage) -> Blame:
    kinds = {cause.kind for cause in message.causes}
    if message.nodes == 0:
        return Blame.CAPACITY
    return next((blame for kind, blame in _BLAME if kind in kinds), Blame.PLATFORM)


def _summary(case: Case, message: SchedulerMessage, text: str) -> str:
    if message.nodes is None:
        return sentence("the scheduler finds no node for it", text)
    causes = ", ".join(map(str, message.causes))
    if message.nodes == 0:
        found = "the cluster has no nodes"
    else:
        found = (
            f"none of the {message.nodes} nodes can take it" if message.nodes != 1 else "the one node cannot take it"
        )
        found += ", not even when it is empty" if message.fits_nowhere and _is_too_large(message) else ""
    coming = "; a node is being added" if node_is_coming(case) else ""
    return sentence(found, causes) + coming


def _is_too_large(message: SchedulerMessage) -> bool:
    return all(cause.kind is CauseKind.CAPACITY for cause in message.causes)


def _claim_trouble(case: Case, condition: PodCondition, message: SchedulerMessage) -> Examination:
    """A claim is not there or not bound; it is the Pod's own fault, and counts for every node."""
    absent = any(mark in condition.message for mark in _CLAIM_ABSENT) and _CLAIM_COMES not in condition.message
    left = case.policy.settle - case.age
    if absent and left > 0:
        return Examination(recheck_after=left)
    spent = case.now - (scheduling_since(case) or case.now)
    return trouble(
        Category.VOLUME_UNAVAILABLE,
        Blame.CONFIGURATION if absent else Blame.PLATFORM,
        sentence("a volume of it cannot be used", ", ".join(map(str, message.causes))),
        of_condition(condition),
        terminal=absent,
        retryable=not absent,
        nodes=message.nodes,
        causes=message.causes,
        recheck_after=None if absent else recheck_delay(spent),
        wants_events=not absent and spent >= FIRST_LOOK,
    )
