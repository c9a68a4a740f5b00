"""An API server whose watch a test writes to, and the live view of a fleet on threads, asyncio and trio."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.config.watch_policy import WatchPolicy
from hodei_k8s_core.observations import Observation
from hodei_k8s_core.server_time import format_rfc3339
from hodei_k8s_core.worker import WorkerHandle
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.provider import KubernetesProvider
from hodei_k8s_transport.testing.loopback import LiveBody, LoopbackServer, ReceivedRequest, reply
from tests.transport.sides import SyncSide

CONFIG = KubernetesConfig(
    provider_id="tests",
    request_timeout=2.0,
    retry=RetryPolicy(max_attempts=1),
    watch=WatchPolicy(first_delay=0.02, max_delay=0.05),
)
PODS = "/api/v1/namespaces/hodei-workers/pods"
EVENTS = "/api/v1/namespaces/hodei-workers/events"


def ago(seconds: float) -> str:
    return format_rfc3339(time.time() - seconds)


def stuck(worker_id: str, version: int, seconds: float) -> dict[str, Any]:
    """A Pod that has a node, and whose container is not created for `seconds` already; why, only events tell."""
    made = pod(worker_id, version, creationTimestamp=ago(seconds))
    there = {"type": "PodScheduled", "status": "True", "lastTransitionTime": ago(seconds)}
    waiting = {"name": "worker", "ready": False, "state": {"waiting": {"reason": "ContainerCreating"}}}
    status = {"phase": "Pending", "conditions": [there], "containerStatuses": [waiting]}
    return {**made, "spec": {"nodeName": "n1"}, "status": status}


def homeless(worker_id: str, version: int, seconds: float) -> dict[str, Any]:
    """A Pod for which no node is found for `seconds` already."""
    made = pod(worker_id, version, creationTimestamp=ago(seconds))
    none = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": ago(seconds)}
    return {**made, "status": {"phase": "Pending", "conditions": [{**none, "message": "0/1 nodes are available"}]}}


def started(worker_id: str, version: int) -> dict[str, Any]:
    """A Pod that became ready 3 s after it was created."""
    made = pod(worker_id, version, phase="Running", creationTimestamp=ago(10))
    made["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": ago(8)}}
    made["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": ago(7)}]
    return made


def pod(worker_id: str, version: int, *, phase: str = "Pending", uid: str = "", **meta: Any) -> dict[str, Any]:
    labels = {"hodei.io/worker-id": worker_id, "hodei.io/managed": "true", "hodei.io/provider-id": "tests"}
    named = {
        "name": f"hodei-worker-{worker_id}",
        "namespace": "hodei-workers",
        "uid": uid or f"uid-{worker_id}",
        "resourceVersion": str(version),
        "labels": labels,
    }
    worker = {"name": "worker", "ready": phase == "Running", "state": {"running": {}}}
    status = {"phase": phase, "containerStatuses": [worker] if phase == "Running" else []}
    return {"kind": "Pod", "metadata": {**named, **meta}, "status": status}


def handle_of(worker_id: str, uid: str = "") -> WorkerHandle:
    return WorkerHandle(
        worker_id=worker_id,
        provider_resource_id=f"hodei-worker-{worker_id}",
        provider_id="tests",
        created_at=0.0,
        metadata={"namespace": "hodei-workers", "pod_uid": uid or f"uid-{worker_id}"},
    )


class Api:
    """An API server with a list of Pods and a watch that a test writes to."""

    def __init__(self, server: LoopbackServer) -> None:
        self.url = server.url
        self.server = server
        self.listed = [pod("w1", 1)]
        self.watch = LiveBody()
        self.watches = 0
        server.route(PODS, self._answer)

    def _answer(self, request: ReceivedRequest) -> Any:
        if "watch=true" in request.target:
            self.watches += 1
            return self.watch
        meta = {"resourceVersion": "100"}
        return json_reply({"kind": "PodList", "metadata": meta, "items": self.listed})

    def tell(self, kind: str, item: dict[str, Any]) -> None:
        self.watch.send(json.dumps({"type": kind, "object": item}).encode() + b"\n")

    def has(self, item: dict[str, Any]) -> None:
        """What a look at that one Pod gives."""
        self.server.route(f"{PODS}/{item['metadata']['name']}", json_reply(item))

    def lacks(self, worker_id: str) -> None:
        self.server.route(f"{PODS}/hodei-worker-{worker_id}", json_reply({"kind": "Status", "reason": "NotFound"}, 404))

    def tells_of(self, reason: str, message: str = "", worker_id: str = "w1") -> None:
        """What the list of events shows, of that one worker."""
        about = {"kind": "Pod", "name": f"hodei-worker-{worker_id}", "uid": f"uid-{worker_id}"}
        event = {"metadata": {"name": "e"}, "involvedObject": about, "reason": reason, "message": message}
        at = {"firstTimestamp": ago(1), "lastTimestamp": ago(1)}
        self.server.route(EVENTS, json_reply({"kind": "EventList", "metadata": {}, "items": [{**event, **at}]}))

    def event_lists(self) -> int:
        return sum(request.path == EVENTS for request in self.server.requests)

    def looks(self) -> int:
        return sum(request.path.startswith(f"{PODS}/") for request in self.server.requests)


def json_reply(value: dict[str, Any], status: int = 200) -> Any:
    return reply(status, json.dumps(value).encode(), (("content-type", "application/json"),))


class BlockingFleet:
    """The fleet for threads with methods to await, which block."""

    def __init__(self, fleet: Any) -> None:
        self._fleet = fleet

    async def __aenter__(self) -> BlockingFleet:
        self._fleet.__enter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._fleet.__exit__(*exc_info)

    async def wait_for(self, *args: Any, **options: Any) -> Any:
        return self._fleet.wait_for(*args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)


@contextlib.asynccontextmanager
async def providing(
    side, api: Api, config: KubernetesConfig = CONFIG, observer: Callable[[Observation], None] | None = None
) -> AsyncIterator[Any]:
    async with side.channel(api.url) as channel:
        if not isinstance(side, SyncSide):
            yield AsyncKubernetesProvider(config, channel, observer=observer)
            return
        provider = KubernetesProvider(config, channel.wrapped, observer=observer)
        provider_fleet = provider.fleet
        provider.fleet = lambda **options: BlockingFleet(provider_fleet(**options))  # type: ignore[method-assign,assignment]
        yield provider


def with_fleet(side, api: Api, test, *, idle: int = 1) -> None:
    """`idle`: connections that may be kept afterwards; that of the watch is not one of them."""

    async def main() -> None:
        async with providing(side, api) as provider:
            async with provider.fleet() as fleet:
                await test(fleet)
            assert await side.until(lambda: api.server.open_connections <= idle)

    side.run(main)
