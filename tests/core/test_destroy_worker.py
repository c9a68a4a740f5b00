"""Destroying a worker: whose Pod is deleted, when it is known to be gone, and what is said when it does not go."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import (
    ConfigurationError,
    ConnectionFailed,
    Delivery,
    PermissionDenied,
    Timeout,
    TransportError,
    TransportFault,
    WorkerNotFound,
)
from hodei_k8s_core.labels import MANAGED, PROVIDER_ID
from hodei_k8s_core.observations import PodDestroyed
from hodei_k8s_core.operations import create_worker, destroy_worker, destroy_worker_by_id, force_destroy_worker
from hodei_k8s_core.simulation import (
    Behaviour,
    Cluster,
    ExpireVersions,
    LoseReply,
    LoseRequest,
    Outcome,
    Rule,
    Stall,
    Unschedulable,
    World,
    server_error,
    throttled,
)
from hodei_k8s_core.worker import WorkerHandle
from tests.core.operation_cases import CONFIG, NAMESPACE, SPEC, ready
from tests.core.simulation_requests import patch
from tests.core.told import Script, Stream, events, not_found_reply, reply, said, status_reply, tell
from tests.recordings import load

NAME = "hodei-worker-w1"
GET, DELETE = f"GET pods/{NAME}", f"DELETE pods/{NAME}"
LABELS = {MANAGED: "true", PROVIDER_ID: "tests"}
HANDLE = WorkerHandle(
    worker_id="w1",
    provider_resource_id=NAME,
    provider_id="tests",
    created_at=0.0,
    metadata={"namespace": NAMESPACE, "pod_uid": "uid-1"},
)


def world_with(behaviour: Behaviour, **options: Any) -> World:
    return World(behaviours={"job:1": behaviour}, **options)


def lines(outcome: Outcome[Any]) -> list[str]:
    return [said(request) for request in outcome.requests]


def pod(version: str = "10", uid: str = "uid-1", **meta: Any) -> dict[str, Any]:
    metadata = {"name": NAME, "namespace": NAMESPACE, "uid": uid, "resourceVersion": version, "labels": LABELS}
    return {"kind": "Pod", "metadata": {**metadata, **meta}}


def recorded(scenario: str, first: int) -> tuple[bytes, bytes, list[bytes]]:
    """A Pod as it was read (with the labels of our workers), the reply to its DELETE, and the watches from `first`."""
    recording = load(f"v1.36/{scenario}")
    labels = b'"labels":{"hodei.io/managed":"true","hodei.io/provider-id":"tests",'
    read = recording.bodies("get")[0].replace(b'"labels":{', labels, 1)
    news = [line.line.encode() + b"\n" for step in recording.steps[first : first + 2] for line in step.response.lines]
    return read, recording.bodies("delete")[0], news


def sent(outcome: Outcome[Any]) -> dict[str, Any]:
    """The body of the DELETE."""
    body: dict[str, Any] = msgspec.json.decode(next(r.body for r in outcome.requests if r.method == "DELETE"))
    return body


# --- what is asked


def test_a_ready_worker_is_read_deleted_and_watched_from_the_version_before() -> None:
    world = World()
    handle = ready(world)
    version = world.pods(NAMESPACE)[NAME]["metadata"]["resourceVersion"]
    outcome = world.run(destroy_worker(CONFIG, handle, grace_period=5))
    assert lines(outcome) == [GET, DELETE, f"WATCH pods from {version}"]
    assert sent(outcome)["preconditions"] == {"uid": handle.pod_uid}
    assert sent(outcome)["gracePeriodSeconds"] == 5
    assert world.pods(NAMESPACE) == {}
    assert outcome.bodies_left == 0


def test_it_returns_how_the_pod_was_last_seen() -> None:
    world = world_with(Behaviour(term_exit_code=7))
    pod = world.run(destroy_worker(CONFIG, ready(world))).result
    assert pod is not None
    assert pod.worker_container is not None
    assert pod.worker_container.state.terminated is not None
    assert pod.worker_container.state.terminated.exit_code == 7


def test_the_configured_grace_period_is_the_default_and_a_fraction_is_rounded_up() -> None:
    config = KubernetesConfig(provider_id="tests", grace_period=2.5)
    world = World()
    assert sent(world.run(destroy_worker(config, ready(world))))["gracePeriodSeconds"] == 3


def test_a_container_that_ignores_sigterm_is_waited_for_until_it_is_killed() -> None:
    world = world_with(Behaviour(term=None))
    outcome = world.run(destroy_worker(CONFIG, ready(world), grace_period=20))
    assert outcome.error is None
    assert 20 <= outcome.seconds < 25
    assert [one for one in outcome.observations if isinstance(one, PodDestroyed)] == [PodDestroyed(outcome.seconds)]


def test_a_pod_that_goes_at_once_is_seen_to_be_gone() -> None:
    """It is gone before the watch begins; the history after the version before replays it."""
    world = world_with(Behaviour(fail=Unschedulable()))
    handle = world.run(create_worker(CONFIG, SPEC)).result
    world.advance(1)
    outcome = world.run(destroy_worker(CONFIG, handle))
    assert outcome.error is None
    assert outcome.seconds < 1


def test_the_recorded_end_of_a_real_worker() -> None:
    """Its own bytes: terminating, killed after the grace period, DELETED."""
    read, told, news = recorded("ready-then-running", 9)
    meta = msgspec.json.decode(read)["metadata"]
    name = meta["name"]
    script: Script = [
        (f"GET pods/{name}", reply(read)),
        (f"DELETE pods/{name}", reply(told)),
        (f"WATCH pods from {meta['resourceVersion']}", Stream(*news, endless=True)),
    ]
    last = tell(destroy_worker_by_id(CONFIG, "ready"), script).result
    assert last.worker_container.state.terminated.exit_code == 137
    assert last.metadata.uid == meta["uid"]


# --- what is done already


def test_a_pod_that_is_gone_is_done_without_a_delete() -> None:
    world = World()
    handle = ready(world)
    world.run(destroy_worker(CONFIG, handle)).result  # noqa: B018 - raises what it raised
    outcome = world.run(destroy_worker(CONFIG, handle))
    assert outcome.result is None
    assert lines(outcome) == [GET]
    assert not [one for one in outcome.observations if isinstance(one, PodDestroyed)]


def test_another_pod_of_that_name_is_left_alone() -> None:
    world = World()
    handle = ready(world)
    world.run(destroy_worker(CONFIG, handle)).result  # noqa: B018
    other = world.run(create_worker(CONFIG, SPEC)).result
    outcome = world.run(destroy_worker(CONFIG, handle))
    assert outcome.result is None
    assert lines(outcome) == [GET]
    assert world.pods(NAMESPACE)[NAME]["metadata"]["uid"] == other.pod_uid


@pytest.mark.parametrize(
    "answer",
    [not_found_reply(), reply(load("v1.36/ready-then-running").bodies("delete with another pod's uid")[0], 409)],
    ids=["gone", "replaced"],
)
def test_a_pod_that_goes_between_the_two_requests_is_done(answer: Any) -> None:
    told = tell(destroy_worker(CONFIG, HANDLE), [(GET, reply(pod())), (DELETE, answer)])
    assert told.result.metadata.uid == "uid-1"


@pytest.mark.parametrize("fault", [LoseReply(), server_error(acting=True), LoseRequest(), throttled()], ids=repr)
def test_a_delete_whose_reply_is_lost_is_repeated(fault: Any) -> None:
    world = World()
    handle = ready(world)
    world.plan.add(Rule("delete", "pods", fault))
    outcome = world.run(destroy_worker(CONFIG, handle))
    assert outcome.error is None
    assert lines(outcome)[:3] == [GET, DELETE, DELETE]
    assert world.pods(NAMESPACE) == {}


def test_by_its_id_it_is_whichever_pod_has_the_name_now() -> None:
    world = World()
    ready(world)
    outcome = world.run(destroy_worker_by_id(CONFIG, "w1", grace_period=1))
    assert outcome.result is not None
    assert world.pods(NAMESPACE) == {}


# --- seeing that it is gone


def test_versions_that_expire_meanwhile_end_in_a_list_without_the_pod() -> None:
    world = World()
    handle = ready(world)
    world.plan.add(Rule("watch", "pods", ExpireVersions()))
    outcome = world.run(destroy_worker(CONFIG, handle))
    assert outcome.error is None
    assert "GET pods" in lines(outcome)
    assert world.pods(NAMESPACE) == {}


def test_a_replacement_that_is_seen_means_that_ours_is_gone() -> None:
    news = events(("MODIFIED", pod("11", deletionTimestamp="2026-01-01T00:00:00Z")), ("ADDED", pod("12", uid="uid-2")))
    script: Script = [
        (GET, reply(pod())),
        (DELETE, reply(pod("11"))),
        ("WATCH pods from 10", Stream(news, endless=True)),
    ]
    assert tell(destroy_worker(CONFIG, HANDLE), script).result.metadata.resource_version == "11"


# --- what does not end


def test_a_finalizer_holds_it_and_is_named() -> None:
    world = World()
    handle = ready(world)
    world.exchange(patch(NAME, {"metadata": {"finalizers": ["example.com/hold", "example.com/too"]}}))
    outcome = world.run(destroy_worker(CONFIG, handle, grace_period=1))
    error = outcome.error
    assert isinstance(error, Timeout)
    assert "held by its finalizers: example.com/hold, example.com/too" in str(error)
    assert "force does not help" in error.mend
    assert error.step == "wait until the Pod is gone"
    assert error.retryable
    assert outcome.seconds == pytest.approx(1 + CONFIG.destroy_timeout, abs=1)


def test_the_recorded_pod_with_a_finalizer() -> None:
    read, told, news = recorded("finalizer-blocks-delete", 8)
    meta = msgspec.json.decode(read)["metadata"]
    name = meta["name"]
    script: Script = [
        (f"GET pods/{name}", reply(read)),
        (f"DELETE pods/{name}", reply(told)),
        (f"WATCH pods from {meta['resourceVersion']}", Stream(*news, endless=True)),
        (f"GET pods/{name}", reply(msgspec.json.encode(msgspec.json.decode(news[-1])["object"]))),
    ]
    patient = KubernetesConfig(provider_id="tests", silence_limit=600.0)
    error = tell(destroy_worker_by_id(patient, "finalizer"), script).error
    assert isinstance(error, Timeout)
    assert meta["finalizers"][0] in str(error)


def test_a_finalizer_that_is_removed_in_time_lets_it_go() -> None:
    world = World()
    handle = ready(world)
    world.exchange(patch(NAME, {"metadata": {"finalizers": ["example.com/hold"]}}))
    world.at(50, lambda cluster: cluster.handle(patch(NAME, {"metadata": {"finalizers": None}}), world.now))
    outcome = world.run(destroy_worker(CONFIG, handle, grace_period=1))
    assert outcome.error is None
    assert 49 < outcome.seconds < 51


def test_a_dead_node_is_named_with_what_force_would_risk() -> None:
    world = world_with(Behaviour(stops=False))
    outcome = world.run(destroy_worker(CONFIG, ready(world), grace_period=1))
    error = outcome.error
    assert isinstance(error, Timeout)
    assert "its node (lab-node) has not confirmed the end of its containers" in str(error)
    assert "force_destroy_worker" in error.mend
    assert "would go on" in error.mend
    assert NAME in world.pods(NAMESPACE)


def test_force_removes_the_record_of_a_dead_node() -> None:
    world = world_with(Behaviour(stops=False))
    outcome = world.run(force_destroy_worker(CONFIG, ready(world)))
    assert outcome.error is None
    assert sent(outcome)["gracePeriodSeconds"] == 0
    assert sent(outcome)["preconditions"]
    assert world.pods(NAMESPACE) == {}


def test_a_delete_that_is_never_accepted_says_that_the_pod_was_not_told() -> None:
    world = World()
    handle = ready(world)
    world.plan.add(Rule("delete", "pods", throttled(10_000)))
    error = world.run(destroy_worker(CONFIG, handle)).error
    assert isinstance(error, Timeout)
    assert "was not told to end" in str(error)
    assert error.step == "delete the Pod"
    assert error.status is not None
    assert error.status.is_throttled


def test_what_holds_it_may_not_be_found_out_any_more() -> None:
    world = world_with(Behaviour(stops=False))
    handle = ready(world)
    world.plan.add(Rule("get", "pods", Stall(), nth=2, times=None))
    outcome = world.run(destroy_worker(CONFIG, handle, grace_period=1))
    assert isinstance(outcome.error, Timeout)
    assert "did not end within 121 s" in str(outcome.error)
    assert outcome.seconds == pytest.approx(126, abs=0.5)


def test_a_pod_that_goes_in_the_last_moment_is_gone() -> None:
    script: Script = [(GET, reply(pod())), (DELETE, reply(pod("11"))), ("WATCH pods from 10", Stream(endless=True))]
    patient = KubernetesConfig(provider_id="tests", silence_limit=600.0)
    assert tell(destroy_worker(patient, HANDLE), [*script, (GET, not_found_reply())]).error is None


def test_a_server_that_goes_away_is_told_and_the_call_can_be_repeated() -> None:
    world = World()
    handle = ready(world)
    world.plan.add(Rule("delete", "pods", LoseRequest(), times=None))
    error = world.run(destroy_worker(CONFIG, handle)).error
    assert isinstance(error, ConnectionFailed)
    assert error.retryable
    world.plan.rules.clear()
    assert world.run(destroy_worker(CONFIG, handle)).error is None


def test_a_permission_that_is_missing() -> None:
    cluster = Cluster()
    world = World(cluster=cluster)
    handle = ready(world)
    cluster.denied = frozenset({("delete", "pods")})
    error = world.run(destroy_worker(CONFIG, handle)).error
    assert isinstance(error, PermissionDenied)
    assert 'cannot delete resource "pods"' in str(error)


# --- what is refused before any request


@pytest.mark.parametrize("grace", [0, 0.999, -1, math.nan, math.inf, 2**31])
def test_a_grace_period_below_one_second_or_beyond_all_bounds_is_refused(grace: float) -> None:
    told = tell(destroy_worker(CONFIG, HANDLE, grace_period=grace), [])
    assert isinstance(told.error, ConfigurationError)
    assert [fault.field for fault in told.error.faults] == ["grace_period"]


@pytest.mark.parametrize("operation", [destroy_worker, force_destroy_worker])
def test_a_handle_of_another_provider_is_refused_with_all_its_faults(operation: Any) -> None:
    changes = {"provider_type": "docker", "provider_id": "other", "metadata": {"namespace": "elsewhere"}}
    handle = msgspec.structs.replace(HANDLE, provider_resource_id="", **changes)
    told = tell(operation(CONFIG, handle), [])
    assert isinstance(told.error, ConfigurationError)
    fields = [fault.field for fault in told.error.faults]
    names = ["provider_type", "provider_id", 'metadata["namespace"]', "provider_resource_id"]
    assert fields == [f"handle.{name}" for name in names]


def test_what_cannot_be_an_id_is_refused() -> None:
    told = tell(destroy_worker_by_id(CONFIG, "../secrets"), [])
    assert isinstance(told.error, ConfigurationError)
    assert told.error.faults[0].field == "worker_id"


@pytest.mark.parametrize("labels", [None, {}, {MANAGED: "true", PROVIDER_ID: "other"}, {PROVIDER_ID: "tests"}])
def test_a_pod_that_only_has_a_workers_name_is_left_alone(labels: Any) -> None:
    told = tell(destroy_worker_by_id(CONFIG, "w1"), [(GET, reply(pod(labels=labels)))])
    assert isinstance(told.error, WorkerNotFound)
    assert "left alone" in str(told.error)


def test_a_404_of_a_proxy_is_not_taken_for_a_pod_that_is_gone() -> None:
    told = tell(destroy_worker(CONFIG, HANDLE), [(GET, reply(b"<html>nothing here</html>", 404))])
    assert told.error is not None
    assert "proxy" in str(told.error)


def test_a_refusal_of_the_delete_that_is_neither_gone_nor_conflict_is_told() -> None:
    no = status_reply(403, "Forbidden", 'admission webhook "guard" denied the request: not now')
    told = tell(destroy_worker(CONFIG, HANDLE), [(GET, reply(pod())), (DELETE, no)])
    assert "not now" in str(told.error)


def test_losing_the_first_look_for_good_is_told() -> None:
    lost = TransportError(TransportFault.TLS_EXPIRED, Delivery.NOT_SENT)
    assert isinstance(tell(destroy_worker(CONFIG, HANDLE), [(GET, lost)]).error, ConnectionFailed)
