"""A snapshot -> what the cluster offers to workers with these settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hodei_k8s_core.accelerators import usual_taints, vendor_of
from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.admitted import admitted
from hodei_k8s_core.capacity.amounts import CPU, DISK, MEMORY, PODS, added, counted, exact, larger, left, smaller
from hodei_k8s_core.capacity.candidate import CandidateSpec, read_candidate
from hodei_k8s_core.capacity.capabilities_of import capabilities_of
from hodei_k8s_core.capacity.limit_range import most_allowed
from hodei_k8s_core.capacity.node import NO_SCHEDULE, Node
from hodei_k8s_core.capacity.node_fit import Wanted, obstacles
from hodei_k8s_core.capacity.node_group import node_of_pool
from hodei_k8s_core.capacity.node_match import PodToleration
from hodei_k8s_core.capacity.overview import CapacityReport, QuotaLine, WorkerSize
from hodei_k8s_core.capacity.overview_groups import Place, accelerator_pools, node_groups
from hodei_k8s_core.capacity.pod_demand import requests_of
from hodei_k8s_core.capacity.quota import Quota, counts
from hodei_k8s_core.capacity.requirements_pod import pod_for
from hodei_k8s_core.capacity.snapshot import NODES, PLACED_PODS, Snapshot
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.quantity import Quantity, QuantityFormat
from hodei_k8s_core.worker import WORKER_CONTAINER

_REQUESTS = "requests."
_LIMITS = "limits."
_SIZES = (CPU, MEMORY, DISK)


def capacity_report(config: KubernetesConfig, snapshot: Snapshot) -> CapacityReport:
    """Raises: ConfigurationError for settings of which no Pod can be made; Internal."""
    spec = admitted(read_candidate(pod_for(JobRequirements(), config)), snapshot).spec
    wanted = Wanted.of(spec)
    places = [_place(node, snapshot, _wanted_on(node, wanted)) for node in snapshot.nodes]
    would_be = [_would_be(node, _wanted_on(node, wanted)) for node in map(node_of_pool, config.node_pools)]
    beside = beside_the_worker(spec)
    ever = [left(place.ever, beside) for place in (*places, *would_be) if place.takes_workers]
    now = [left(place.free, beside) for place in places if place.takes_workers_now]
    devices = sorted({name for place in (*places, *would_be) for name in place.node.allocatable if vendor_of(name)})
    quotas = [quota for quota in snapshot.quotas if counts(quota, spec)]
    bounds_ever, bounds_now = _bounds(snapshot, quotas, ever=True), _bounds(snapshot, quotas, ever=False)
    knows_now = snapshot.knows(NODES) and snapshot.knows(PLACED_PODS)
    return CapacityReport(
        capabilities=capabilities_of(config, snapshot, (*places, *would_be), _most(ever), bounds_ever),
        largest_ever=_largest(ever, bounds_ever, devices) if snapshot.knows(NODES) or would_be else None,
        largest_now=_largest(now, bounds_now, devices) if knows_now else None,
        head_room=_head_room(places, bounds_now, devices) if knows_now else None,
        groups=node_groups(places, would_be, config.node_pools, devices),
        accelerators=accelerator_pools(places, would_be),
        quotas=tuple(_lines(snapshot.quotas)),
        priority_classes=tuple(known.name for known in snapshot.priority_classes),
        storage_classes=tuple(known.name for known in snapshot.storage_classes),
        unread=snapshot.unread,
        read_at=snapshot.read_at,
    )


def _wanted_on(node: Node, plain: Wanted) -> Wanted:
    """A worker that asks for the accelerators of the node tolerates the taints that keep others from them."""
    if not node.barriers:
        return plain
    devices = [name for name, amount in node.allocatable.items() if amount and vendor_of(name) is not None]
    taints = dict.fromkeys(key for name in devices for key in usual_taints(name))
    more = (PodToleration(key, "Exists", effect=NO_SCHEDULE) for key in taints)
    spec = msgspec.structs.replace(plain.spec, tolerations=(*plain.spec.tolerations, *more))
    return msgspec.structs.replace(plain, spec=spec)


def _place(node: Node, snapshot: Snapshot, wanted: Wanted) -> Place:
    usage = snapshot.usage_of(node)
    found = tuple(obstacles(node, wanted))
    return Place(node, left(node.allocatable, usage.taken), left(node.allocatable, usage.staying), found)


def _would_be(node: Node, wanted: Wanted) -> Place:
    return Place(node, node.allocatable, node.allocatable, tuple(obstacles(node, wanted)))


def beside_the_worker(spec: CandidateSpec) -> dict[str, int]:
    """What a worker's Pod takes beside its worker: sidecars, the overhead of its runtime."""
    whole = requests_of(spec)
    own = next((exact(c.resources.requests) for c in spec.containers if c.name == WORKER_CONTAINER), {})
    return {name: amount for name, amount in counted(left(whole, own)).items() if amount > 0}


def _bounds(snapshot: Snapshot, quotas: Sequence[Quota], *, ever: bool) -> dict[str, int]:
    """What the namespace allows to one worker, which requests what it is limited to."""
    bounds = most_allowed(snapshot.limit_ranges)
    for quota in quotas:
        allowed = quota.hard if ever else quota.left
        for name, amount in allowed.items():
            bounds = smaller(bounds, {name.removeprefix(_REQUESTS).removeprefix(_LIMITS): amount})
    return counted(bounds)


def _largest(places: Iterable[Mapping[str, int]], bounds: Mapping[str, int], devices: Sequence[str]) -> WorkerSize:
    """The place with the largest shares of what is the most anywhere."""
    within = [smaller(_only(place, bounds), place) for place in places if place.get(PODS, 1) >= 1]
    if not within or bounds.get(PODS, 1) < 1:
        return WorkerSize()
    most = _most(within)
    best = max(within, key=lambda place: sum(place.get(name, 0) / max(most.get(name, 0), 1) for name in (CPU, MEMORY)))
    return WorkerSize.of(best, devices)


def _head_room(places: Sequence[Place], bounds: Mapping[str, int], devices: Sequence[str]) -> WorkerSize:
    total: dict[str, int] = {}
    for place in places:
        if place.takes_workers_now and place.free.get(PODS, 0) > 0:
            total = added(total, {name: max(amount, 0) for name, amount in place.free.items()})
    return WorkerSize.of(smaller(_only(total, bounds), total), devices)


def _only(place: Mapping[str, int], bounds: Mapping[str, int]) -> dict[str, int]:
    return {name: bounds[name] for name in place if name in bounds}


def _most(places: Iterable[Mapping[str, int]]) -> dict[str, int]:
    most: dict[str, int] = {}
    for place in places:
        most = larger(most, place)
    return most


def _lines(quotas: Iterable[Quota]) -> Iterable[QuotaLine]:
    for quota in quotas:
        for name, hard in quota.hard.items():
            plain = name.removeprefix(_REQUESTS).removeprefix(_LIMITS)
            binary = plain in (MEMORY, DISK)
            form = QuantityFormat.BINARY_SI if binary else QuantityFormat.DECIMAL_SI
            yield QuotaLine(quota.name, name, str(Quantity(quota.used.get(name, 0), form)), str(Quantity(hard, form)))
