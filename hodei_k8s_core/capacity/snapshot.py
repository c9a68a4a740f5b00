"""What was read of a cluster at one moment, and what could not be read and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from hodei_k8s_core.capacity.classes import PriorityClass, RuntimeClass, StorageClass
from hodei_k8s_core.capacity.limit_range import LimitRange
from hodei_k8s_core.capacity.node import Node
from hodei_k8s_core.capacity.placed_pods import NOTHING_TAKEN, Usage
from hodei_k8s_core.capacity.quota import Quota

NODES: Final = "nodes"
PLACED_PODS: Final = "pods"
QUOTAS: Final = "resourcequotas"
LIMIT_RANGES: Final = "limitranges"
PRIORITY_CLASSES: Final = "priorityclasses"
RUNTIME_CLASSES: Final = "runtimeclasses"
STORAGE_CLASSES: Final = "storageclasses"


class Unread(msgspec.Struct, frozen=True):
    """Something that the answer would need and that could not be read: a resource, and why."""

    resource: str
    why: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.why}"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes, what is taken on them, and the rules of the namespace. `read_at`: seconds since the epoch, our clock."""

    nodes: tuple[Node, ...] = ()
    usage: Mapping[str, Usage] = {}
    quotas: tuple[Quota, ...] = ()
    limit_ranges: tuple[LimitRange, ...] = ()
    priority_classes: tuple[PriorityClass, ...] = ()
    runtime_classes: tuple[RuntimeClass, ...] = ()
    storage_classes: tuple[StorageClass, ...] = ()
    unread: tuple[Unread, ...] = ()
    read_at: float = 0.0

    def knows(self, resource: str) -> bool:
        """It was read, be it empty."""
        return all(missing.resource != resource for missing in self.unread)

    def usage_of(self, node: Node) -> Usage:
        """What is taken on a node."""
        return self.usage.get(node.name, NOTHING_TAKEN)
