"""What exists + what should exist -> a plan.

A worker that is wanted, young, another provider's or already on its way out is never touched; one that has changed
since it was read is not either, because every removal carries the uid and the version that were seen. Ages are by the
server's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from hodei_k8s_core.companions import is_gated
from hodei_k8s_core.config.kubernetes_config import DEFAULT_PROVIDER_ID
from hodei_k8s_core.config.reconcile_policy import DEFAULT_RECONCILE, ReconcilePolicy
from hodei_k8s_core.diagnosis.read_timeline import timeline
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.labels import IDLE_SINCE, IDLE_TIMEOUT, MANAGED, PROVIDER_ID, TTL_AFTER_COMPLETION, WORKER_ID
from hodei_k8s_core.names import pod_name
from hodei_k8s_core.pod import ObjectMeta, Pod, epoch
from hodei_k8s_core.reconcile.plan import Action, ActionKind, Plan
from hodei_k8s_core.worker_state import worker_state

Wanted: TypeAlias = Mapping[str, str] | Collection[str]
"""Worker ids; as a mapping, with the uid of the Pod that the host knows each by, "" where it knows none yet."""


class Belonging(msgspec.Struct, frozen=True):
    """A Secret or a claim that was made for a worker: `resource` as the API names it, and its metadata alone."""

    resource: str
    metadata: ObjectMeta


class Existing(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, for the workers of `provider_id`. `notes`: what could not be, for people."""

    provider_id: str
    pods: Sequence[Pod]
    belongings: Sequence[Belonging] = ()
    notes: tuple[str, ...] = ()


def plan_reconcile(
    existing: Existing, wanted: Wanted | None, *, now: float, policy: ReconcilePolicy = DEFAULT_RECONCILE
) -> Plan:
    """What is to be done, at `now` by the server's clock (seconds since the epoch).

    `wanted` None: nobody says which workers should exist, so none is an orphan or lost.

    Raises: ConfigurationError for the default `provider_id`: two installations that share a name would end each other's
    workers.
    """
    check_provider_id(existing.provider_id)
    ours = [pod for pod in existing.pods if _is_ours(pod.metadata, existing.provider_id)]
    removals = [action for pod in ours if (action := _removal(pod, wanted, now, policy)) is not None]
    strays = _strays(existing, now, policy)
    living = sum(not _has_ended(pod) for pod in ours)
    return Plan(
        actions=(*_adoptions(ours, wanted), *removals, *strays, *_losses(ours, wanted)),
        workers=len(ours),
        living=living,
        made_at=now,
        consent_needed=_consent_needed(removals, living, policy),
        notes=existing.notes,
        next_due=_next_due(ours, wanted, now, policy),
    )


def check_provider_id(provider_id: str) -> None:
    """Raises: ConfigurationError for the default one."""
    if provider_id == DEFAULT_PROVIDER_ID:
        problem = f"is the default {provider_id!r}; choose a name of your own, so that no other installation shares it"
        raise ConfigurationError("nothing is reconciled", [Fault("provider_id", problem)])


def _is_ours(meta: ObjectMeta, provider_id: str) -> bool:
    return meta.labels.get(MANAGED) == "true" and meta.labels.get(PROVIDER_ID) == provider_id


def _is_young(meta: ObjectMeta, now: float, policy: ReconcilePolicy) -> bool:
    """What does not tell its age counts as young."""
    return meta.created_at is None or now - meta.created_at < policy.min_age


def _has_ended(pod: Pod) -> bool:
    return worker_state(pod).is_final


def _removal(pod: Pod, wanted: Wanted | None, now: float, policy: ReconcilePolicy) -> Action | None:
    if pod.is_deleting or _is_young(pod.metadata, now, policy) or (wanted is not None and pod.worker_id in wanted):
        return None
    limits = (limit for limit in _limits(pod, policy) if limit.at <= now)
    over = next(limits, None)
    if over is not None:
        return _action(ActionKind.DESTROY_EXPIRED, pod, over.reason(now))
    if wanted is None or _has_ended(pod):  # what has ended is kept for people to look at, as long as it was asked for
        return None
    return _action(ActionKind.DESTROY_ORPHAN, pod, "nobody wants this worker")


class _Limit(msgspec.Struct, frozen=True):
    """A worker's time is over from `at` on (by the server's clock); `reason` says why, at a moment after that."""

    at: float
    reason: Callable[[float], str]


def _limits(pod: Pod, policy: ReconcilePolicy) -> list[_Limit]:
    return [limit for limit_of in _LIMITS if (limit := limit_of(pod, policy)) is not None]


def _kept(pod: Pod, _policy: ReconcilePolicy) -> _Limit | None:
    kept = _seconds(pod, TTL_AFTER_COMPLETION)
    if kept is None or not _has_ended(pod):
        return None
    ended = _ended_at(pod)
    return _Limit(ended + kept, lambda now: f"it ended {now - ended:.0f} s ago, and is kept for {kept:g} s")


