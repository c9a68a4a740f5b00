"""What happens to Pods as time goes: the states, their order and their shapes are those of `recordings/v1.36`."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.simulation import Behaviour, CannotStart, Cluster, Unschedulable, Waits, image_cannot_be_pulled
from tests.core.simulation_requests import PODS, ask, create, delete, events, get, watch

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


BEGINNING: list[State] = [
    ("MODIFIED", "", False, "Pending"),
    ("MODIFIED", "ContainerCreating", False, "Pending"),
    ("MODIFIED", "ContainerCreating", False, "Pending"),
]
STARTED: list[State] = [("MODIFIED", "running", False, "Running"), ("MODIFIED", "running", True, "Running")]


def test_a_worker_gets_ready_and_stays() -> None:
    assert life(Behaviour(), 1000.0) == BEGINNING + STARTED


def test_ready_at_once_is_one_event() -> None:
    assert life(Behaviour(ready=0), 1000.0) == [*BEGINNING, STARTED[1]]


def test_never_ready() -> None:
    assert life(Behaviour(ready=None), 1000.0) == [*BEGINNING, STARTED[0]]


@pytest.mark.parametrize(("code", "reason", "phase"), [(0, "Completed", "Succeeded"), (3, "Error", "Failed")])
def test_a_container_ends_before_its_pod_does(code: int, reason: str, phase: str) -> None:
    assert life(Behaviour(exit_code=code), 1000.0) == [
        *BEGINNING,
        *STARTED,
        ("MODIFIED", f"{reason} {code}", False, "Running"),
        ("MODIFIED", f"{reason} {code}", False, phase),
    ]


def test_it_can_end_before_it_is_ready() -> None:
    assert life(Behaviour(exit_code=137, run=0.05, reason="OOMKilled"), 9.0)[3:] == [
        STARTED[0],
        ("MODIFIED", "OOMKilled 137", False, "Running"),
        ("MODIFIED", "OOMKilled 137", False, "Failed"),
    ]


def test_a_program_that_is_missing() -> None:
    assert life(Behaviour(fail=CannotStart()), 9.0) == [
        *BEGINNING,
        ("MODIFIED", "StartError 128", False, "Pending"),
        ("MODIFIED", "StartError 128", False, "Failed"),
    ]


def test_an_image_that_cannot_be_pulled_waits_for_ever() -> None:
    assert life(Behaviour(fail=image_cannot_be_pulled("x")), 30.0) == [
        *BEGINNING,
        ("MODIFIED", "ErrImagePull", False, "Pending"),
        ("MODIFIED", "ImagePullBackOff", False, "Pending"),
        ("MODIFIED", "ErrImagePull", False, "Pending"),
    ]


def test_a_single_reason_stays() -> None:
    fail = Waits((("CreateContainerConfigError", 'secret "x" not found'),))
    assert life(Behaviour(fail=fail), 1000.0)[3:] == [("MODIFIED", "CreateContainerConfigError", False, "Pending")]


def test_an_unschedulable_pod_says_so() -> None:
    cluster = Cluster(
        behaviours=lambda _: Behaviour(fail=Unschedulable("0/1 nodes are available: 1 Insufficient cpu."))
    )
    ask(cluster, create())
    cluster.advance(1000.0)
    assert ask(cluster, get(f"{PODS}/a"), 1000.0)["status"] == {
        "phase": "Pending",
        "qosClass": "BestEffort",
        "conditions": [
            {
                "type": "PodScheduled",
                "status": "False",
                "lastProbeTime": None,
                "lastTransitionTime": "2026-09-21T14:13:20Z",
                "reason": "Unschedulable",
                "message": "0/1 nodes are available: 1 Insufficient cpu.",
            }
        ],
    }


# --- shapes


def status_of(behaviour: Behaviour, at: float, **more: Any) -> Any:
    cluster = Cluster(behaviours=lambda _: behaviour)
    ask(cluster, create(**more))
    return ask(cluster, get(f"{PODS}/a"), at)["status"]


def condition(kind: str, value: str, at: str, **told: str) -> dict[str, Any]:
    return {
        "type": kind,
        "observedGeneration": 1,
        "status": value,
        "lastProbeTime": None,
        "lastTransitionTime": at,
        **told,
    }


def test_the_status_of_a_pod_that_is_being_made() -> None:
    unready = {"reason": "ContainersNotReady", "message": "containers with unready status: [worker]"}
    assert status_of(Behaviour(schedule=1, pull=100), 1.0) == {
        "observedGeneration": 1,
        "phase": "Pending",
        "conditions": [
            condition("PodReadyToStartContainers", "False", "2026-09-21T14:13:21Z"),
            condition("Initialized", "True", "2026-09-21T14:13:21Z"),
            condition("Ready", "False", "2026-09-21T14:13:21Z", **unready),
            condition("ContainersReady", "False", "2026-09-21T14:13:21Z", **unready),
            condition("PodScheduled", "True", "2026-09-21T14:13:21Z"),
        ],
        "hostIP": "192.0.2.2",
        "hostIPs": [{"ip": "192.0.2.2"}],
        "startTime": "2026-09-21T14:13:21Z",
        "containerStatuses": [
            {
                "name": "worker",
                "state": {"waiting": {"reason": "ContainerCreating"}},
                "lastState": {},
                "ready": False,
                "restartCount": 0,
                "image": "worker:1",
                "imageID": "",
                "started": False,
            }
        ],
        "qosClass": "BestEffort",
    }


def test_conditions_keep_the_time_of_their_last_change() -> None:
    status = status_of(Behaviour(schedule=1, pull=4, start=1, ready=10), 30.0)
    assert [(one["type"], one["status"], one["lastTransitionTime"][-3:-1]) for one in status["conditions"]] == [
        ("PodReadyToStartContainers", "True", "23"),
        ("Initialized", "True", "21"),
        ("Ready", "True", "36"),
        ("ContainersReady", "True", "36"),
        ("PodScheduled", "True", "21"),
    ]
    assert status["podIP"] == "10.244.0.2"
    assert status["containerStatuses"][0]["state"] == {"running": {"startedAt": "2026-09-21T14:13:26Z"}}
    assert status["containerStatuses"][0]["started"] is True


def test_the_status_of_a_finished_pod() -> None:
    status = status_of(Behaviour(exit_code=0, run=2), 30.0)
    told_of = [(one["type"], one["status"], one.get("reason", "")) for one in status["conditions"]]
    assert told_of == [
        ("PodReadyToStartContainers", "False", ""),
        ("Initialized", "True", "PodCompleted"),
        ("Ready", "False", "PodCompleted"),
        ("ContainersReady", "False", "PodCompleted"),
        ("PodScheduled", "True", ""),
    ]
    assert status["containerStatuses"][0]["state"]["terminated"] == {
        "exitCode": 0,
        "reason": "Completed",
        "startedAt": "2026-09-21T14:13:20Z",
        "finishedAt": "2026-09-21T14:13:22Z",
        "containerID": f"containerd://{1:064x}",
    }


def test_a_program_that_never_ran_has_no_start() -> None:
    ended = status_of(Behaviour(fail=CannotStart("no such file")), 9.0)["containerStatuses"][0]["state"]["terminated"]
    assert ended == {
        "exitCode": 128,
        "reason": "StartError",
        "message": "no such file",
        "startedAt": "1970-01-01T00:00:00Z",
        "finishedAt": "2026-09-21T14:13:20Z",
    }


def test_past_its_deadline_a_pod_has_failed_whatever_its_container_did() -> None:
    status = status_of(Behaviour(term_exit_code=0), 9.0, spec={"activeDeadlineSeconds": 2})
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
    assert status["message"] == "Pod was active on the node longer than the specified deadline"


def test_a_pod_that_ended_in_time_does_not_exceed_its_deadline() -> None:
    assert "reason" not in status_of(Behaviour(exit_code=0), 9.0, spec={"activeDeadlineSeconds": 5})


def test_only_the_worker_ends_while_a_sidecar_goes_on() -> None:
    spec = {"containers": [{"name": "worker", "image": "job"}, {"name": "proxy", "image": "proxy"}]}
    cluster = Cluster(behaviours={"job": Behaviour(exit_code=0)})
    ask(cluster, create(spec=spec))
    status = ask(cluster, get(f"{PODS}/a"), 9.0)["status"]
    assert status["phase"] == "Running"
    assert [(one["name"], told(one)) for one in status["containerStatuses"]] == [
        ("proxy", "running"),
        ("worker", "Completed 0"),
    ]
    assert status["conditions"][2]["message"] == "containers with unready status: [worker]"


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
