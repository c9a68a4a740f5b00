"""What happens to Pods as time goes: the states, their order and their shapes are those of `recordings/v1.36`."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.simulation import Behaviour, CannotStart, Cluster, Unschedulable, Waits, image_cannot_be_pulled
from tests.core.simulation_requests import (
    PODS,
    State,
    ask,
    create,
    delete,
    get,
    life,
    status_of,
    told,
)

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


def test_a_delete_gives_no_more_time_to_a_pod_past_its_deadline() -> None:
    cluster = Cluster(behaviours=lambda _: Behaviour(term=None))
    ask(cluster, create(spec={"activeDeadlineSeconds": 2, "terminationGracePeriodSeconds": 3}))
    ask(cluster, delete(gracePeriodSeconds=30), 4.0)
    cluster.advance(5.0)
    assert "a" in cluster.pods("hodei-workers")
    cluster.advance(6.0)
    assert "a" not in cluster.pods("hodei-workers")


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
