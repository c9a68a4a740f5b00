"""Nodes and Pods for the tests of capacity, as plain as they can be."""

from __future__ import annotations

from typing import Any

from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.amounts import amounts
from hodei_k8s_core.capacity.node import Node, Taint
from hodei_k8s_core.capacity.placed_pods import Usage
from hodei_k8s_core.capacity.requirements_pod import pod_for
from hodei_k8s_core.capacity.snapshot import Snapshot
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements

Gi = 1024**3
CONFIG = KubernetesConfig(provider_id="tests")
ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"


def node(name: str = "n1", cpu: str = "4", memory: str = "8Gi", **fields: Any) -> Node:
    """`devices`, `labels`, `taints` (as `key=value:Effect`), and the node's own fields."""
    sizes = {"cpu": cpu, "memory": memory, "ephemeral-storage": "20Gi", "pods": "10", **fields.pop("devices", {})}
    labels = {"kubernetes.io/arch": "amd64", **fields.pop("labels", {})}
    taints = tuple(taint(text) for text in fields.pop("taints", ()))
    return Node(
        **{"name": name, "labels": labels, "taints": taints, "allocatable": amounts(sizes), "is_ready": True, **fields}
    )


def taint(text: str) -> Taint:
    pair, _, effect = text.partition(":")
    key, _, value = pair.partition("=")
    return Taint(key, value, effect)


def used(cpu: str = "0", memory: str = "0", pods: int = 1, priority: int = 0, *, stays: bool = False) -> Usage:
    return Usage({(priority, stays): {**amounts({"cpu": cpu, "memory": memory}), "pods": pods}})


def needs(cpu: float = 1.0, memory: int = Gi, disk: int = 0, **fields: Any) -> JobRequirements:
    """Requirements; what is no resource is a field of the job's own."""
    gpu = {name: fields.pop(name) for name in ("gpu_count", "gpu_type") if name in fields}
    resources = ResourceRequirements(cpu_cores=cpu, memory_bytes=memory, disk_bytes=disk, **gpu)
    return JobRequirements(resources=resources, **fields)


def pod(cpu: float = 1.0, config: KubernetesConfig = CONFIG, **fields: Any) -> dict[str, Any]:
    return pod_for(needs(cpu, **fields), config)


def snapshot(*nodes: Node, **fields: Any) -> Snapshot:
    return Snapshot(**{"nodes": nodes, **fields})
