"""The groups of nodes and the accelerators of an overview."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hodei_k8s_core.accelerators import Accelerator, accelerator_of
from hodei_k8s_core.capacity.amounts import added, larger
from hodei_k8s_core.capacity.fulfillment import Rule
from hodei_k8s_core.capacity.node import Node
from hodei_k8s_core.capacity.node_fit import ZONE_LABELS, Obstacle
from hodei_k8s_core.capacity.node_group import group_of, nodes_of_pool
from hodei_k8s_core.capacity.overview import AcceleratorPool, NodeGroup, WorkerSize
from hodei_k8s_core.config.node_pool import NodePool
from hodei_k8s_core.labels import NODE_ARCHITECTURE


class Place(msgspec.Struct, frozen=True):
    """A node as a place for workers: what is `free` on it, what would `ever` be, and what keeps any worker away."""

    node: Node
    free: dict[str, int]
    ever: dict[str, int]
    obstacles: tuple[Obstacle, ...]

    @property
    def takes_workers_now(self) -> bool:
        return not self.obstacles

    @property
    def takes_workers(self) -> bool:
        """When it is in order again."""
        return all(obstacle.is_passing for obstacle in self.obstacles)


def node_groups(
    places: Iterable[Place], would_be: Sequence[Place], pools: Sequence[NodePool], devices: Sequence[str]
) -> tuple[NodeGroup, ...]:
    """The nodes that are there by group, then the declared pools."""
    groups: dict[str, list[Place]] = {}
    nodes = []
    for place in places:
        groups.setdefault(group_of(place.node), []).append(place)
        nodes.append(place.node)
    there = [_group(name, groups[name], devices) for name in sorted(groups)]
    declared = [
        msgspec.structs.replace(_group(pool.name, [place], devices), nodes=nodes_of_pool(pool, nodes), is_pool=True)
        for pool, place in zip(pools, would_be, strict=True)
    ]
    return (*there, *declared)


def accelerator_pools(places: Iterable[Place], would_be: Iterable[Place]) -> tuple[AcceleratorPool, ...]:
    """Every kind of accelerator on nodes that take workers; those that only declared pools have are there with 0."""
    totals: dict[Accelerator, tuple[int, int, int]] = {}
    for is_there, place in [*((True, place) for place in places), *((False, place) for place in would_be)]:
        for resource, amount in place.node.allocatable.items() if place.takes_workers else ():
            kind = accelerator_of(resource, place.node.labels) if amount else None
            if kind is not None:
                total, free, most = totals.get(kind, (0, 0, 0))
                free_here = max(place.free.get(resource, 0), 0) if place.takes_workers_now else 0
                counted = (total + amount, free + free_here) if is_there else (total, free)
                totals[kind] = (*counted, max(most, amount))
    return tuple(
        AcceleratorPool(
            resource=kind.resource,
            vendor=kind.vendor,
            product=kind.product,
            sharing=kind.sharing,
            total=total,
            free=free,
            most_on_a_node=most,
        )
        for kind, (total, free, most) in sorted(totals.items())
    )


def zone_of(node: Node) -> str:
    """The node's zone, or ""."""
    return first_label(node.labels, ZONE_LABELS)


def first_label(labels: Mapping[str, str], names: Sequence[str]) -> str:
    """The value of the first of these labels that is there, or ""."""
    return next((labels[name] for name in names if labels.get(name)), "")


def _group(name: str, places: Sequence[Place], devices: Sequence[str]) -> NodeGroup:
    total: dict[str, int] = {}
    free: dict[str, int] = {}
    most: dict[str, int] = {}
    for place in places:
        total, most = added(total, place.node.allocatable), larger(most, place.node.allocatable)
        free = added(free, {key: max(amount, 0) for key, amount in place.free.items()})
    return NodeGroup(
        name=name,
        nodes=len(places),
        usable=sum(place.takes_workers_now for place in places),
        blocked_by=tuple(sorted({_told(obstacle) for place in places for obstacle in place.obstacles})),
        architecture=places[0].node.labels.get(NODE_ARCHITECTURE, ""),
        zones=tuple(sorted({zone for place in places if (zone := zone_of(place.node))})),
        total=WorkerSize.of(total, devices),
        free=WorkerSize.of(free, devices),
        largest=WorkerSize.of(most, devices),
    )


def _told(obstacle: Obstacle) -> str:
    return obstacle.rule.value if obstacle.rule in (Rule.CORDONED, Rule.NOT_READY) else obstacle.message
