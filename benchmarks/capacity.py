"""Reading what a cluster offers, in time and memory, and how both grow: `python -m benchmarks.capacity`.

The replies are pages as an API server writes them: Pods made of recorded ones, nodes as a kubelet describes them. They
are made between the steps of the operation and neither timed nor counted; the network is left out.
"""

from __future__ import annotations

import json
import multiprocessing as mp
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from benchmarks.data import SEED, renamed
from benchmarks.machine import machine
from hodei_k8s_core import operations
from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.explain import explain_pod
from hodei_k8s_core.capacity.requirements_pod import pod_for
from hodei_k8s_core.capacity.snapshot import Snapshot
from hodei_k8s_core.capacity.summarize import capacity_report
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Monotonic, Random, Send, SpendRetry, WallClock
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.operations.capacity_requests import PAGE_SIZE
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from tests.recordings import V1_36, load

PODS_A_NODE = 10
SIZES = (625, 1_250, 2_500, 5_000)
CONFIG = KubernetesConfig()
MEBI = 1 << 20


_REPLIES: tuple[tuple[type, Any], ...] = ((Monotonic, 0.0), (WallClock, 0.0), (Random, 0.5), (SpendRetry, True))


@dataclass(frozen=True)
class Figures:
    """Seconds of CPU; bytes of the objects of Python at their most, and of those that stay; bytes that were read."""

    nodes: int
    read: float
    report: float
    explain: float
    peak: int
    kept: int
    wire: int


def main() -> None:
    print("\n".join(machine()))
    print(f"\n{PODS_A_NODE} Pods a node, pages of {PAGE_SIZE}; CPU time; memory beside the page that is being read\n")
    print("| nodes | Pods | read from | read, s | overview, s | one explanation, s | memory at most, MiB | kept, MiB |")
    print("|---|---|---|---|---|---|---|---|")
    rows = [_in_a_process(nodes) for nodes in SIZES]
    for row in rows:
        sizes = f"| {row.nodes:,} | {row.nodes * PODS_A_NODE:,} | {row.wire / MEBI:.0f} MiB"
        times = f"{row.read:.2f} | {row.report:.3f} | {row.explain:.3f}"
        print(f"{sizes} | {times} | {row.peak / MEBI:.1f} | {row.kept / MEBI:.1f} |")
    first, last = rows[0], rows[-1]
    growth = last.nodes / first.nodes
    grown = {"time": last.read / first.read, "memory": last.kept / first.kept}
    print(f"\n{growth:.0f} times the cluster: " + ", ".join(f"{by:.1f} times the {what}" for what, by in grown.items()))


def _in_a_process(nodes: int) -> Figures:
    """So that one size's heap is no burden of another's."""
    with mp.get_context("spawn").Pool(1) as pool:
        return pool.apply(measured, (nodes,))


def measured(nodes: int) -> Figures:
    """The figures of a cluster of that many nodes."""
    cluster = Cluster(nodes)
    read, report, explain = _times(cluster)
    peak, kept = _memory(cluster)
    return Figures(nodes, read, report, explain, peak, kept, cluster.wire)


def _times(cluster: Cluster) -> tuple[float, float, float]:
    snapshot, read = cluster.read()
    assert len(snapshot.nodes) == cluster.nodes
    assert sum(usage.taken["pods"] for usage in snapshot.usage.values()) == cluster.nodes * PODS_A_NODE
    needs = JobRequirements(resources=ResourceRequirements(cpu_cores=500))
    report = _timed(lambda: capacity_report(CONFIG, snapshot))
    return read, report, _timed(lambda: explain_pod(pod_for(needs, CONFIG), snapshot))


def _memory(cluster: Cluster) -> tuple[int, int]:
    tracemalloc.start()
    snapshot, _ = cluster.read(trace=True)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert snapshot.nodes
    return cluster.peak, kept


