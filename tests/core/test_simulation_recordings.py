"""The simulator against the recordings of a real API server: the same requests, the same replies and states.

A recorder misses events between two watches, so what it saw must come in the simulated life, in that order.
"""

from __future__ import annotations

from itertools import cycle, groupby
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation import Behaviour, CannotStart, Cluster, Waits, image_cannot_be_pulled, make_node
from hodei_k8s_core.simulation.behaviour import Behaviours
from tests.recordings import Exchange, Recording, load


def waits(reason: str) -> Behaviours:
    return lambda _: Behaviour(fail=Waits(((reason, "why"),)))


def worker_and_sidecar() -> Behaviours:
    """Both have the same image, so the order tells them apart."""
    both = cycle([Behaviour(ready=None, exit_code=0, run=0), Behaviour(ready=0, term=None)])
    return lambda _: next(both)


NOWHERE = Behaviour(schedule=0.01)
NODE = make_node(cpu="2", memory="24Gi")

# busybox's sleep as process 1 ignores SIGTERM: `term=None`
BEHAVIOURS: dict[str, Behaviours] = {
    "command-not-found": lambda _: Behaviour(fail=CannotStart()),
    "deadline-exceeded": lambda _: Behaviour(ready=0, term=None),
    "fails-exit-3": lambda _: Behaviour(ready=0, exit_code=3),
    "finalizer-blocks-delete": lambda _: Behaviour(ready=0, term=None),
    "image-never-pull": waits("ErrImageNeverPull"),
    "image-pull-error": lambda image: Behaviour(fail=image_cannot_be_pulled(image)),
    "invalid-image-name": waits("InvalidImageName"),
    "missing-pvc": lambda _: NOWHERE,
    "missing-secret-env": waits("CreateContainerConfigError"),
    "oom-killed": lambda _: Behaviour(ready=0, exit_code=137, reason="OOMKilled"),
    "ready-then-running": lambda _: Behaviour(ready=4, term=None),
    "restarts": lambda _: Behaviour(ready=0, exit_code=1),
    "sidecar-still-running": worker_and_sidecar(),
    "succeeds": lambda _: Behaviour(ready=0, exit_code=0),
    "unschedulable-cpu": lambda _: NOWHERE,
    "unschedulable-gpu": lambda _: NOWHERE,
    "unschedulable-selector": lambda _: NOWHERE,
}

WITHOUT_FINALIZER = Request(
    "PATCH",
    "/api/v1/namespaces/hodei-workers/pods/hodei-worker-finalizer",
    headers=(("content-type", "application/merge-patch+json"),),
    body=b'{"metadata":{"finalizers":null}}',
)
"""What the recorder did beside its recording."""


def state_of(pod: dict[str, Any]) -> tuple[Any, ...]:
    """What is read of a Pod, without times, ids and messages."""
    meta, status = pod["metadata"], pod["status"]
    containers = [
        (
            one["name"],
            [(kind, value.get("reason"), value.get("exitCode")) for kind, value in one["state"].items()],
            one["ready"],
            one["restartCount"],
            one["started"],
        )
        for one in status.get("containerStatuses", [])
    ]
    conditions = [(one["type"], one["status"], one.get("reason")) for one in status.get("conditions", [])]
    deletion = meta.get("deletionGracePeriodSeconds") if "deletionTimestamp" in meta else None
    return status["phase"], status.get("reason"), deletion, meta.get("finalizers"), conditions, containers


def pod_of(data: str) -> dict[str, Any] | None:
    if not data.startswith("{"):
        return None
    value: dict[str, Any] = msgspec.json.decode(data)
    value = value.get("object", value)
    return value if value["kind"] == "Pod" else None


def recorded_states(recording: Recording) -> list[tuple[Any, ...]]:
    texts = [
        text for step in recording.steps for text in (step.response.body, *(one.line for one in step.response.lines))
    ]
    pods = [pod for pod in map(pod_of, texts) if pod is not None]
    return [state for state, _ in groupby(map(state_of, pods))]


def request_of(step: Exchange) -> Request:
    path, _, query = step.request.path.partition("?")
    body = b"" if step.request.body is None else msgspec.json.encode(step.request.body)
    return Request(step.request.method, path, tuple(parse_qsl(query)), body=body)


def uids(recording: Recording) -> dict[str, str]:
    made = pod_of(recording.steps[0].response.body)
    assert made is not None
    return {made["metadata"]["uid"]: "00000001-0000-4000-8000-000000000001"}


def replayed(name: str, recording: Recording) -> tuple[Cluster, list[tuple[Exchange, Response]]]:
    """The recorded requests but watches, at their times, with the simulated Pod's uid for the recorded one's."""
    cluster = Cluster(behaviours=BEHAVIOURS[name], nodes=[NODE])
    exchanges = []
    if name == "finalizer-blocks-delete":
        cluster.at(8.5, lambda now: cluster.handle(WITHOUT_FINALIZER, now))
    for step in recording.steps:
        if "watch=true" in step.request.path or "/events" in step.request.path:
            continue
        request = request_of(step)
        body = request.body
        for recorded, simulated in uids(recording).items():
            body = body.replace(recorded.encode(), simulated.encode())
        reply = cluster.handle(msgspec.structs.replace(request, body=body), step.at)
        assert isinstance(reply, Response)
        exchanges.append((step, reply))
    return cluster, exchanges


def simulated_states(cluster: Cluster) -> list[tuple[Any, ...]]:
    changes = [change for change in cluster.store.changes_after(0) if change.key[0] == "pods"]
    return [state_of(change.item) for change in changes]


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_recorded_state_comes_in_its_order(name: str) -> None:
    recording = load(f"v1.36/{name}")
    cluster, _ = replayed(name, recording)
    simulated = iter(simulated_states(cluster))
    missing = [state for state in recorded_states(recording) if not any(state == other for other in simulated)]
    assert missing == []


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_recorded_reply_has_the_same_meaning(name: str) -> None:
    recording = load(f"v1.36/{name}")
    _, exchanges = replayed(name, recording)
    for step, reply in exchanges:
        assert reply.status == step.response.status, step.note
        if reply.status < 400:
            continue
        told, expected = msgspec.json.decode(reply.body), msgspec.json.decode(step.response.body)
        for recorded, simulated in uids(recording).items():
            expected["message"] = expected["message"].replace(recorded, simulated)
        assert told == expected, step.note
