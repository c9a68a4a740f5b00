"""Jobs of a worker, as annotations: who wins, what is refused, and by whose clock it is idle."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.errors import (
    ConfigurationError,
    NotReady,
    PermissionDenied,
    Timeout,
    WorkerNotFound,
)
from hodei_k8s_core.labels import DRAINING, IDLE_SINCE, JOB_ID
from hodei_k8s_core.operations import (
    assign_job,
    create_worker,
    destroy_worker,
    drain_worker,
    get_worker_status,
    release_job,
)
from hodei_k8s_core.server_time import parse_rfc3339
from hodei_k8s_core.simulation import Answer, Behaviour, Cluster, LoseReply, Rule, World
from hodei_k8s_core.simulation.wire import EPOCH
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from tests.core.operation_cases import CONFIG, JOB, NAMESPACE, SPEC, annotation, assigned, ended, ready
from tests.core.simulation_requests import delete, patch
from tests.core.told import Script, not_found_reply, reply, said, status_reply, tell

NAME = "hodei-worker-w1"
GET, PATCH = f"GET pods/{NAME}", f"PATCH pods/{NAME}"
HANDLE = WorkerHandle(
    worker_id="w1",
    provider_resource_id=NAME,
    provider_id="tests",
    created_at=0.0,
    metadata={"namespace": NAMESPACE, "pod_uid": "uid-1"},
)
CONFLICT = status_reply(409, "Conflict", "the object has been modified", kind="pods")
OTHER_UID = status_reply(422, "Invalid", "uid: field is immutable", kind="Pod", field="metadata.uid")


def pod(version: str = "10", **annotations: str) -> bytes:
    keys = {"job": JOB_ID, "draining": DRAINING, "idle": IDLE_SINCE}
    metadata = {
        "name": NAME,
        "namespace": NAMESPACE,
        "uid": "uid-1",
        "resourceVersion": version,
        "labels": {"hodei.io/worker-id": "w1"},
        "annotations": {keys[key]: value for key, value in annotations.items()},
    }
    running = {"name": "worker", "ready": True, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
    status = {"phase": "Running", "containerStatuses": [running]}
    return msgspec.json.encode({"kind": "Pod", "metadata": metadata, "status": status})


def do(world: World, operation: Any) -> WorkerInfo:
    info: WorkerInfo = world.run(operation).result
    return info


# --- a job


def test_a_worker_with_a_job_is_busy_and_reads_so() -> None:
    world = World()
    handle = ready(world)
    info = do(world, assign_job(CONFIG, handle, "job-1"))
    assert (info.state, info.job_id) == (WorkerState.BUSY, "job-1")
    assert world.run(get_worker_status(CONFIG, handle)).result is WorkerState.BUSY


def test_the_patch_carries_the_uid_and_the_version_that_were_read() -> None:
    told = tell(assign_job(CONFIG, HANDLE, "j"), [(GET, reply(pod("10"))), (PATCH, reply(pod("11", job="j")))])
    metadata = msgspec.json.decode(told.requests[1].body)["metadata"]
    assert (metadata["uid"], metadata["resourceVersion"]) == ("uid-1", "10")
    assert metadata["annotations"] == {JOB_ID: "j", IDLE_SINCE: None}


def test_assigning_the_same_job_again_changes_nothing() -> None:
    world = World()
    handle = assigned(world)
    version = world.pods(NAMESPACE)[NAME]["metadata"]["resourceVersion"]
    assert do(world, assign_job(CONFIG, handle, "job-1")).job_id == "job-1"
    assert world.pods(NAMESPACE)[NAME]["metadata"]["resourceVersion"] == version


def test_another_job_is_refused_and_may_be_tried_later() -> None:
    world = World()
    error = world.run(assign_job(CONFIG, assigned(world), "job-2")).error
    assert isinstance(error, NotReady)
    assert error.retryable
    assert "has the job job-1" in str(error)


def test_a_job_can_be_assigned_before_the_worker_is_ready() -> None:
    world = World()
    handle = world.run(create_worker(CONFIG, SPEC)).result
    info = do(world, assign_job(CONFIG, handle, "job-1"))
    assert (info.state, info.job_id) == (WorkerState.CREATING, "job-1")


@pytest.mark.parametrize("job_id", ["", "x" * 1025])
def test_what_cannot_be_a_job_id_is_refused_before_any_request(job_id: str) -> None:
    told = tell(assign_job(CONFIG, HANDLE, job_id), [])
    assert isinstance(told.error, ConfigurationError)
    assert told.error.faults[0].field == "job_id"


# --- two hosts at once


def test_of_two_hosts_that_assign_at_once_one_wins_and_the_other_is_told() -> None:
    script: Script = [(GET, reply(pod())), (PATCH, CONFLICT), (GET, reply(pod("11", job="other")))]
    told = tell(assign_job(CONFIG, HANDLE, "mine"), script)
    assert isinstance(told.error, NotReady)
    assert "has the job other" in str(told.error)


def test_two_hosts_race_in_a_world() -> None:
    world = World()
    handle = ready(world)
    rival = {"metadata": {"annotations": {JOB_ID: "rival"}}}
    world.at(0.012, lambda cluster: cluster.handle(patch(NAME, rival), world.now))
    error = world.run(assign_job(CONFIG, handle, "mine")).error
    assert isinstance(error, NotReady)
    assert annotation(world, JOB_ID) == "rival"


def test_a_change_that_has_nothing_to_do_with_it_is_met_by_another_try() -> None:
    script: Script = [(GET, reply(pod("10"))), (PATCH, CONFLICT), (GET, reply(pod("11"))), (PATCH, reply(pod(job="j")))]
    told = tell(assign_job(CONFIG, HANDLE, "j"), script)
    assert told.result.job_id == "j"
    assert msgspec.json.decode(told.requests[3].body)["metadata"]["resourceVersion"] == "11"


@pytest.mark.parametrize("answer", [OTHER_UID, not_found_reply()], ids=["replaced", "gone"])
def test_a_pod_that_goes_between_the_two_requests_is_not_found(answer: Any) -> None:
    told = tell(assign_job(CONFIG, HANDLE, "j"), [(GET, reply(pod())), (PATCH, answer), (GET, not_found_reply())])
    assert isinstance(told.error, WorkerNotFound)


def test_a_server_that_always_sees_a_conflict_is_not_asked_without_a_pause() -> None:
    world = World()
    handle = ready(world)
    world.plan.add(Rule("patch", "pods", Answer(409, CONFLICT.body), times=None))
    outcome = world.run(assign_job(CONFIG, handle, "j"))
    assert isinstance(outcome.error, Timeout)
    assert outcome.seconds == pytest.approx(CONFIG.operation_timeout)
    assert len(outcome.requests) < 150


def test_a_patch_whose_reply_is_lost_is_found_to_be_done() -> None:
    world = World()
    handle = ready(world)
    world.plan.add(Rule("patch", "pods", LoseReply()))
    outcome = world.run(assign_job(CONFIG, handle, "job-1"))
    assert outcome.result.job_id == "job-1"
    assert [said(request) for request in outcome.requests] == [GET, PATCH, PATCH, GET, PATCH]


# --- release and drain


def test_a_released_worker_is_idle_since_then_by_the_servers_clock() -> None:
    world = World(cluster=Cluster(clock_offset=3600.0))
    info = do(world, release_job(CONFIG, assigned(world)))
    assert (info.state, info.job_id) == (WorkerState.READY, "")
    assert info.idle_since == pytest.approx(EPOCH + 3600 + world.now, abs=2)


def test_without_a_date_header_it_is_idle_by_the_hosts_clock() -> None:
    told = tell(release_job(CONFIG, HANDLE), [(GET, reply(pod(job="j"))), (PATCH, reply(pod()))])
    written = msgspec.json.decode(told.requests[1].body)["metadata"]["annotations"][IDLE_SINCE]
    assert parse_rfc3339(written) == 1_700_000_000


def test_releasing_twice_keeps_the_time_of_the_first() -> None:
    world = World()
    handle = assigned(world)
    first = do(world, release_job(CONFIG, handle)).idle_since
    world.advance(100)
    assert do(world, release_job(CONFIG, handle)).idle_since == first


def test_a_job_ends_the_idle_time() -> None:
    world = World()
    handle = assigned(world)
    do(world, release_job(CONFIG, handle))
    assert do(world, assign_job(CONFIG, handle, "job-2")).idle_since is None
    world.advance(100)
    assert do(world, release_job(CONFIG, handle)).idle_since == pytest.approx(EPOCH + world.now, abs=2)


def test_a_draining_worker_keeps_its_job_and_gets_no_other() -> None:
    world = World()
    handle = assigned(world)
    info = do(world, drain_worker(CONFIG, handle))
    assert (info.state, info.job_id) == (WorkerState.DRAINING, "job-1")
    do(world, release_job(CONFIG, handle))
    error = world.run(assign_job(CONFIG, handle, "job-2")).error
    assert isinstance(error, NotReady)
    assert "draining" in str(error)
    assert not error.retryable


def test_draining_twice_is_draining() -> None:
    world = World()
    handle = ready(world)
    do(world, drain_worker(CONFIG, handle))
    assert do(world, drain_worker(CONFIG, handle)).state is WorkerState.DRAINING


# --- a worker that cannot


CHANGES = {
    "assign": lambda handle: assign_job(CONFIG, handle, "job-1"),
    "release": lambda handle: release_job(CONFIG, handle),
    "drain": lambda handle: drain_worker(CONFIG, handle),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_worker_that_has_ended_is_refused(name: str) -> None:
    world = World(behaviours={"job:1": JOB})
    error = world.run(CHANGES[name](ended(world))).error
    assert isinstance(error, NotReady)
    assert "TERMINATED" in str(error)


@pytest.mark.parametrize("name", CHANGES)
def test_a_worker_that_is_terminating_is_refused(name: str) -> None:
    world = World(behaviours={"job:1": Behaviour(term=None)})
    handle = ready(world)
    world.exchange(delete(NAME))
    error = world.run(CHANGES[name](handle)).error
    assert isinstance(error, NotReady)
    assert "TERMINATING" in str(error)


@pytest.mark.parametrize("name", CHANGES)
def test_a_worker_that_is_gone_is_not_found(name: str) -> None:
    world = World()
    handle = ready(world)
    world.run(destroy_worker(CONFIG, handle)).result  # noqa: B018 - raises what it raised
    assert isinstance(world.run(CHANGES[name](handle)).error, WorkerNotFound)


@pytest.mark.parametrize("name", CHANGES)
def test_without_the_permission_to_patch_it_is_told_which(name: str) -> None:
    world = World()
    handle = ready(world)
    world.cluster.denied = frozenset({("patch", "pods")})
    error = world.run(CHANGES[name](handle)).error
    assert isinstance(error, PermissionDenied)
    assert 'cannot patch resource "pods"' in str(error)


@pytest.mark.parametrize("name", CHANGES)
def test_a_handle_of_another_namespace_is_refused_before_any_request(name: str) -> None:
    handle = msgspec.structs.replace(HANDLE, metadata={"namespace": "elsewhere"})
    assert isinstance(tell(CHANGES[name](handle), []).error, ConfigurationError)
