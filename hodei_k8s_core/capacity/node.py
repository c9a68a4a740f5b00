"""Nodes: JSON -> typed values, of only what decides whether a worker can go there."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import msgspec

from hodei_k8s_core.capacity.amounts import amounts
from hodei_k8s_core.kubernetes_json import ListMeta, decode_object, refuse_kind

NO_SCHEDULE: Final = "NoSchedule"
NO_EXECUTE: Final = "NoExecute"
UNSCHEDULABLE_TAINT: Final = "node.kubernetes.io/unschedulable"
_PASSING: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")


class Taint(msgspec.Struct, frozen=True, gc=False):
    """What keeps Pods away that do not tolerate it."""

    key: str = ""
    value: str = ""
    effect: str = ""

    @property
    def keeps_away(self) -> bool:
        """PreferNoSchedule is only a wish."""
        return self.effect in (NO_SCHEDULE, NO_EXECUTE)

    @property
    def may_pass(self) -> bool:
        """Set by Kubernetes itself for the condition that a node is in: not ready, under pressure, cordoned, new."""
        return self.key.startswith(_PASSING)

    def __str__(self) -> str:
        return f"{self.key}{'=' if self.value else ''}{self.value}:{self.effect}"


class Node(msgspec.Struct, frozen=True, dict=True):
    """A node. `allocatable` by the scheduler's units; `is_ready` by its condition, and None where it has none."""

    name: str
    labels: dict[str, str] = {}
    taints: tuple[Taint, ...] = ()
    is_cordoned: bool = False
    allocatable: dict[str, int] = {}
    is_ready: bool | None = None
    runtime: str = ""

    @cached_property
    def barriers(self) -> tuple[Taint, ...]:
        """The taints that keep Pods away."""
        return tuple(taint for taint in self.taints if taint.keeps_away)


class NodePage(msgspec.Struct, frozen=True):
    """One page of a list. `continue_token` "" says that it is the last."""

    items: tuple[Node, ...]
    continue_token: str = ""


class _Meta(msgspec.Struct, frozen=True, gc=False):
    name: str = ""
    labels: dict[str, str] = {}


class _Spec(msgspec.Struct, frozen=True, gc=False):
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False


class _Condition(msgspec.Struct, frozen=True, gc=False):
    type: str = ""
    status: str = ""


class _Info(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    container_runtime_version: str = ""


class _Status(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    allocatable: dict[str, str] = {}
    capacity: dict[str, str] = {}
    conditions: tuple[_Condition, ...] = ()
    node_info: _Info = _Info()


class _Item(msgspec.Struct, frozen=True, gc=False):
    metadata: _Meta = _Meta()
    spec: _Spec = _Spec()
    status: _Status = _Status()

    def to_node(self) -> Node:
        ready = next((condition.status for condition in self.status.conditions if condition.type == "Ready"), None)
        return Node(
            name=self.metadata.name,
            labels=self.metadata.labels,
            taints=self.spec.taints,
            is_cordoned=self.spec.unschedulable,
            # A node that reports no allocatable has all of its capacity (core/v1, SetDefaults_NodeStatus).
            allocatable=amounts(self.status.allocatable or self.status.capacity),
            is_ready=None if ready is None else ready == "True",
            # containerd://2.0.1
            runtime=self.status.node_info.container_runtime_version.partition(":")[0],
        )


class _Body(msgspec.Struct, frozen=True, gc=False):
    kind: str = ""
    metadata: ListMeta = ListMeta()
    items: tuple[_Item, ...] | None = None


_KINDS: Final = ("NodeList", "List")
_DECODER: Final = msgspec.json.Decoder(_Body)


def parse_node_list(data: bytes | msgspec.Raw) -> NodePage:
    """The page of nodes that a reply holds.

    Raises: Internal for what is no list of nodes, with the path of the fault and nothing of the content.
    """
    body = decode_object(_DECODER, data, _KINDS)
    if body.kind not in _KINDS:
        raise refuse_kind(body.kind, _KINDS)
    return NodePage(tuple(item.to_node() for item in body.items or ()), body.metadata.continue_token)
