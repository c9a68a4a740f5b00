"""Nodes in groups, as their cluster's operator knows them: by pool, by type of machine, else by size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hodei_k8s_core.accelerators import vendor_of
from hodei_k8s_core.capacity.amounts import CPU, MEMORY, amounts, shown
from hodei_k8s_core.capacity.node import Node, Taint
from hodei_k8s_core.config.node_pool import NodePool
from hodei_k8s_core.labels import NODE_ARCHITECTURE

POOL_LABELS: Final = (
    "cloud.google.com/gke-nodepool",
    "eks.amazonaws.com/nodegroup",
    "alpha.eksctl.io/nodegroup-name",
    "karpenter.sh/nodepool",
    "kubernetes.azure.com/agentpool",
    "doks.digitalocean.com/node-pool",
    "k8s.scaleway.com/pool-name",
    "kops.k8s.io/instancegroup",
)
INSTANCE_LABELS: Final = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")


def group_of(node: Node) -> str:
    """The name of a node's group."""
    pool = _first(node, POOL_LABELS)
    machine = _first(node, INSTANCE_LABELS) or ("" if pool else _size(node))
    return " ".join(part for part in (pool, machine, node.labels.get(NODE_ARCHITECTURE, "")) if part)


def grouped(nodes: Iterable[Node]) -> dict[str, list[Node]]:
    """The nodes of each group, the groups by name."""
    groups: dict[str, list[Node]] = {}
    for node in nodes:
        groups.setdefault(group_of(node), []).append(node)
    return dict(sorted(groups.items()))


def node_of_pool(pool: NodePool) -> Node:
    """The node that an autoscaler would add."""
    offered = {"cpu": pool.cpu, "memory": pool.memory, "ephemeral-storage": pool.disk, "pods": str(pool.pods)}
    return Node(
        name=pool.name,
        labels=pool.node_labels,
        taints=tuple(Taint(taint.key, taint.value, taint.effect) for taint in pool.taints),
        allocatable=amounts({**offered, **pool.devices}),
        is_ready=True,
    )


def nodes_of_pool(pool: NodePool, nodes: Iterable[Node]) -> int:
    """How many nodes of the pool there are, by its labels; 0 for a pool that has none of its own."""
    wanted = pool.labels.items()
    return sum(wanted <= node.labels.items() for node in nodes) if wanted else 0


def _first(node: Node, labels: tuple[str, ...]) -> str:
    return next((node.labels[label] for label in labels if node.labels.get(label)), "")


def _size(node: Node) -> str:
    devices = [f"{amount} {name}" for name, amount in sorted(node.allocatable.items()) if vendor_of(name) and amount]
    memory = node.allocatable.get(MEMORY, 0)
    sizes = [f"{shown(CPU, node.allocatable.get(CPU, 0))} cpu", f"{round(memory / 2**30)}Gi"]
    return " ".join([*sizes, *devices])
