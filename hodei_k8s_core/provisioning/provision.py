"""Make a worker in the best of several clusters, and in the next one where that one cannot; never in two.

Written once for threads and for tasks: a generator that says which provider is to be asked what (`Call`), or several at
once (`Calls`), and is sent what they said. A worker whose creation has an unknown outcome stays with its provider
(it is *pinned*) until it is known whether it exists there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import msgspec

from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.fulfillment import Fit, Fulfillment
from hodei_k8s_core.capacity.overview import CapacityReport
from hodei_k8s_core.effects import Monotonic
from hodei_k8s_core.errors import ProviderError, ProvisioningFailed, WorkerAlreadyExists
from hodei_k8s_core.provisioning.circuit import Circuit, CircuitPolicy, CircuitState
from hodei_k8s_core.provisioning.failover import is_clusters_fault, is_retryable_elsewhere, pins_worker
from hodei_k8s_core.provisioning.ranking import Offer, Ranking, rank
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.worker import Health, HealthStatus, WorkerHandle, WorkerInfo

R = TypeVar("R")


class Call(msgspec.Struct, frozen=True):
    """Ask one provider: its method of that name. The reply is sent in, a `ProviderError` thrown in."""

    provider_id: str
    method: str
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = {}


class Calls(msgspec.Struct, frozen=True):
    """Ask several at once. The reply has, in their order, what each returned or the `ProviderError` that it raised."""

    calls: tuple[Call, ...]


Provisioning: TypeAlias = Generator[Call | Calls | Monotonic, Any, R]


class Attempt(msgspec.Struct, frozen=True):
    """A provider that was tried and did not make the worker."""

    provider_id: str
    error: str


class Provisioned(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that was accepted, where, and why there. `ranking` None: it was pinned to its provider."""

    handle: WorkerHandle
    provider_id: str
    ranking: Ranking | None = None
    failed: tuple[Attempt, ...] = ()


class ProvisioningDesk:
    """What is remembered between calls: the circuit of each provider, and which workers are pinned to which."""

    def __init__(self, provider_ids: Iterable[str], policy: CircuitPolicy | None = None) -> None:
        closed = Circuit() if policy is None else Circuit(policy=policy)
        self.circuits = dict.fromkeys(provider_ids, closed)
        self.pins: dict[str, str] = {}
        self.under_way: set[str] = set()

    def states(self, now: float) -> dict[str, CircuitState]:
        """The circuit of each provider at this moment."""
        return {provider_id: circuit.state(now) for provider_id, circuit in self.circuits.items()}

    def note_success(self, provider_id: str) -> None:
        """The provider did what it was asked."""
        self.circuits[provider_id] = self.circuits[provider_id].after_success()

    def note_failure(self, provider_id: str, error: ProviderError, now: float) -> None:
        """The provider could not do what it was asked; it counts when that is its cluster's fault."""
        circuit = self.circuits[provider_id]
        failed = is_clusters_fault(error)
        self.circuits[provider_id] = circuit.after_failure(now, str(error)) if failed else circuit.without_verdict()


def requirements_of(spec: WorkerSpec) -> JobRequirements:
    """What the spec itself asks of a node."""
    return JobRequirements(
        resources=spec.resources,
        architecture=spec.architecture,
        required_capabilities=spec.required_capabilities,
        timeout=spec.max_lifetime,
    )


def provision(desk: ProvisioningDesk, spec: WorkerSpec, requirements: JobRequirements) -> Provisioning[Provisioned]:
    """A worker in the best cluster that makes it.

    Raises: OutcomeUnknown, WorkerAlreadyExists, and what another cluster would refuse too, as a provider's
    `create_worker`; ProvisioningFailed with the reason of each when none is left.
    """
    if spec.worker_id in desk.under_way:
        raise WorkerAlreadyExists(f"the worker {spec.worker_id} is being made by another call", retryable=True)
    desk.under_way.add(spec.worker_id)
    try:
        return (yield from _provision(desk, spec, requirements))
    finally:
        desk.under_way.discard(spec.worker_id)


def _provision(desk: ProvisioningDesk, spec: WorkerSpec, requirements: JobRequirements) -> Provisioning[Provisioned]:
    pinned = desk.pins.get(spec.worker_id)
    failed: list[Attempt] = []
    if pinned is not None:
        handle = yield from _try(desk, pinned, spec, failed)
        if handle is not None:
            return Provisioned(handle=handle, provider_id=pinned)
    offers = yield from gather_offers(desk, requirements)
    yield from _refuse_one_that_exists(spec, [offer.provider_id for offer in offers if offer.was_asked])
    tried = {attempt.provider_id for attempt in failed}
    ranking = rank([offer for offer in offers if offer.provider_id not in tried], requirements)
    for choice in ranking.choices:
        now = yield from Monotonic()
        if not desk.circuits[choice.provider_id].admits(now):
            failed.append(Attempt(choice.provider_id, "its circuit is probed by another call"))
            continue
        desk.circuits[choice.provider_id] = desk.circuits[choice.provider_id].entered(now)
        handle = yield from _try(desk, choice.provider_id, spec, failed)
        if handle is not None:
            return Provisioned(handle=handle, provider_id=choice.provider_id, ranking=ranking, failed=tuple(failed))
    raise _nobody_left(spec, ranking, failed)