def _timed(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


class Cluster:
    """Answers the requests of the operation; `wire`: the bytes of all replies."""

    def __init__(self, nodes: int) -> None:
        self.nodes = nodes
        self.wire = 0
        self.peak = 0
        chance = random.Random(SEED)
        self._pods = [_pod(chance, body) for name in V1_36 for body in load(f"v1.36/{name}").bodies("get")]

    def read(self, *, trace: bool = False) -> tuple[Snapshot, float]:
        """The snapshot, and the seconds of CPU that it took beside the making of the replies."""
        operation = operations.read_capacity(CONFIG)
        spent, reply, self.wire, self.peak = 0.0, None, 0, 0
        while True:
            if trace:
                tracemalloc.reset_peak()
            began = time.process_time()
            try:
                effect = operation.send(reply)
            except StopIteration as stop:
                return stop.value, spent + time.process_time() - began
            finally:
                if trace:
                    page = len(reply.body) if isinstance(reply, Response) else 0
                    self.peak = max(self.peak, tracemalloc.get_traced_memory()[1] - page)
            spent += time.process_time() - began
            reply = self._answer(effect)

    def _answer(self, effect: object) -> Any:
        if isinstance(effect, Send):
            body = self._body(effect.request)
            self.wire += len(body)
            return Response(200, (), body)
        return next((reply for kind, reply in _REPLIES if isinstance(effect, kind)), None)

    def _body(self, request: Request) -> bytes:
        kind, items = _KINDS.get(request.path.rpartition("/")[2], ("", lambda *_: iter(())))
        start = int(request.parameter("continue") or 0)
        total = {"NodeList": self.nodes, "PodList": self.nodes * PODS_A_NODE}.get(kind, 0)
        end = min(start + PAGE_SIZE, total)
        token = str(end) if end < total else ""
        page = b",".join(items(self, start, end))
        return b'{"kind":"%b","metadata":{"continue":"%b"},"items":[%b]}' % (kind.encode(), token.encode(), page)

    def node_items(self, start: int, end: int) -> Iterator[bytes]:
        for number in range(start, end):
            yield json.dumps(_node(number)).encode()

    def pod_items(self, start: int, end: int) -> Iterator[bytes]:
        recorded = cycle(self._pods[start % len(self._pods) :] + self._pods[: start % len(self._pods)])
        for number in range(start, end):
            yield renamed(next(recorded), number).replace(b"@node@", b"node-%05d" % (number % self.nodes), 1)


_KINDS: dict[str, tuple[str, Callable[[Cluster, int, int], Iterator[bytes]]]] = {
    "nodes": ("NodeList", Cluster.node_items),
    "pods": ("PodList", Cluster.pod_items),
    "resourcequotas": ("ResourceQuotaList", lambda *_: iter(())),
    "limitranges": ("LimitRangeList", lambda *_: iter(())),
    "priorityclasses": ("PriorityClassList", lambda *_: iter(())),
    "runtimeclasses": ("RuntimeClassList", lambda *_: iter(())),
    "storageclasses": ("StorageClassList", lambda *_: iter(())),
}


def _pod(chance: random.Random, recorded: bytes) -> bytes:
    """A recorded Pod as one that runs on some node and requests something."""
    pod = json.loads(recorded)
    pod["spec"]["nodeName"] = "@node@"
    pod["status"]["phase"] = "Running"
    amounts = {"cpu": f"{chance.randrange(50, 400)}m", "memory": f"{chance.randrange(64, 2048)}Mi"}
    for container in pod["spec"]["containers"]:
        container["resources"] = {"requests": amounts, "limits": amounts}
    for status in pod["status"].get("containerStatuses", ()):
        status |= {"resources": {"requests": amounts, "limits": amounts}, "allocatedResources": amounts}
    return json.dumps(pod).encode()


def _node(number: int) -> dict[str, Any]:
    """A node as a kubelet and a cloud describe it, with the images that it holds."""
    labels = {
        "kubernetes.io/arch": "arm64" if number % 4 == 0 else "amd64",
        "kubernetes.io/hostname": f"node-{number:05}",
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": f"m6.{('large', 'xlarge', '2xlarge')[number % 3]}",
        "eks.amazonaws.com/nodegroup": f"pool-{number % 8}",
        "topology.kubernetes.io/region": "eu-west-1",
        "topology.kubernetes.io/zone": f"eu-west-1{'abc'[number % 3]}",
    }
    sizes = {
        "cpu": "7910m",
        "ephemeral-storage": "95551679124",
        "hugepages-2Mi": "0",
        "memory": "31482844Ki",
        "pods": "58",
    }
    if number % 20 == 0:
        sizes["nvidia.com/gpu"] = "4"
        labels["nvidia.com/gpu.product"] = "NVIDIA-A10G"
    conditions = [
        {"type": kind, "status": status, "reason": "Kubelet", "message": "kubelet says so", "lastHeartbeatTime": "t"}
        for kind, status in (
            ("MemoryPressure", "False"),
            ("DiskPressure", "False"),
            ("PIDPressure", "False"),
            ("Ready", "True"),
        )
    ]
    images = [
        {"names": [f"registry.example.com/team/image-{n}@sha256:{number:032x}{n:032x}"], "sizeBytes": 10**8 + n}
        for n in range(30)
    ]
    info = {"containerRuntimeVersion": "containerd://2.0.1", "kubeletVersion": "v1.36.3", "architecture": "amd64"}
    status = {"allocatable": sizes, "capacity": sizes, "conditions": conditions, "images": images, "nodeInfo": info}
    taints = [{"key": "dedicated", "value": "ci", "effect": "PreferNoSchedule"}] if number % 10 == 0 else []
    return {"metadata": {"name": f"node-{number:05}", "labels": labels}, "spec": {"taints": taints}, "status": status}


if __name__ == "__main__":
    main()
