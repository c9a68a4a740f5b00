"""How Pods end: deleted, killed, on a dead node, restarted."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.simulation import Behaviour, Cluster, image_cannot_be_pulled
from tests.core.simulation_requests import PODS, State, ask, create, delete, events, get, life, line, status_of, watch

# --- the end


def ending(behaviour: Behaviour, grace: int, **more: Any) -> list[State]:
    """Every event after a DELETE of a Pod that ran."""
    cluster = Cluster(behaviours=lambda _: behaviour)
    ask(cluster, create(**more))
    before = ask(cluster, get(f"{PODS}/a"), 5.0)["metadata"]["resourceVersion"]
    ask(cluster, delete(gracePeriodSeconds=grace), 5.0)
    stream: Any = cluster.handle(watch(resourceVersion=before), 5.0)
    cluster.advance(100.0)
    return [line(event) for event in events(stream.read(100.0))]


def test_a_deleted_worker_terminates_and_then_is_gone() -> None:
    assert ending(Behaviour(), 30) == [
        ("MODIFIED", "running", True, "Running"),
        ("MODIFIED", "running", True, "Running"),
        ("MODIFIED", "Error 143", False, "Running"),
        ("MODIFIED", "Error 143", False, "Failed"),
        ("MODIFIED", "Error 143", False, "Failed"),
        ("DELETED", "Error 143", False, "Failed"),
    ]


@pytest.mark.parametrize(
    ("behaviour", "last"),
    [
        (Behaviour(term_exit_code=0), ("DELETED", "Completed 0", False, "Succeeded")),
        (Behaviour(term=None), ("DELETED", "Error 137", False, "Failed")),
        (Behaviour(term=10), ("DELETED", "Error 137", False, "Failed")),
        (Behaviour(pull=1000), ("DELETED", "ContainerStatusUnknown 137", False, "Failed")),
        (Behaviour(start=1000), ("DELETED", "ContainerStatusUnknown 137", False, "Failed")),
        (Behaviour(fail=image_cannot_be_pulled("x")), ("DELETED", "ContainerStatusUnknown 137", False, "Failed")),
        (Behaviour(exit_code=0, run=10), ("DELETED", "Error 143", False, "Failed")),
        (Behaviour(exit_code=0, run=1), ("DELETED", "Completed 0", False, "Succeeded")),
        (Behaviour(exit_code=0, run=4.4), ("DELETED", "Completed 0", False, "Succeeded")),
    ],
)
def test_how_a_deleted_pod_ends(behaviour: Behaviour, last: State) -> None:
    assert ending(behaviour, 3)[-1] == last


def test_on_a_dead_node_a_pod_stays_terminating() -> None:
    assert ending(Behaviour(stops=False), 3) == [("MODIFIED", "running", True, "Running")]


def test_a_pod_deleted_before_its_steps_are_due_has_no_more_steps() -> None:
    cluster = Cluster()
    ask(cluster, create())
    for at in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        ask(cluster, delete(gracePeriodSeconds=0), at)
        ask(cluster, create(), at)
    ask(cluster, delete(gracePeriodSeconds=0), 0.7)
    cluster.advance(100.0)
    assert cluster.pods("hodei-workers") == {}
    assert cluster.next_event_at() is None


@pytest.mark.parametrize("behaviour", [Behaviour(exit_code=1, run=0.2), Behaviour(fail=image_cannot_be_pulled("x"))])
@pytest.mark.parametrize("grace", [0, 1])
def test_wherever_it_is_deleted_a_pod_goes_and_nothing_is_left_to_do(behaviour: Behaviour, grace: int) -> None:
    for step in range(30):
        cluster = Cluster(behaviours=lambda _: behaviour)
        ask(cluster, create(spec={"activeDeadlineSeconds": 1}))
        ask(cluster, delete(gracePeriodSeconds=grace), step / 20)
        cluster.advance(100.0)
        assert cluster.pods("hodei-workers") == {}, step
        assert cluster.next_event_at() is None


def test_a_held_pod_that_had_just_ended_is_marked_once() -> None:
    told_of = ending(Behaviour(schedule=0, pull=0, start=0, exit_code=0, run=4.8), 3, finalizers=["hodei.io/hold"])
    assert told_of == [
        ("MODIFIED", "Completed 0", False, "Running"),
        ("MODIFIED", "Completed 0", False, "Running"),
        ("MODIFIED", "Completed 0", False, "Succeeded"),
        ("MODIFIED", "Completed 0", False, "Succeeded"),
    ]


# --- restarts


def test_a_crash_loop_backs_off_longer_each_time() -> None:
    told_of = life(Behaviour(exit_code=1, run=1, ready=0), 50.0, spec={"restartPolicy": "Always"})[3:]
    assert [(state, ready) for _, state, ready, _ in told_of] == [
        ("running", True),
        ("Error 1", False),
        ("running", True),
        ("Error 1", False),
        ("CrashLoopBackOff", False),
        ("running", True),
        ("Error 1", False),
        ("CrashLoopBackOff", False),
        ("running", True),
        ("Error 1", False),
        ("CrashLoopBackOff", False),
    ]
    assert {phase for *_, phase in told_of} == {"Running"}


def test_a_restarted_container_tells_of_its_last_end() -> None:
    behaviour = Behaviour(exit_code=1, run=1, reason="OOMKilled")
    container = status_of(behaviour, 5.0, spec={"restartPolicy": "OnFailure"})["containerStatuses"][0]
    assert container["restartCount"] == 1
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container["state"]["waiting"]["message"].startswith("back-off 10s restarting failed container=worker pod=a_")
    assert container["lastState"]["terminated"]["reason"] == "OOMKilled"


def test_what_succeeds_is_not_restarted_on_failure() -> None:
    assert life(Behaviour(exit_code=0), 99.0, spec={"restartPolicy": "OnFailure"})[-1][3] == "Succeeded"


@pytest.mark.parametrize("at", [1.0, 1.55, 2.0, 3.5, 8.0])
def test_a_crash_loop_can_be_deleted_at_any_time(at: float) -> None:
    cluster = Cluster(behaviours=lambda _: Behaviour(exit_code=1, run=1))
    ask(cluster, create(spec={"restartPolicy": "Always"}))
    ask(cluster, delete(gracePeriodSeconds=1), at)
    cluster.advance(100.0)
    assert cluster.pods("hodei-workers") == {}


def test_others_can_act_at_a_time() -> None:
    cluster = Cluster()
    cluster.at(3.0, lambda now: ask(cluster, create(), now))
    assert cluster.next_event_at() == 3.0
    cluster.advance(2.9)
    assert cluster.pods("hodei-workers") == {}
    cluster.advance(3.0)
    assert list(cluster.pods("hodei-workers")) == ["a"]
