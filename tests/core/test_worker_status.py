"""How one worker is, by one look; and the namespace that it lives in."""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import (
    ConfigurationError,
    ConnectionFailed,
    Internal,
    PermissionDenied,
    ProviderSpecific,
    Timeout,
)
from hodei_k8s_core.http import Response
from hodei_k8s_core.operations import (
    create_worker,
    describe_worker,
    destroy_worker,
    ensure_namespace,
    get_worker_status,
)
from hodei_k8s_core.operations.reading import read_pod_and_time, server_time
from hodei_k8s_core.simulation import Cluster, LoseReply, LoseRequest, Rule, Stall, World
from hodei_k8s_core.worker import WorkerHandle, WorkerState
from tests.core.operation_cases import CONFIG, JOB, NAMESPACE, SPEC, created, ended, ready
from tests.core.told import WALL, not_found_reply, reply, said, tell
from tests.recordings import load

NAME = "hodei-worker-w1"
GET = f"GET pods/{NAME}"
HANDLE = WorkerHandle(worker_id="w1", provider_resource_id=NAME, provider_id="tests", created_at=0.0)


def test_a_worker_from_creating_to_terminated() -> None:
    world = World(behaviours={"job:1": JOB})
    handle = created(world)
    assert world.run(get_worker_status(CONFIG, handle)).result is WorkerState.CREATING
    world.advance(0.5)
    assert world.run(get_worker_status(CONFIG, handle)).result is WorkerState.READY
    world.advance(5)
    assert world.run(get_worker_status(CONFIG, handle)).result is WorkerState.TERMINATED


def test_a_worker_that_is_gone_or_replaced_is_terminated() -> None:
    world = World()
    handle = ready(world)
    world.run(destroy_worker(CONFIG, handle)).result  # noqa: B018 - raises what it raised
    assert world.run(get_worker_status(CONFIG, handle)).result is WorkerState.TERMINATED
    world.run(create_worker(CONFIG, SPEC)).result  # noqa: B018
    assert world.run(get_worker_status(CONFIG, handle)).result is WorkerState.TERMINATED


def test_a_description_tells_the_exit_code() -> None:
    world = World(behaviours={"job:1": JOB})
    info = world.run(describe_worker(CONFIG, ended(world))).result
    assert (info.state, info.exit_code, info.worker_id) == (WorkerState.TERMINATED, 3, "w1")


def test_a_description_of_what_is_gone_says_so() -> None:
    info = tell(describe_worker(CONFIG, HANDLE), [(GET, not_found_reply())]).result
    assert (info.state, info.reason, info.handle) == (WorkerState.TERMINATED, "Gone", HANDLE)


def test_a_recorded_worker() -> None:
    handle = msgspec.structs.replace(HANDLE, worker_id="fails", provider_resource_id="hodei-worker-fails")
    read = load("v1.36/fails-exit-3").bodies("get")[0]
    told = tell(get_worker_status(CONFIG, handle), [("GET pods/hodei-worker-fails", reply(read))])
    assert told.result is WorkerState.TERMINATED


@pytest.mark.parametrize("operation", [get_worker_status, describe_worker])
def test_a_handle_of_another_provider_is_refused_before_any_request(operation: object) -> None:
    handle = msgspec.structs.replace(HANDLE, provider_id="other")
    assert callable(operation)
    assert isinstance(tell(operation(CONFIG, handle), []).error, ConfigurationError)


def test_a_lost_reply_is_asked_for_again() -> None:
    world = World()
    handle = ready(world)
    world.plan.add(Rule("get", "pods", LoseReply()))
    outcome = world.run(get_worker_status(CONFIG, handle))
    assert outcome.result is WorkerState.READY
    assert [said(request) for request in outcome.requests] == [GET, GET]


def test_a_server_that_cannot_be_reached_is_no_worker_that_is_gone() -> None:
    world = World()
    handle = ready(world)
    world.plan.add(Rule("get", "pods", LoseRequest(), times=None))
    assert isinstance(world.run(get_worker_status(CONFIG, handle)).error, ConnectionFailed)


def test_a_404_of_a_proxy_is_no_worker_that_is_gone() -> None:
    page = Response(404, (("content-type", "text/html"),), b"<html>no such backend</html>")
    error = tell(get_worker_status(CONFIG, HANDLE), [(GET, page)]).error
    assert isinstance(error, ProviderSpecific)
    assert "proxy" in str(error)


def test_a_permission_that_is_missing() -> None:
    world = World(cluster=Cluster(denied=[("get", "pods")]))
    assert isinstance(world.run(get_worker_status(CONFIG, HANDLE)).error, PermissionDenied)


def test_a_reply_that_is_no_pod() -> None:
    assert isinstance(tell(get_worker_status(CONFIG, HANDLE), [(GET, reply(b'{"kind":"Pod"'))]).error, Internal)


def test_its_deadline() -> None:
    outcome = World(faults=[Rule("get", "pods", Stall(), times=None)]).run(get_worker_status(CONFIG, HANDLE))
    assert isinstance(outcome.error, Timeout)
    assert outcome.seconds == pytest.approx(CONFIG.operation_timeout)


# --- the server's time


def test_the_servers_time_is_that_of_its_reply() -> None:
    told = tell(server_time(reply({}, date="Mon, 21 Sep 2026 14:13:20 GMT")), [])
    assert told.result == 1_790_000_000.0


def test_without_a_date_it_is_the_hosts_own() -> None:
    assert tell(server_time(reply({})), []).result == WALL


def test_a_pod_that_is_not_there_has_a_time_all_the_same() -> None:
    assert tell(read_pod_and_time(CONFIG, HANDLE), [(GET, not_found_reply())]).result == (None, WALL)


# --- the namespace


def test_a_namespace_is_made_once() -> None:
    world = World()
    config = KubernetesConfig(namespace="fresh")
    assert world.run(ensure_namespace(config)).result is True
    assert world.run(ensure_namespace(config)).result is False
    assert world.run(ensure_namespace(KubernetesConfig(namespace=NAMESPACE))).result is False


def test_a_namespace_whose_creation_is_lost_is_there_by_the_second_try() -> None:
    world = World(faults=[Rule("create", "namespaces", LoseReply())])
    outcome = world.run(ensure_namespace(KubernetesConfig(namespace="fresh")))
    assert outcome.error is None
    assert len(outcome.requests) == 2


def test_without_the_permission_it_is_told() -> None:
    world = World(cluster=Cluster(denied=[("create", "namespaces")]))
    error = world.run(ensure_namespace(KubernetesConfig(namespace="fresh"))).error
    assert isinstance(error, PermissionDenied)
    assert "namespaces" in str(error)