def _refuse_one_that_exists(spec: WorkerSpec, provider_ids: Sequence[str]) -> Provisioning[None]:
    """What this process does not remember can still be there: from before it was started, or from another host.

    One cluster alone finds out by itself. A cluster that cannot be asked is not waited for.
    """
    if len(provider_ids) < 2:
        return
    told = yield from ask_all(provider_ids, "find_worker", spec.worker_id)
    for provider_id, found in zip(provider_ids, told, strict=True):
        if isinstance(found, WorkerInfo):
            raise WorkerAlreadyExists(
                f"the worker {spec.worker_id} exists in {provider_id}, and is {found.state.name}",
                mend="use it, destroy it, or create the worker under another id",
            )


def gather_offers(desk: ProvisioningDesk, requirements: JobRequirements) -> Provisioning[list[Offer]]:
    """What each provider offers; those whose circuit is open are not asked."""
    now = yield from Monotonic()
    states = desk.states(now)
    asked = [provider_id for provider_id, state in states.items() if state is not CircuitState.OPEN]
    healths = yield from ask_all(asked, "health_check")
    able = [one for one, health in zip(asked, healths, strict=True) if _can_be_asked(health)]
    fits = dict(zip(able, (yield from ask_all(able, "explain_fulfillment", requirements)), strict=True))
    reports = dict(zip(able, (yield from ask_all(able, "describe_capacity")), strict=True))
    startups = dict(zip(able, (yield from ask_all(able, "estimated_startup_time")), strict=True))
    known = dict(zip(asked, healths, strict=True))
    return [
        _offer(provider_id, state, known.get(provider_id), fits, reports, startups)
        for provider_id, state in states.items()
    ]


def ask_all(provider_ids: Sequence[str], method: str, *args: Any, **options: Any) -> Provisioning[list[Any]]:
    """The same to all of these. Each reply is what it returned, or the `ProviderError` that it raised."""
    if not provider_ids:
        return []
    told: list[Any] = yield Calls(tuple(Call(provider_id, method, args, options) for provider_id in provider_ids))
    return told


def _can_be_asked(health: object) -> bool:
    return isinstance(health, HealthStatus) and health.health is not Health.UNHEALTHY


def _offer(
    provider_id: str,
    circuit: CircuitState,
    health: HealthStatus | ProviderError | None,
    fits: dict[str, Fulfillment | ProviderError],
    reports: dict[str, CapacityReport | ProviderError],
    startups: dict[str, float],
) -> Offer:
    fit, report = fits.get(provider_id), reports.get(provider_id)
    problems = (str(told) for told in (health, fit, report) if isinstance(told, ProviderError))
    offer = Offer(
        provider_id=provider_id,
        circuit=circuit,
        health=health if isinstance(health, HealthStatus) else HealthStatus(Health.UNKNOWN),
        problem=next(problems, ""),
    )
    if isinstance(fit, Fulfillment):
        why_not = tuple(fit.explain()) if fit.fit is Fit.NEVER else ()
        offer = msgspec.structs.replace(offer, fit=fit.fit, why_not=why_not)
    if isinstance(report, CapacityReport):
        offer = msgspec.structs.replace(offer, regions=report.capabilities.regions, head_room=free_share(report))
    startup = startups.get(provider_id)
    return offer if startup is None else msgspec.structs.replace(offer, startup_time=startup)


def free_share(report: CapacityReport) -> float | None:
    """The part of the CPU, or of the memory where less is left of it, that is free; None where it is not known."""
    if report.head_room is None:
        return None
    there = [group.total for group in report.groups if not group.is_pool and group.usable]
    cores, memory = sum(size.cpu_cores for size in there), sum(size.memory_bytes for size in there)
    if not cores or not memory:
        return 0.0
    return min(1.0, report.head_room.cpu_cores / cores, report.head_room.memory_bytes / memory)


def _try(
    desk: ProvisioningDesk, provider_id: str, spec: WorkerSpec, failed: list[Attempt]
) -> Provisioning[WorkerHandle | None]:
    """The worker's handle; None where it was not made and may be made elsewhere, which `failed` then tells."""
    desk.pins[spec.worker_id] = provider_id  # for a call that is cancelled: it may have made the worker
    try:
        handle: WorkerHandle = yield Call(provider_id, "create_worker", (spec,))
    except ProviderError as error:
        now = yield from Monotonic()
        desk.note_failure(provider_id, error, now)
        if not pins_worker(error):
            desk.pins.pop(spec.worker_id, None)
        if not is_retryable_elsewhere(error):
            raise
        failed.append(Attempt(provider_id, str(error)))
        return None
    desk.pins.pop(spec.worker_id, None)
    desk.note_success(provider_id)
    return handle


def _nobody_left(spec: WorkerSpec, ranking: Ranking, failed: Sequence[Attempt]) -> ProvisioningFailed:
    told = [f"{attempt.provider_id}: {attempt.error}" for attempt in failed]
    told += [f"{provider_id}: {reason}" for provider_id, reason in ranking.excluded.items()]
    return ProvisioningFailed(
        f"no cluster can make the worker {spec.worker_id}: {'; '.join(told) or 'there is none'}", retryable=True
    )
