"""The library of behaviours: each gives the verdict that the recording of a real cluster gives."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.diagnosis import diagnose
from hodei_k8s_core.event_list import parse_event_list
from hodei_k8s_core.pod import parse_pod
from hodei_k8s_core.simulation import (
    BEHAVIOUR_LABEL,
    LIBRARY,
    Behaviour,
    ByPod,
    Cluster,
    by_label,
    by_name,
    make_node,
)
from hodei_k8s_core.simulation.wire import EPOCH
from hodei_k8s_core.verdict import Blame, Category, Verdict
from tests.core.simulation_requests import NAMESPACE, PODS, ask, create, delete, get, pod, post
from tests.core.test_diagnosis_recordings import VERDICTS
from tests.recordings import load

# recording: the behaviour of its worker; "" for what the Pod and the cluster bring about by themselves
BEHAVIOURS = {
    "command-not-found": "command-not-found",
    "deadline-exceeded": "ignores-sigterm",
    "fails-exit-3": "fails",
    "finalizer-blocks-delete": "ignores-sigterm",
    "image-never-pull": "image-never-pull",
    "image-pull-error": "image-pull-error",
    "invalid-image-name": "invalid-image-name",
    "missing-pvc": "",
    "missing-secret-env": "missing-secret",
    "oom-killed": "oom-killed",
    "ready-then-running": "slow-to-be-ready",
    "restarts": "crash-loop",
    "sidecar-still-running": "runs",
    "succeeds": "succeeds",
    "unschedulable-cpu": "",
    "unschedulable-gpu": "",
    "unschedulable-selector": "",
}
LATE = 25.0


def verdict_at(cluster: Cluster, name: str, now: float) -> Verdict | None:
    reply = ask(cluster, get(f"{PODS}/{name}"), now)
    events = ask(cluster, get(f"/api/v1/namespaces/{NAMESPACE}/events"), now)
    read = parse_event_list(msgspec.json.encode(events)).items
    return diagnose(parse_pod(msgspec.json.encode(reply)), read, now=EPOCH + now)


def test_every_recording_has_a_behaviour() -> None:
    assert set(BEHAVIOURS) == set(VERDICTS)


@pytest.mark.parametrize("recording", BEHAVIOURS)
def test_the_same_verdict_as_the_recording(recording: str) -> None:
    body: dict[str, Any] = load(f"v1.36/{recording}").steps[0].request.body
    body["metadata"]["labels"][BEHAVIOUR_LABEL] = BEHAVIOURS[recording]
    cluster = Cluster(behaviours=by_name(), nodes=[make_node(cpu="2", memory="24Gi")])
    ask(cluster, post(body))
    verdict, row = verdict_at(cluster, body["metadata"]["name"], LATE), VERDICTS[recording]
    told = None if verdict is None else (verdict.category, verdict.blame, verdict.terminal, verdict.retryable)
    assert told == (None if row is None else row[:4])


@pytest.mark.parametrize(
    ("name", "after", "category", "blame"),
    [
        ("stuck-volume", 300.0, Category.VOLUME_UNAVAILABLE, Blame.CONFIGURATION),
        ("evicted", 70.0, Category.EVICTED, Blame.CAPACITY),
        ("unschedulable", 10.0, Category.UNSCHEDULABLE, Blame.CAPACITY),
    ],
)
def test_what_was_not_recorded(name: str, after: float, category: Category, blame: Blame) -> None:
    cluster = Cluster(behaviours=by_name())
    ask(cluster, create(labels={BEHAVIOUR_LABEL: name}))
    verdict = verdict_at(cluster, "a", after)
    assert verdict is not None
    assert (verdict.category, verdict.blame) == (category, blame)


def test_each_can_be_chosen() -> None:
    cluster = Cluster(behaviours=by_name())
    for name in LIBRARY:
        ask(cluster, create(name, labels={BEHAVIOUR_LABEL: name}))
    cluster.advance(100.0)
    phases = {name: one["status"]["phase"] for name, one in cluster.pods(NAMESPACE).items()}
    assert set(phases.values()) == {"Pending", "Running", "Succeeded", "Failed"}
    assert phases["evicted"] == "Failed"


# --- choosing


ENDS, STAYS = Behaviour(exit_code=0), Behaviour()


def phase(cluster: Cluster, **more: Any) -> str:
    ask(cluster, post(pod(**more)))
    told: str = ask(cluster, get(f"{PODS}/a"), 10.0)["status"]["phase"]
    return told


def test_by_label() -> None:
    behaviours = by_label("kind", {"job": ENDS})
    assert phase(Cluster(behaviours=behaviours), labels={"kind": "job"}) == "Succeeded"
    assert phase(Cluster(behaviours=behaviours), labels={"kind": "service"}) == "Running"
    assert phase(Cluster(behaviours=behaviours), labels=None) == "Running"


def test_by_a_function_of_the_pod() -> None:
    behaviours = ByPod(lambda one: ENDS if one["metadata"]["name"] == "a" else STAYS)
    assert phase(Cluster(behaviours=behaviours)) == "Succeeded"


def test_a_volume_that_is_stuck_is_told_again_until_the_pod_goes() -> None:
    cluster = Cluster(behaviours=by_name())
    ask(cluster, create(labels={BEHAVIOUR_LABEL: "stuck-volume"}))
    events = f"/api/v1/namespaces/{NAMESPACE}/events"
    (mount,) = ask(cluster, get(events, fieldSelector="reason=FailedMount"), 250.0)["items"]
    assert (mount["count"], mount["type"]) == (3, "Warning")
    ask(cluster, delete(), 250.0)
    (mount,) = ask(cluster, get(events, fieldSelector="reason=FailedMount"), 900.0)["items"]
    assert mount["count"] == 3
    assert cluster.pods(NAMESPACE) == {}
