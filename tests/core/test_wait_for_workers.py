"""Waiting for many workers at once: each gets what `wait_for_worker` would give it, by one watch."""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core import operations
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import (
    ConfigurationError,
    ConnectionFailed,
    NotReady,
    ProvisioningTimeout,
    WorkerNotFound,
)
from hodei_k8s_core.operations.worker_wait import Waits, WorkerWait, wanted_states
from hodei_k8s_core.simulation.behaviour import Behaviour
from hodei_k8s_core.simulation.faults import LoseRequest, Rule
from hodei_k8s_core.simulation.world import World
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import ChangeKind, WorkerChange

CONFIG = KubernetesConfig(provider_id="tests")
BEHAVIOURS = {"service:1": Behaviour(), "job:1": Behaviour(exit_code=3, run=1.0), "slow:1": Behaviour(pull=500.0)}


def created(world: World, worker_id: str, image: str = "service:1") -> WorkerHandle:
    spec = WorkerSpec(worker_id=worker_id, image=image, server_address="hodei:9090")
    return world.run(operations.create_worker(CONFIG, spec)).result


@pytest.fixture
def world() -> World:
    return World(behaviours=BEHAVIOURS)


def test_each_worker_has_its_outcome_in_the_order_of_the_handles(world: World) -> None:
    handles = [created(world, "w2"), created(world, "w1", "job:1"), created(world, "w3", "slow:1")]
    outcome = world.run(operations.wait_for_workers(CONFIG, handles, until=WorkerState.TERMINATED, timeout=60))
    first, second, third = outcome.result
    assert [one.worker_id for one in outcome.result] == ["w2", "w1", "w3"]
    assert (second.is_success, second.info.exit_code) == (True, 3)
    assert isinstance(first.error, ProvisioningTimeout)
    assert first.info.state is WorkerState.READY
    assert "it is READY" in str(first.error)
    assert isinstance(third.error, ProvisioningTimeout)
    assert outcome.seconds == pytest.approx(60, abs=1)


def test_it_is_one_list_and_one_watch_of_just_these_workers(world: World) -> None:
    handles = [created(world, f"w{n}") for n in range(30)]
    outcome = world.run(operations.wait_for_workers(CONFIG, handles[:20]))
    assert all(one.is_success for one in outcome.result)
    assert len(outcome.requests) == 2
    assert ",hodei.io/worker-id in (w0,w1,w10," in (outcome.requests[0].parameter("labelSelector") or "")
    assert outcome.bodies_left == 0


def test_so_many_that_no_url_holds_their_names_are_watched_with_the_whole_fleet(world: World) -> None:
    handles = [created(world, f"w{n}-{'x' * 50}") for n in range(40)]
    outcome = world.run(operations.wait_for_workers(CONFIG, handles))
    assert all(one.is_success for one in outcome.result)
    assert "worker-id" not in (outcome.requests[0].parameter("labelSelector") or "")


def test_it_returns_as_soon_as_all_are_decided(world: World) -> None:
    handles = [created(world, "w1"), created(world, "w2", "job:1")]
    outcome = world.run(operations.wait_for_workers(CONFIG, handles, until=WorkerState.BUSY, timeout=2))
    assert isinstance(outcome.result[1].error, NotReady)
    assert outcome.result[1].error.verdict is not None
    ready = world.run(operations.wait_for_workers(CONFIG, handles[:1], timeout=60))
    assert ready.seconds < 2


def test_a_worker_without_a_pod_is_terminated(world: World) -> None:
    handle = created(world, "w1")
    world.run(operations.destroy_worker(CONFIG, handle))
    gone = world.run(operations.wait_for_workers(CONFIG, [handle], until=WorkerState.TERMINATED)).result
    assert (gone[0].is_success, gone[0].info.state) == (True, WorkerState.TERMINATED)
    vain = world.run(operations.wait_for_workers(CONFIG, [handle])).result
    assert isinstance(vain[0].error, NotReady)


def test_a_worker_that_is_destroyed_meanwhile_is_terminated(world: World) -> None:
    handle = created(world, "w1")
    world.at(5, lambda cluster: cluster.store.remove("pods", cluster.pods(CONFIG.namespace)[handle.pod_name]))
    [one] = world.run(operations.wait_for_workers(CONFIG, [handle], until=WorkerState.TERMINATED)).result
    assert one.info.state is WorkerState.TERMINATED
    assert one.info.image == "service:1"


