"""The Pods of all namespaces that take up room on nodes: a page of JSON -> what each of them takes, and where.

Nothing of a Pod is kept but its sum: a reader's memory grows with the nodes, not with the Pods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from hodei_k8s_core.capacity.amounts import PODS, added, counted
from hodei_k8s_core.capacity.pod_demand import PodDemand, PodGrant, requests_of
from hodei_k8s_core.kubernetes_json import ListMeta, decode_object, refuse_kind
from hodei_k8s_core.pod import OwnerReference

PLACED: Final = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"
"""The field selector of Pods that the scheduler counts: on a node, and not over."""
_STAYS: Final = ("DaemonSet", "Node")
"""Owners of Pods that a node never gets rid of: a DaemonSet, and the node itself (a static Pod)."""


class Placed(msgspec.Struct, frozen=True, gc=False):
    """What one Pod takes up on its node. `stays`: as long as the node does."""

    node: str
    priority: int
    stays: bool
    requests: dict[str, int]


class Usage(msgspec.Struct, frozen=True):
    """What is taken on one node, by the Pods' priority and whether they stay with the node."""

    parts: Mapping[tuple[int, bool], Mapping[str, int]] = {}

    @property
    def taken(self) -> dict[str, int]:
        """By all of them."""
        return _sum(self.parts.values())

    @property
    def staying(self) -> dict[str, int]:
        """By those that the node never gets rid of."""
        return _sum(requests for (_, stays), requests in self.parts.items() if stays)

    def at_least(self, priority: int) -> dict[str, int]:
        """By those that a Pod of this priority cannot preempt."""
        return _sum(requests for (of, _), requests in self.parts.items() if of >= priority)


NOTHING_TAKEN: Final = Usage()


class UsageFold:
    """Adds up page after page."""

    def __init__(self) -> None:
        self._of: dict[str, dict[tuple[int, bool], dict[str, int]]] = {}

    def add(self, pods: Iterable[Placed]) -> None:
        """Count these Pods too."""
        for placed in pods:
            parts = self._of.setdefault(placed.node, {})
            total = parts.setdefault((placed.priority, placed.stays), {})
            for name, amount in placed.requests.items():
                total[name] = total.get(name, 0) + amount

    def by_node(self) -> dict[str, Usage]:
        """What is taken on each node that has any Pod."""
        return {name: Usage(parts) for name, parts in self._of.items()}


def _sum(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        total = added(total, part)
    return total


class PlacedPage(msgspec.Struct, frozen=True):
    """One page of a list. `continue_token` "" says that it is the last."""

    items: tuple[Placed, ...]
    continue_token: str = ""


class _Meta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    owner_references: tuple[OwnerReference, ...] = ()


class _Spec(PodDemand, frozen=True, gc=False, rename="camel"):
    node_name: str = ""
    priority: int = 0


class _Status(PodGrant, frozen=True, gc=False, rename="camel"):
    phase: str = ""


class _Item(msgspec.Struct, frozen=True, gc=False):
    metadata: _Meta = _Meta()
    spec: _Spec = _Spec()
    status: _Status = _Status()


class _Body(msgspec.Struct, frozen=True, gc=False):
    kind: str = ""
    metadata: ListMeta = ListMeta()
    items: tuple[_Item, ...] | None = None


_KINDS: Final = ("PodList", "List")
_OVER: Final = ("Succeeded", "Failed")
_DECODER: Final = msgspec.json.Decoder(_Body)


def parse_placed_pods(data: bytes | msgspec.Raw) -> PlacedPage:
    """The Pods of a page that take up room on a node.

    Raises: Internal for what is no list of Pods, with the path of the fault and nothing of the content.
    """
    body = decode_object(_DECODER, data, _KINDS)
    if body.kind not in _KINDS:
        raise refuse_kind(body.kind, _KINDS)
    return PlacedPage(tuple(_placed(body.items or ())), body.metadata.continue_token)


def _placed(items: tuple[_Item, ...]) -> Iterator[Placed]:
    for item in items:
        spec = item.spec
        if spec.node_name and item.status.phase not in _OVER:
            requests = counted(requests_of(spec, item.status))
            requests[PODS] = 1
            stays = any(owner.kind in _STAYS for owner in item.metadata.owner_references)
            yield Placed(spec.node_name, spec.priority, stays, requests)