def _lifetime(pod: Pod, policy: ReconcilePolicy) -> _Limit | None:
    """The node ends it at its deadline; one that it did not end, or that never had a node, is overdue."""
    limit = pod.spec.active_deadline_seconds
    began = epoch(pod.status.start_time) or pod.metadata.created_at
    if limit is None or began is None or _has_ended(pod):
        return None
    at = began + limit + policy.overdue
    return _Limit(at, lambda now: f"it was started {now - began:.0f} s ago, and may run for {limit} s")


def _idle(pod: Pod, _policy: ReconcilePolicy) -> _Limit | None:
    allowed, since = _seconds(pod, IDLE_TIMEOUT), epoch(pod.annotation(IDLE_SINCE))
    if allowed is None or since is None or pod.job_id or _has_ended(pod):
        return None
    return _Limit(
        since + allowed, lambda now: f"it has had no job for {now - since:.0f} s, and may be idle for {allowed:g} s"
    )


def _never_completed(pod: Pod, _policy: ReconcilePolicy) -> _Limit | None:
    """Over as soon as it is not young any more: what it needs is made within seconds, by whoever created it."""
    told = "it waits behind its gate for what its creator never made"
    return _Limit(0.0, lambda _now: told) if is_gated(pod) else None


_LIMITS: Final[tuple[Callable[[Pod, ReconcilePolicy], _Limit | None], ...]] = (
    _kept,
    _lifetime,
    _idle,
    _never_completed,
)
"""Why a worker's time can be over; the first one counts."""


def _next_due(pods: Sequence[Pod], wanted: Wanted | None, now: float, policy: ReconcilePolicy) -> float | None:
    """When the first worker that is left alone now will have to go, if nothing else happens."""
    moments = (
        max(at, pod.metadata.created_at + policy.min_age)
        for pod in pods
        if pod.metadata.created_at is not None and not pod.is_deleting and pod.worker_id not in (wanted or ())
        for at in (
            *(limit.at for limit in _limits(pod, policy)),
            *([0.0] if wanted is not None and not _has_ended(pod) else []),
        )
    )
    return min((moment for moment in moments if moment > now), default=None)


def _ended_at(pod: Pod) -> float:
    """When the worker ended; where it never ran, the last thing that happened to its Pod."""
    finished = timeline(pod).finished
    if finished is not None:
        return finished.at
    moments = [epoch(condition.last_transition_time) for condition in pod.status.conditions]
    return max((moment for moment in (*moments, pod.metadata.created_at) if moment is not None), default=0.0)


def _seconds(pod: Pod, annotation: str) -> float | None:
    """What the annotation says; None where there is none, or nothing that can be read: then there is no such limit."""
    try:
        return float(pod.annotation(annotation))
    except ValueError:
        return None


def _action(kind: ActionKind, pod: Pod, reason: str) -> Action:
    meta = pod.metadata
    return Action(
        kind=kind,
        worker_id=pod.worker_id,
        name=meta.name,
        reason=reason,
        uid=meta.uid,
        resource_version=meta.resource_version,
        has_ended=_has_ended(pod),
    )


def _adoptions(pods: Sequence[Pod], wanted: Wanted | None) -> list[Action]:
    if not isinstance(wanted, Mapping):
        return []
    unknown = (pod for pod in pods if wanted.get(pod.worker_id) == "" and not pod.is_deleting)
    return [_action(ActionKind.ADOPT, pod, "it is wanted, and the host does not know its Pod yet") for pod in unknown]


def _losses(pods: Sequence[Pod], wanted: Wanted | None) -> list[Action]:
    """A host that knows no Pod of a worker has none to lose: its creation may be under way."""
    if not isinstance(wanted, Mapping):
        return []
    uids = {pod.worker_id: pod.metadata.uid for pod in pods}
    return [
        Action(
            kind=ActionKind.REPORT_LOST,
            worker_id=worker_id,
            name=pod_name(worker_id),
            reason="its Pod is gone" if worker_id not in uids else "another Pod has its name by now",
            uid=uid,
            has_ended=True,
        )
        for worker_id, uid in wanted.items()
        if uid and uids.get(worker_id) != uid
    ]


def _strays(existing: Existing, now: float, policy: ReconcilePolicy) -> list[Action]:
    """By the owner, not by the worker's id: the next worker of that id has a Secret of its own."""
    living = {pod.metadata.uid for pod in existing.pods}
    return [
        Action(
            kind=ActionKind.REMOVE_STRAY,
            worker_id=meta.labels.get(WORKER_ID, ""),
            name=meta.name,
            reason="the worker that it was made for is gone",
            resource=belonging.resource,
            uid=meta.uid,
            resource_version=meta.resource_version,
            has_ended=True,
        )
        for belonging in existing.belongings
        for meta in (belonging.metadata,)
        if _is_ours(meta, existing.provider_id)
        and meta.deletion_timestamp is None
        and not _is_young(meta, now, policy)
        and living.isdisjoint(owner.uid for owner in meta.owner_references)
    ]


def _consent_needed(removals: Sequence[Action], living: int, policy: ReconcilePolicy) -> str:
    """What has ended may go in any number: nobody loses a worker by it."""
    taken = sum(not action.has_ended for action in removals)
    if taken <= policy.free_removals or taken <= policy.max_share * living:
        return ""
    return f"it would end {taken} of {living} workers, more than {policy.max_share:.0%} of them"
