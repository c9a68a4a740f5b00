"""Nodes: the object of one, and what Kubernetes does when one is lost or comes back.

A lost node stops telling anything: what its containers were, they stay. After `NOTICED` seconds its Pods are not Ready
(their containers are, as far as anybody knows), and after another `TOLERATED` they are marked for deletion, which
nobody carries out.
"""

from __future__ import annotations

from functools import partial

from hodei_k8s_core.capacity.node import NO_SCHEDULE, UNSCHEDULABLE_TAINT
from hodei_k8s_core.simulation.agenda import Agenda
from hodei_k8s_core.simulation.events import Recorder
from hodei_k8s_core.simulation.kubelet import Kubelet
from hodei_k8s_core.simulation.objects import Objects
from hodei_k8s_core.simulation.preconditions import DeleteOptions
from hodei_k8s_core.simulation.route import Route
from hodei_k8s_core.simulation.scheduler import NODE
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.wire import Json, ServerClock

NOTICED = 40.0
TOLERATED = 300.0
_TAINT = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
_CORDONED = {"key": UNSCHEDULABLE_TAINT, "effect": NO_SCHEDULE}
_SILENT = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
_READY = {"reason": "KubeletReady", "message": "kubelet is posting ready status"}
_BY_TAINT = ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")


def make_node(
    name: str = NODE,
    *,
    cpu: str = "8",
    memory: str = "32Gi",
    disk: str = "100Gi",
    pods: int = 110,
    architecture: str = "amd64",
    labels: dict[str, str] | None = None,
    taints: tuple[Json, ...] = (),
    **devices: str,
) -> Json:
    """A node that is ready. `devices`: other resources, such as `**{"nvidia.com/gpu": "2"}`."""
    sizes = {"cpu": cpu, "memory": memory, "ephemeral-storage": disk, "pods": str(pods), **devices}
    own = {"kubernetes.io/arch": architecture, "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    info = {"kubeletVersion": "v1.36.3", "containerRuntimeVersion": "containerd://2.0.0", "architecture": architecture}
    return {
        "metadata": {"name": name, "labels": {**own, **(labels or {})}},
        "spec": {"taints": list(taints)} if taints else {},
        "status": {
            "capacity": sizes,
            "allocatable": sizes,
            "conditions": [{"type": "Ready", "status": "True", **_READY}],
            "nodeInfo": {**info, "operatingSystem": "linux"},
            "addresses": [{"type": "Hostname", "address": name}],
        },
    }


class NodeLife:
    """What the node controller and the taint manager do."""

    def __init__(
        self, store: Store, agenda: Agenda, clock: ServerClock, recorder: Recorder, kubelet: Kubelet, pods: Objects
    ) -> None:
        self._store = store
        self._agenda = agenda
        self._clock = clock
        self._recorder = recorder
        self._kubelet = kubelet
        self._pods = pods
        self._lost: dict[str, float] = {}

    def taint_cordoned(self) -> None:
        """A cordoned node has a taint that says so, and no other node has it."""
        for node in self._store.list_at(self._store.version, "nodes", None):
            spec = node.get("spec") or {}
            kept = [one for one in spec.get("taints") or () if one["key"] != UNSCHEDULABLE_TAINT]
            wanted = [*kept, _CORDONED] if spec.get("unschedulable") else kept
            if wanted != list(spec.get("taints") or ()):
                self._store.put("nodes", {**node, "spec": {**spec, "taints": wanted}})

    def lose(self, node: str, now: float) -> None:
        """It is silent from now on."""
        self._lost[node] = now
        self._kubelet.lose(node)
        self._agenda.at(now + NOTICED, partial(self._notice, node, now))

    def restore(self, node: str, now: float) -> None:
        """It is back; what it was told meanwhile it does now."""
        del self._lost[node]
        self._mark(node, "True", _READY, [], now)
        self._kubelet.restore(node, now)

    def _notice(self, node: str, since: float, now: float) -> None:
        if self._lost.get(node) != since:
            return
        self._mark(node, "Unknown", _SILENT, [_TAINT], now)
        for pod in self._kubelet.cut_off(node, now):
            told = ("Warning", "NodeNotReady", "Node is not ready")
            self._recorder.component(pod, "node-controller", "", *told, now)
        self._agenda.at(now + TOLERATED, partial(self._take_away, node, since))

    def _take_away(self, node: str, since: float, now: float) -> None:
        if self._lost.get(node) != since:
            return
        for pod in self._kubelet.pods_on(node):
            meta = pod["metadata"]
            self._kubelet.disrupt(pod, *_BY_TAINT, now)
            told = f"Marking for deletion Pod {meta['namespace']}/{meta['name']}"
            self._recorder.component(pod, "taint-eviction-controller", "", "Normal", "TaintManagerEviction", told, now)
            route = Route("delete", "pods", "", meta["namespace"], meta["name"])
            self._pods.end(route, self._store.fetch("pods", meta["namespace"], meta["name"]), DeleteOptions(), now)

    def _mark(self, name: str, ready: str, why: Json, taints: list[Json], now: float) -> None:
        node = self._store.find("nodes", "", name)
        if node is None:
            return
        others = [one for one in node["spec"].get("taints", ()) if one["key"] != _TAINT["key"]]
        condition = {"type": "Ready", "status": ready, "lastTransitionTime": self._clock.timestamp(now), **why}
        spec = {**node["spec"], "taints": [*others, *taints]}
        status = {**node["status"], "conditions": [condition]}
        self._store.put("nodes", {**node, "spec": spec, "status": status})
