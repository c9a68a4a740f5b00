"""Requests for the simulated cluster, and readers of its replies."""

from __future__ import annotations

from typing import Any

import msgspec

from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation import Behaviour, Cluster, World

NAMESPACE = "hodei-workers"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
MERGE_PATCH = (("content-type", "application/merge-patch+json"),)


def pod(name: str = "a", image: str = "worker:1", *, spec: dict[str, Any] | None = None, **meta: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "hodei-worker"}, **meta},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "worker", "image": image}], **(spec or {})},
    }


def post(body: Any, path: str = PODS) -> Request:
    return Request("POST", path, body=msgspec.json.encode(body))


def create(name: str = "a", image: str = "worker:1", **more: Any) -> Request:
    return post(pod(name, image, **more))


def get(path: str, **query: str) -> Request:
    return Request("GET", path, tuple(query.items()))


def patch(name: str, body: Any) -> Request:
    return Request("PATCH", f"{PODS}/{name}", headers=MERGE_PATCH, body=msgspec.json.encode(body))


def delete(name: str = "a", **options: Any) -> Request:
    return Request("DELETE", f"{PODS}/{name}", body=msgspec.json.encode(options) if options else b"")


def watch(**query: str) -> Request:
    return get(PODS, watch="true", **query)


def log(name: str = "a", **query: str) -> Request:
    return get(f"{PODS}/{name}/log", **query)


def body(reply: Any) -> Any:
    assert isinstance(reply, Response)
    return msgspec.json.decode(reply.body)


def ask(cluster: Cluster, request: Request, now: float = 0.0) -> Any:
    """The JSON of a reply that must be a success."""
    reply = cluster.handle(request, now)
    assert isinstance(reply, Response)
    assert reply.is_success, reply.body
    return msgspec.json.decode(reply.body)


def refusal(cluster: Cluster, request: Request, now: float = 0.0) -> tuple[int, str, str]:
    """Code, reason and message of a reply that must be a Status."""
    reply = cluster.handle(request, now)
    assert isinstance(reply, Response)
    status = msgspec.json.decode(reply.body)
    assert status["code"] == reply.status
    assert status["kind"] == "Status"
    return reply.status, status.get("reason", ""), status["message"]


def events(data: bytes | None) -> list[dict[str, Any]]:
    assert data is not None
    return [msgspec.json.decode(line) for line in data.splitlines()]


def seen(data: bytes | None) -> list[tuple[str, str]]:
    """Watch events as (type, name)."""
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events(data)]


def ready_world(**more: Any) -> World:
    """A world with the Pod `a`, which is ready."""
    world = World(**more)
    assert world.exchange(create()).status == 201
    world.advance(5)
    return world


State = tuple[str, str, bool, str]
"""Event, what the container's state is, ready, phase."""


def told(container: dict[str, Any]) -> str:
    state = container["state"]
    if "running" in state:
        return "running"
    ended = state.get("terminated")
    return f"{ended['reason']} {ended['exitCode']}" if ended else state["waiting"]["reason"]


def line(event: dict[str, Any]) -> State:
    status = event["object"]["status"]
    (container,) = status.get("containerStatuses", [None])
    return (
        event["type"],
        told(container) if container else "",
        bool(container) and container["ready"],
        status["phase"],
    )


def life(behaviour: Behaviour, until: float, **more: Any) -> list[State]:
    """Every watch event of a Pod, from its creation."""
    cluster = Cluster(behaviours=lambda _: behaviour)
    made = ask(cluster, create(**more))
    stream: Any = cluster.handle(watch(resourceVersion=made["metadata"]["resourceVersion"]), 0.0)
    cluster.advance(until)
    return [line(event) for event in events(stream.read(until))]


def status_of(behaviour: Behaviour, at: float, **more: Any) -> Any:
    cluster = Cluster(behaviours=lambda _: behaviour)
    ask(cluster, create(**more))
    return ask(cluster, get(f"{PODS}/a"), at)["status"]
