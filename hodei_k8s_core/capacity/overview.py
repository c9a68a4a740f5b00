"""What a cluster offers to workers: sizes, head-room, groups of nodes, accelerators, and what limits them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from hodei_k8s_core.capabilities import ProviderCapabilities
from hodei_k8s_core.capacity.amounts import CPU, DISK, MEMORY
from hodei_k8s_core.capacity.snapshot import Unread


class WorkerSize(msgspec.Struct, frozen=True, kw_only=True):
    """Cores as float, sizes in bytes; `devices`: accelerators by resource."""

    cpu_cores: float = 0.0
    memory_bytes: int = 0
    disk_bytes: int = 0
    devices: Mapping[str, int] = {}

    @classmethod
    def of(cls, amounts: Mapping[str, int], devices: Sequence[str]) -> WorkerSize:
        """By the scheduler's units; nothing is below 0."""
        there = {name: max(amount, 0) for name, amount in amounts.items()}
        return cls(
            cpu_cores=there.get(CPU, 0) / 1000,
            memory_bytes=there.get(MEMORY, 0),
            disk_bytes=there.get(DISK, 0),
            devices={name: there[name] for name in devices if there.get(name)},
        )


class AcceleratorPool(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of accelerator: `sharing` says what a piece is (whole, slice, time-sliced, mps); in all, free, and the
    most that one node has."""

    resource: str
    vendor: str
    product: str
    sharing: str
    total: int
    free: int
    most_on_a_node: int


class NodeGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes of one kind. `usable`: those that would take a worker now, had they room; `blocked_by`: why the others
    would not. `total` and `free` of all its nodes; `largest`: the most of each resource that one of them has.
    `is_pool`: declared, and not (yet) there."""

    name: str
    nodes: int
    usable: int
    blocked_by: tuple[str, ...]
    architecture: str
    zones: tuple[str, ...]
    total: WorkerSize
    free: WorkerSize
    largest: WorkerSize
    is_pool: bool = False


class QuotaLine(msgspec.Struct, frozen=True):
    """One resource of one quota, as quantities are written."""

    quota: str
    resource: str
    used: str
    hard: str


class CapacityReport(msgspec.Struct, frozen=True, kw_only=True):
    """`largest_ever` and `largest_now`: the largest single worker that one node could take, when it is empty and now
    (of several, the one with the largest share of the cluster's largest CPU and memory); None where it is not known.
    `head_room`: what is free on all nodes that take workers, as far as the quotas allow.
    `unread`: what could not be read, and why. `read_at`: seconds since the epoch.
    """

    capabilities: ProviderCapabilities
    largest_ever: WorkerSize | None
    largest_now: WorkerSize | None
    head_room: WorkerSize | None
    groups: tuple[NodeGroup, ...]
    accelerators: tuple[AcceleratorPool, ...]
    quotas: tuple[QuotaLine, ...]
    priority_classes: tuple[str, ...]
    storage_classes: tuple[str, ...]
    unread: tuple[Unread, ...]
    read_at: float
