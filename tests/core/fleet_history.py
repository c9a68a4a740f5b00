"""A fleet with a history in a simulated cluster, and one who folds what a watch tells and finds fault with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.config.watch_policy import WatchPolicy
from hodei_k8s_core.diagnosis import diagnose
from hodei_k8s_core.effects import Emit, Read
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.operations.watch_workers import FleetWatch
from hodei_k8s_core.pod import parse_pod
from hodei_k8s_core.simulation.cluster import Cluster
from hodei_k8s_core.simulation.world import World
from hodei_k8s_core.worker import WorkerInfo
from hodei_k8s_core.worker_change import ChangeKind, FleetItem, WorkerChange
from hodei_k8s_core.worker_info import worker_info

CONFIG = KubernetesConfig(
    provider_id="tests",
    silence_limit=70.0,
    request_timeout=2.0,
    retry=RetryPolicy(max_attempts=8, first_delay=0.1, max_delay=0.5),
    watch=WatchPolicy(first_delay=0.1, max_delay=0.5, timeout_min=20, timeout_max=30),
)
NAMESPACE = CONFIG.namespace
TEAM = "team=a"
NAMES = tuple(f"hodei-worker-w{n}" for n in range(5))


def pod_json(name: str, uid: str, **more: Any) -> dict[str, Any]:
    """A worker's Pod that is Pending, of the team."""
    labels = {
        "app": "hodei-worker",
        "hodei.io/worker-id": name.removeprefix("hodei-worker-"),
        "hodei.io/managed": "true",
        "hodei.io/provider-id": "tests",
        "team": "a",
    }
    meta = {
        "name": name,
        "namespace": NAMESPACE,
        "uid": uid,
        "labels": labels,
        "creationTimestamp": "2026-09-21T14:13:20Z",
    }
    spec = {"containers": [{"name": "worker", "image": "job:1"}], "nodeName": "node"}
    return {"metadata": meta, "spec": spec, "status": {"phase": "Pending"}, **more}


def with_meta(pod: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**pod, "metadata": {**pod["metadata"], **fields}}


def annotated(pod: dict[str, Any], key: str, value: str) -> dict[str, Any]:
    return with_meta(pod, annotations={**pod["metadata"].get("annotations", {}), key: value})


def running(pod: dict[str, Any]) -> dict[str, Any]:
    state = {"running": {"startedAt": "2026-09-21T14:13:21Z"}}
    worker = {"name": "worker", "ready": True, "state": state}
    return {**pod, "status": {"phase": "Running", "containerStatuses": [worker]}}


