"""The scheduler, in a paragraph: a Pod without gates goes to the node with the fewest Pods (the first by name among
equals) of those that are not cordoned, whose taints it tolerates, that its selector and required node affinity match,
and whose allocatable has room for its requests beside those of the Pods that are there. Where no node will do it says
how many each of these keeps away, in that order, and tries again whenever a Pod has gone or a node has changed. A
cluster without any Node object has one node that takes everything. It never preempts.

The arithmetic is that of `capacity`, which the real scheduler judges; the words are the real one's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from hodei_k8s_core.capacity.amounts import PODS, added, counted
from hodei_k8s_core.capacity.candidate import read_candidate
from hodei_k8s_core.capacity.fulfillment import Rule
from hodei_k8s_core.capacity.node import Node, parse_node_list
from hodei_k8s_core.capacity.node_fit import Obstacle, Wanted, obstacles, shortages
from hodei_k8s_core.capacity.pod_demand import requests_of
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.wire import Json, encode

NODE = "lab-node"
"""The one that is there where no Node object is."""
_FIRST_SAID = (
    (Rule.CORDONED, "node(s) were unschedulable"),
    (Rule.TAINT, "node(s) had untolerated taint(s)"),
)
_NOT_MATCHED = "node(s) didn't match Pod's node affinity/selector"
_HOPELESS = "Preemption is not helpful for scheduling."
_NO_VICTIMS = "No preemption victims found for incoming pod."


class Placement(msgspec.Struct, frozen=True):
    """The node, or why there is none."""

    node: str = ""
    message: str = ""


class Scheduler:
    """Knows what is taken on each node. Nodes are read from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._on: dict[str, tuple[str, dict[str, int]]] = {}
        self._taken: dict[str, dict[str, int]] = {}
        self._nodes: tuple[Node, ...] = ()
        self._nodes_of = -1

    def place(self, pod: Json) -> Placement:
        """Choose a node, and take the room there."""
        wanted = Wanted.of(read_candidate(pod))
        given: str = pod["spec"].get("nodeName", "")
        if given:  # put there by whoever made it: nobody is asked
            return self._taken_by(pod, given, wanted)
        nodes = self._read_nodes()
        missing = self._missing_claim(pod)
        if missing and nodes:
            told = f'persistentvolumeclaim "{missing}" not found. not found'
            return Placement(message=f"0/{len(nodes)} nodes are available: {told}")
        said = {node.name: self._said(node, wanted) for node in nodes}
        fitting = [name for name, (words, _) in said.items() if not words]
        if not nodes:
            fitting = [NODE]
        if not fitting:
            return Placement(message=_message(said.values()))
        chosen = min(fitting, key=lambda name: self._taken.get(name, {}).get(PODS, 0))
        return self._taken_by(pod, chosen, wanted)

    def _taken_by(self, pod: Json, node: str, wanted: Wanted) -> Placement:
        requests = {**counted(requests_of(wanted.spec)), PODS: 1}
        self._on[pod["metadata"]["uid"]] = node, requests
        self._taken[node] = added(self._taken.get(node, {}), requests)
        return Placement(node)

    def release(self, uid: str) -> bool:
        """A Pod is over or gone; whether that makes room."""
        node, requests = self._on.pop(uid, ("", {}))
        if node:
            self._taken[node] = added(self._taken[node], {name: -amount for name, amount in requests.items()})
        return bool(node)

    def _read_nodes(self) -> tuple[Node, ...]:
        """Read again only when a node has changed."""
        changed = self._store.changed_at("nodes")
        if changed != self._nodes_of:
            items = self._store.list_at(self._store.version, "nodes", None)
            self._nodes, self._nodes_of = parse_node_list(encode({"kind": "NodeList", "items": items})).items, changed
        return self._nodes

    def _missing_claim(self, pod: Json) -> str:
        for volume in pod["spec"].get("volumes") or ():
            claim: str = (volume.get("persistentVolumeClaim") or {}).get("claimName", "")
            if claim and self._store.find("persistentvolumeclaims", pod["metadata"]["namespace"], claim) is None:
                return claim
        return ""

    def _said(self, node: Node, wanted: Wanted) -> tuple[list[str], bool]:
        """What the first filter that says no says, and whether that is for good."""
        found = [one for one in obstacles(node, wanted) if one.rule is not Rule.NOT_READY]
        if found:
            rules = {one.rule for one in found}
            return [next((said for rule, said in _FIRST_SAID if rule in rules), _NOT_MATCHED)], True
        short = shortages(node, self._taken.get(node.name, {}), {}, wanted)
        return [_shortage(one) for one in short], any(not one.is_passing for one in short)


def _shortage(one: Obstacle) -> str:
    return "Too many pods" if one.subject == PODS else f"Insufficient {one.subject}"


def _message(said: Iterable[tuple[list[str], bool]]) -> str:
    """As the real one: the reasons in the order of their text, and what preemption would do."""
    nodes = list(said)
    reasons = Counter(word for words, _ in nodes for word in words)
    helpless = Counter(_HOPELESS if hopeless else _NO_VICTIMS for _, hopeless in nodes)
    why, preemption = _counted(reasons), _counted(helpless)
    available = f"0/{len(nodes)} nodes are available:"
    return f"{available} {why}. no new claims to deallocate, preemption: {available} {preemption}"


def _counted(reasons: Mapping[str, int]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
