"""What workers can be here, and whether one would fit: read from the cluster, or from a snapshot that is still good."""

from __future__ import annotations

import msgspec

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.capabilities import JobRequirements, ProviderCapabilities
from hodei_k8s_core.capacity.cache import CapacityCache
from hodei_k8s_core.capacity.explain import explain_pod, worse
from hodei_k8s_core.capacity.fulfillment import Fit, Fulfillment, Reason, Rule
from hodei_k8s_core.capacity.overview import CapacityReport
from hodei_k8s_core.capacity.requirements_pod import pod_for
from hodei_k8s_core.capacity.snapshot import Snapshot
from hodei_k8s_core.capacity.summarize import capacity_report
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Monotonic, Operation, Random
from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.operations.deadline import with_deadline
from hodei_k8s_core.operations.read_capacity import read_capacity
from hodei_k8s_core.requests import dry_run_pod

_WHAT = "ask whether such a worker would be accepted"


def capabilities(config: KubernetesConfig, *, cache: CapacityCache | None = None) -> Operation[ProviderCapabilities]:
    """What workers can be here, as the cluster says; what could not be read is named in `features`.

    Raises: ConnectionFailed, AuthenticationFailed, Timeout.
    """
    return (yield from describe_capacity(config, cache=cache)).capabilities


def describe_capacity(config: KubernetesConfig, *, cache: CapacityCache | None = None) -> Operation[CapacityReport]:
    """The capabilities with all that they rest on: groups of nodes, head-room, quotas. Raises: as `capabilities`."""
    known = cache or CapacityCache(0)
    snapshot = known.recent((yield from Monotonic())) or (yield from _read(config, known))
    return capacity_report(config, snapshot)


def can_fulfill(
    config: KubernetesConfig, requirements: JobRequirements, *, cache: CapacityCache | None = None
) -> Operation[bool]:
    """Whether such a worker can run here at some time: now, on a node to be added, or when others have ended.

    Also True where nothing that may be read speaks against it. Raises: as `capabilities`; ConfigurationError.
    """
    known = cache or CapacityCache(0)
    pod = pod_for(requirements, config)
    snapshot = known.recent((yield from Monotonic())) or (yield from _read(config, known))
    return explain_pod(pod, snapshot, config.node_pools).is_possible


def explain_fulfillment(
    config: KubernetesConfig, requirements: JobRequirements, *, cache: CapacityCache | None = None
) -> Operation[Fulfillment]:
    """Whether such a worker fits, when, and why not. Raises: as `can_fulfill`."""
    known = cache or CapacityCache(0)
    pod = pod_for(requirements, config)
    snapshot = known.undisturbed((yield from Monotonic())) or (yield from _read(config, known))
    return explain_pod(pod, snapshot, config.node_pools)


def confirm_fulfillment(
    config: KubernetesConfig, requirements: JobRequirements, found: Fulfillment
) -> Operation[Fulfillment]:
    """What was found, with the API server's own word: a dry run sees webhooks and policies, and stores nothing.

    Raises: as `can_fulfill`.
    """
    return (yield from with_deadline(_confirmed(config, requirements, found), config.operation_timeout, what=_WHAT))


def _read(config: KubernetesConfig, cache: CapacityCache) -> Operation[Snapshot]:
    began, changes = (yield from Monotonic()), cache.changes
    snapshot = yield from read_capacity(config)
    cache.keep(snapshot, read_at=began, changes=changes)
    return snapshot


def _confirmed(config: KubernetesConfig, requirements: JobRequirements, found: Fulfillment) -> Operation[Fulfillment]:
    # Under an id that no worker has: a dry run of a name that is taken says nothing.
    worker_id = f"fits-{int((yield from Random()) * 2**40):010x}"
    body = msgspec.json.encode(pod_for(requirements, config, worker_id=worker_id))
    try:
        yield from call(dry_run_pod(config.namespace, body), config, _WHAT)
    except ProviderError as error:
        reason = None if error.status is None else _refusal(error.status)
        if reason is None:
            raise
        fit = Fit.LATER if reason.is_passing else Fit.NEVER
        return msgspec.structs.replace(
            found, fit=worse(found.fit, fit), reasons=(*found.reasons, reason), confirmed=False
        )
    return msgspec.structs.replace(found, confirmed=True)


def _refusal(status: Status) -> Reason | None:
    """Why the API server does not accept it; None where that is no answer to the question."""
    if status.is_quota_exceeded:
        return Reason(Rule.QUOTA, "", f"dry run: {status.message}", is_passing=True)
    if status.is_admission_denied or status.is_invalid:
        return Reason(Rule.ADMISSION, "", f"dry run: {status.message}")
    if status.is_forbidden:
        return Reason(Rule.PERMISSION, "pods", f"dry run: {status.message}")
    if status.is_namespace_missing:
        return Reason(Rule.ADMISSION, status.name, f"the namespace {status.name} does not exist")
    return None