class Fleet:
    """What others do to the Pods of a cluster, by name; every change is one that Kubernetes allows."""

    def __init__(self, cluster: Cluster) -> None:
        self._store = cluster.store
        self._uids = 0
        self.strayed: set[str] = set()
        """The uids of Pods that have left the team at some time."""

    def pods(self) -> dict[str, dict[str, Any]]:
        found = self._store.list_at(self._store.version, "pods", NAMESPACE)
        return {pod["metadata"]["name"]: pod for pod in found}

    def create(self, name: str) -> None:
        if name not in self.pods():
            self._uids += 1
            self._store.put("pods", pod_json(name, f"uid-{self._uids}"))

    def start(self, name: str) -> None:
        self._edit(name, running)

    def succeed(self, name: str) -> None:
        self._edit(name, lambda pod: {**pod, "status": {"phase": "Succeeded"}})

    def touch(self, name: str) -> None:
        """A change that no host can see."""
        self._edit(name, lambda pod: annotated(pod, "other.io/counter", str(self._store.version)))

    def assign(self, name: str) -> None:
        self._edit(name, lambda pod: annotated(pod, "hodei.io/job-id", f"job-{self._store.version}"))

    def leave(self, name: str) -> None:
        self.strayed.update(pod["metadata"]["uid"] for pod in self.pods().values() if pod["metadata"]["name"] == name)
        self._edit(name, lambda pod: with_meta(pod, labels={**pod["metadata"]["labels"], "team": "b"}))

    def join(self, name: str) -> None:
        self._edit(name, lambda pod: with_meta(pod, labels={**pod["metadata"]["labels"], "team": "a"}))

    def begin_deletion(self, name: str) -> None:
        self._edit(name, lambda pod: with_meta(pod, deletionTimestamp="2026-09-21T14:14:00Z"))

    def remove(self, name: str) -> None:
        if name in self.pods():
            self._store.remove("pods", self.pods()[name])

    def replace(self, name: str) -> None:
        self.remove(name)
        self.create(name)

    def _edit(self, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        if name in self.pods():
            self._store.put("pods", change(self.pods()[name]))


ACTIONS: tuple[Callable[[Fleet, str], None], ...] = (
    Fleet.create,
    Fleet.start,
    Fleet.succeed,
    Fleet.touch,
    Fleet.assign,
    Fleet.leave,
    Fleet.join,
    Fleet.begin_deletion,
    Fleet.remove,
    Fleet.replace,
)


class Critic:
    """Folds items into a view, and fails at what is told twice or is not true when it is told."""

    def __init__(self, fleet: Fleet) -> None:
        self.view = FleetView()
        self.items: list[FleetItem] = []
        self._fleet = fleet

    def take(self, items: Sequence[FleetItem]) -> None:
        for item in items:
            if isinstance(item, WorkerChange):
                self._check(item)
            else:
                assert item != self.view.health, f"told twice: {item}"
            self.view.apply([item])
            self.items.append(item)

    def _check(self, change: WorkerChange) -> None:
        known = self.view.get(change.worker_id)
        uid = change.info.handle.pod_uid
        if change.kind is ChangeKind.ADDED:
            assert known is None, f"added twice: {change}"
            return
        assert known is not None, f"{change.kind} of what was not there: {change}"
        assert known.handle.pod_uid == uid, f"of another Pod: {change}"
        if change.kind is ChangeKind.CHANGED:
            assert face(known) != face(change.info), f"nothing changed: {change}"
            assert job_number(known) <= job_number(change.info), f"told before: {change}"
            return
        alive = {pod["metadata"]["uid"]: pod for pod in self._fleet.pods().values()}
        assert uid not in alive or not change.gone or "deletionTimestamp" in alive[uid]["metadata"], f"lives: {change}"
        assert uid not in alive or uid in self._fleet.strayed, f"it is in view: {change}"


def job_number(info: WorkerInfo) -> int:
    """The version at which its last job was assigned: it never falls."""
    return int(info.job_id.removeprefix("job-") or 0)


def face(info: WorkerInfo) -> WorkerInfo:
    """A worker without what differs at every look: the time to the next one, and the seconds in the evidence."""
    if info.verdict is None:
        return info
    return msgspec.structs.replace(info, verdict=msgspec.structs.replace(info.verdict, recheck_after=None, evidence=()))


def truth(world: World, fleet: Fleet, team: str = "a") -> dict[str, WorkerInfo]:
    """The workers of the team as they are."""
    pods = [parse_pod(msgspec.json.encode(pod)) for pod in fleet.pods().values()]
    seen = [pod for pod in pods if pod.metadata.labels["team"] == team]
    now = world.clock.wall
    judged = (msgspec.structs.replace(worker_info(pod), verdict=diagnose(pod, now=now)) for pod in seen)
    return {info.worker_id: face(info) for info in judged}


def stream(config: KubernetesConfig, *, selector: str = TEAM, page_size: int = 2) -> Iterator[Any]:
    """`watch_workers` with small pages."""
    fleet = FleetWatch(config, what="watch the workers", selector=selector, page_size=page_size)
    while True:
        items = yield from fleet.next_items()
        if items:
            yield from Emit(items)


def watch_until(
    world: World, seconds: float, take: Callable[[Sequence[FleetItem]], None], *, doubled: bool = False, **how: Any
) -> None:
    """Drive the stream in the world until that time. `doubled`: every chunk of a watch arrives twice."""
    operation = stream(CONFIG, **how)
    effect = next(operation)
    while world.now < seconds:
        if isinstance(effect, Emit):
            take(effect.items)
        try:
            reply = world.host.perform(effect)
        except TransportError as error:
            effect = operation.throw(error)  # type: ignore[attr-defined]
            continue
        if doubled and isinstance(effect, Read) and isinstance(reply, bytes) and reply.endswith(b"}\n"):
            reply += reply
        effect = operation.send(reply)  # type: ignore[attr-defined]
    operation.close()  # type: ignore[attr-defined]