def test_a_worker_that_loses_our_labels_is_told_to_be_out_of_view(world: World) -> None:
    handle = created(world, "w1")

    def relabel(cluster) -> None:
        pod = cluster.pods(CONFIG.namespace)[handle.pod_name]
        cluster.store.put("pods", {**pod, "metadata": {**pod["metadata"], "labels": {}}})

    world.at(5, relabel)
    [one] = world.run(operations.wait_for_workers(CONFIG, [handle], until=WorkerState.BUSY)).result
    assert isinstance(one.error, WorkerNotFound)
    assert "out of view" in str(one.error)


def test_of_the_same_worker_twice_both_are_told(world: World) -> None:
    handle = created(world, "w1")
    outcomes = world.run(operations.wait_for_workers(CONFIG, [handle, handle])).result
    assert [one.is_success for one in outcomes] == [True, True]


def test_no_workers_are_no_request(world: World) -> None:
    outcome = world.run(operations.wait_for_workers(CONFIG, []))
    assert (outcome.result, outcome.requests) == ([], [])


def test_a_server_that_is_not_there_is_told() -> None:
    world = World(behaviours=BEHAVIOURS)
    handle = created(world, "w1")
    world.plan.add(Rule("", "", LoseRequest(), times=None))
    assert isinstance(world.run(operations.wait_for_workers(CONFIG, [handle])).error, ConnectionFailed)


@pytest.mark.parametrize("options", [{"until": ()}, {"timeout": 0}])
def test_a_wait_that_makes_no_sense_is_refused(world: World, options) -> None:
    assert isinstance(world.run(operations.wait_for_workers(CONFIG, [], **options)).error, ConfigurationError)


def test_a_handle_of_another_provider_is_refused(world: World) -> None:
    other = msgspec.structs.replace(created(world, "w1"), provider_id="other")
    assert isinstance(world.run(operations.wait_for_workers(CONFIG, [other])).error, ConfigurationError)


def handle_of(uid: str, created_at: float = 10.0) -> WorkerHandle:
    return WorkerHandle(
        worker_id="w1",
        provider_resource_id="hodei-worker-w1",
        provider_id="tests",
        created_at=created_at,
        metadata={"pod_uid": uid},
    )


def change(
    uid: str, state: WorkerState, kind: ChangeKind = ChangeKind.CHANGED, at: float = 10.0, **more
) -> WorkerChange:
    info = WorkerInfo(handle=handle_of(uid, at), state=state, created_at=at)
    return WorkerChange(kind=kind, info=info, **more)


def wait_for(uid: str, until: WorkerState = WorkerState.READY) -> WorkerWait:
    return WorkerWait(handle_of(uid), wanted_states(until, 1.0))


def test_a_later_pod_of_that_name_means_that_ours_is_gone() -> None:
    wait = wait_for("ours", WorkerState.TERMINATED)
    wait.tell(change("theirs", WorkerState.READY, at=11.0))
    assert wait.is_over
    assert wait.error is None


def test_news_of_an_earlier_pod_of_that_name_come_late_and_say_nothing() -> None:
    wait = wait_for("ours", WorkerState.TERMINATED)
    wait.tell(change("theirs", WorkerState.READY, at=9.0))
    wait.tell(change("theirs", WorkerState.TERMINATING, ChangeKind.REMOVED, at=9.0, gone=True))
    assert not wait.is_over


def test_a_handle_without_a_uid_keeps_to_the_first_pod_that_is_seen() -> None:
    wait = wait_for("")
    wait.tell(change("first", WorkerState.CREATING))
    wait.tell(change("second", WorkerState.READY, at=12.0))
    assert isinstance(wait.error, NotReady)


def test_what_is_over_stays_so() -> None:
    wait = wait_for("ours")
    wait.tell(change("ours", WorkerState.READY))
    wait.tell(change("ours", WorkerState.TERMINATING))
    wait.fail(NotReady("late"))
    assert (wait.error, wait.info.state) == (None, WorkerState.READY)


def test_a_change_is_told_only_to_those_that_wait_for_that_worker() -> None:
    waits, ours = Waits(), wait_for("ours")
    other = WorkerWait(msgspec.structs.replace(handle_of("x"), worker_id="w2"), wanted_states(WorkerState.READY, 1.0))
    for wait in (ours, other):
        waits.add(wait)
    assert waits.tell([change("ours", WorkerState.READY)]) == [ours]
    assert list(waits) == [other]
    waits.discard(ours)
    assert waits.fail_all(NotReady("closed")) == [other]
    assert (len(waits), str(other.error)) == (0, "closed")


def test_a_time_that_is_over_says_what_is_known() -> None:
    unseen, seen = wait_for("ours"), wait_for("ours")
    seen.tell(change("ours", WorkerState.CONNECTING))
    for wait in (unseen, seen):
        wait.run_out(5.0)
    assert "was not READY within 5 s; nothing is known of it" in str(unseen.error)
    assert "it is CONNECTING" in str(seen.error)
