"""The places that a cluster has for workers -> `ProviderCapabilities`, the words that Hodei's scheduler knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hodei_k8s_core.accelerators import accelerator_of
from hodei_k8s_core.capabilities import MAX_EXECUTION_TIME, ProviderCapabilities, ResourceLimits
from hodei_k8s_core.capacity.amounts import CPU, DISK, MEMORY, smaller
from hodei_k8s_core.capacity.node_fit import REGION_LABELS, ZONE_LABELS
from hodei_k8s_core.capacity.overview_groups import Place, first_label
from hodei_k8s_core.capacity.snapshot import NODES, STORAGE_CLASSES, Snapshot
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.labels import CAPABILITY_PREFIX, NODE_ARCHITECTURE

UNKNOWN = "unknown:"
CAPABILITY = "capability:"


def capabilities_of(
    config: KubernetesConfig,
    snapshot: Snapshot,
    places: Sequence[Place],
    most: Mapping[str, int],
    bounds: Mapping[str, int],
) -> ProviderCapabilities:
    """`most`: of each resource, on the places that take workers. `bounds`: what the namespace allows."""
    taking = [place.node for place in places if place.takes_workers]
    gpus = [
        kind
        for node in taking
        for resource, amount in node.allocatable.items()
        if amount and (kind := accelerator_of(resource, node.labels)) is not None
    ]
    is_known = snapshot.knows(NODES) or bool(config.node_pools)
    own = {CAPABILITY + key.removeprefix(CAPABILITY_PREFIX) for node in taking for key in node.labels if _is_own(key)}
    return ProviderCapabilities(
        max_resources=_limits(most, bounds, {kind.resource for kind in gpus}, is_known=is_known),
        gpu_support=bool(gpus),
        gpu_types=_sorted([kind.resource for kind in gpus] + [kind.product for kind in gpus]),
        architectures=_sorted(node.labels.get(NODE_ARCHITECTURE, "") for node in taking),
        runtimes=_sorted([node.runtime for node in taking] + [known.name for known in snapshot.runtime_classes]),
        regions=_sorted(first_label(node.labels, names) for node in taking for names in (ZONE_LABELS, REGION_LABELS)),
        max_execution_time=MAX_EXECUTION_TIME,
        persistent_storage=bool(snapshot.storage_classes) if snapshot.knows(STORAGE_CLASSES) else None,
        custom_networking=False,
        features=_sorted([*own, *(UNKNOWN + missing.resource for missing in snapshot.unread)]),
    )


def _is_own(key: str) -> bool:
    return key.startswith(CAPABILITY_PREFIX)


def _limits(most: Mapping[str, int], bounds: Mapping[str, int], gpus: set[str], *, is_known: bool) -> ResourceLimits:
    # Where no node may be read and none is declared, what the namespace allows is all that is known.
    there = smaller(most, {name: bounds[name] for name in bounds if not is_known or name in most})
    cpu, memory, disk = (max(there[name], 0) if name in there else None for name in (CPU, MEMORY, DISK))
    pieces = max((there[name] for name in gpus if name in there), default=0 if is_known else None)
    return ResourceLimits(
        max_cpu_cores=None if cpu is None else cpu / 1000,
        max_memory_bytes=memory,
        max_disk_bytes=disk,
        max_gpu_count=pieces,
    )


def _sorted(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({text for text in texts if text}))
