"""The table of states, row by row; then what an info says besides."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.worker import WorkerInfo, WorkerState
from hodei_k8s_core.worker_info import worker_handle, worker_info
from hodei_k8s_core.worker_state import worker_state
from tests.core.thoroughness import examples

RUNNING = {"running": {"startedAt": "2026-11-23T14:00:05Z"}}
TERMINATED = {
    "terminated": {
        "exitCode": 3,
        "reason": "Error",
        "message": "last words",
        "startedAt": "2026-11-23T14:00:05Z",
        "finishedAt": "2026-11-23T14:00:09Z",
    }
}
CREATING = {"waiting": {"reason": "ContainerCreating"}}
NODE_IS_DEAD = [
    {"type": "Ready", "status": "False", "reason": "NodeNotReady", "message": "node is not ready"},
    {"type": "ContainersReady", "status": "True"},
]


def container(name: str = "worker", **fields: Any) -> dict[str, Any]:
    return {"name": name, "ready": False, "state": RUNNING, **fields}


def pod(
    phase: str = "Running",
    *containers: dict[str, Any],
    annotations: dict[str, str] | None = None,
    deleting: bool = False,
    **status: Any,
) -> Pod:
    metadata: dict[str, Any] = {
        "name": "hodei-worker-1",
        "namespace": "ns",
        "uid": "u",
        "creationTimestamp": "2026-11-23T14:00:00Z",
        "labels": {"hodei.io/worker-id": "1", "hodei.io/provider-id": "p"},
        "annotations": annotations,
    }
    if deleting:
        metadata |= {"deletionTimestamp": "2026-11-23T14:01:30Z", "deletionGracePeriodSeconds": 30}
    whole = {
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"nodeName": "n", "containers": [{"name": "side", "image": "s"}, {"name": "worker", "image": "i:1"}]},
        "status": {"phase": phase, "containerStatuses": list(containers), **status},
    }
    return parse_pod(json.dumps(whole).encode())


READY = container(ready=True)
ROWS = {
    "no Pod": (None, "terminated"),
    "deleting": (pod("Running", READY, deleting=True), "terminating"),
    "deleting, and pending": (pod("Pending", deleting=True), "terminating"),
    "deleting, and ended": (pod("Succeeded", container(state=TERMINATED), deleting=True), "terminating"),
    "deleting, draining, busy": (
        pod("Running", READY, deleting=True, annotations={"hodei.io/draining": "true", "hodei.io/job-id": "j"}),
        "terminating",
    ),
    "pending": (pod("Pending"), "creating"),
    "pending with a job": (pod("Pending", annotations={"hodei.io/job-id": "j"}), "creating"),
    "pending, container waiting": (pod("Pending", container(state=CREATING)), "creating"),
    "pending, container ended": (pod("Pending", container(state=TERMINATED)), "creating"),
    "unknown": (pod("Unknown", READY), "creating"),
    "no phase": (pod(""), "creating"),
    "a phase of the future": (pod("Resting", READY), "creating"),
    "not ready": (pod("Running", container()), "connecting"),
    "not ready, draining": (pod("Running", container(), annotations={"hodei.io/draining": "true"}), "connecting"),
    "not ready, busy": (pod("Running", container(), annotations={"hodei.io/job-id": "j"}), "connecting"),
    "waiting to restart": (
        pod("Running", container(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=TERMINATED)),
        "connecting",
    ),
    "no status of the worker": (pod("Running"), "connecting"),
    "only a sidecar is ready": (pod("Running", container("side", ready=True), container()), "connecting"),
    "only a native sidecar is ready": (
        pod("Running", container(), initContainerStatuses=[container("side", ready=True, started=True)]),
        "connecting",
    ),
    "an init container that is called worker": (pod("Running", initContainerStatuses=[READY]), "connecting"),
    "ready": (pod("Running", READY), "ready"),
    "ready beside a sidecar that is not": (pod("Running", container("side"), READY), "ready"),
    "ready beside a sidecar that ended": (pod("Running", container("side", state=TERMINATED), READY), "ready"),
    "ready, and the Pod too": (
        pod("Running", READY, conditions=[{"type": t, "status": "True"} for t in ("Ready", "ContainersReady")]),
        "ready",
    ),
    "ready, a sidecar holds the Pod back": (
        pod("Running", READY, conditions=[{"type": t, "status": "False"} for t in ("Ready", "ContainersReady")]),
        "ready",
    ),
    "ready, and nothing is known of the containers": (pod("Running", READY, conditions=NODE_IS_DEAD[:1]), "ready"),
    "ready, and nothing is known of the Pod": (pod("Running", READY, conditions=NODE_IS_DEAD[1:]), "ready"),
    "node is dead": (pod("Running", READY, conditions=NODE_IS_DEAD), "connecting"),
    "node is dead, busy": (
        pod("Running", READY, conditions=NODE_IS_DEAD, annotations={"hodei.io/job-id": "j"}),
        "connecting",
    ),
    "draining": (pod("Running", READY, annotations={"hodei.io/draining": "true"}), "draining"),
    "draining, whatever it is set to": (pod("Running", READY, annotations={"hodei.io/draining": ""}), "draining"),
    "draining with a job": (
        pod("Running", READY, annotations={"hodei.io/draining": "true", "hodei.io/job-id": "j"}),
        "draining",
    ),
    "busy": (pod("Running", READY, annotations={"hodei.io/job-id": "j"}), "busy"),
    "an empty job": (pod("Running", READY, annotations={"hodei.io/job-id": ""}), "ready"),
    "ended, a sidecar goes on": (
        pod("Running", container("side", ready=True), container(state=TERMINATED)),
        "terminated",
    ),
    "ended with a job": (
        pod("Running", container(state=TERMINATED), annotations={"hodei.io/job-id": "j"}),
        "terminated",
    ),
    "succeeded": (pod("Succeeded", container(state=TERMINATED)), "terminated"),
    "failed": (pod("Failed", container(state=TERMINATED)), "terminated"),
    "failed, nothing was told of the worker": (pod("Failed"), "terminated"),
    "failed, and still called ready": (
        pod("Failed", READY, annotations={"hodei.io/draining": "true"}),
        "terminated",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_table(row: str) -> None:
    seen, state = ROWS[row]
    assert worker_state(seen) is WorkerState(state)


def ended(code: int, **fields: Any) -> dict[str, Any]:
    return container(state={"terminated": {"exitCode": code, "reason": "Error", **fields}})


@pytest.mark.parametrize(
    ("status", "code", "signal"),
    [
        (container(), None, ""),
        (ended(0), 0, ""),
        (ended(1), 1, ""),
        (ended(128), 128, ""),
        (ended(129), 129, "SIGHUP"),
        (ended(137), 137, "SIGKILL"),
        (ended(139), 139, "SIGSEGV"),
        (ended(143), 143, "SIGTERM"),
        (ended(159), 159, "SIGSYS"),
        (ended(160), 160, ""),
        (ended(255), 255, ""),
        (ended(-1), -1, ""),
        (ended(1, signal=2), 1, "SIGINT"),
        (container(lastState=ended(143)["state"]), 143, "SIGTERM"),
        (ended(1) | {"lastState": ended(143)["state"]}, 1, ""),
    ],
)
def test_exit_code_and_signal(status: dict[str, Any], code: int | None, signal: str) -> None:
    info = worker_info(pod("Running", status))
    assert (info.exit_code, info.signal) == (code, signal)


def said(info: WorkerInfo) -> tuple[str, str]:
    return info.reason, info.message


INIT_FAILED = {"name": "prepare", "state": {"terminated": {"exitCode": 4, "reason": "Error", "message": "no disk"}}}
INIT_DONE = {"name": "prepare", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
INIT_WAITS = {"name": "prepare", "state": {"waiting": {"reason": "PodInitializing"}}}
INITIALIZING = container(state={"waiting": {"reason": "PodInitializing"}})
UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}

EXPLANATIONS = {
    "nothing is wrong": (pod("Running", READY), ("", "")),
    "being created": (pod("Pending", container(state=CREATING)), ("ContainerCreating", "")),
    "waiting, and nobody says why": (pod("Pending", container(state={"waiting": {}})), ("", "")),
    "no image": (
        pod("Pending", container(state={"waiting": {"reason": "ErrImagePull", "message": "not found"}})),
        ("ErrImagePull", "not found"),
    ),
    "crash loop": (
        pod("Running", container(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=TERMINATED)),
        ("CrashLoopBackOff", ""),
    ),
    "ended": (pod("Failed", container(state=TERMINATED)), ("Error", "last words")),
    "ended, and nobody says why": (pod("Failed", container(state={"terminated": {"exitCode": 1}})), ("", "")),
    "deadline": (
        pod("Failed", container(state=TERMINATED), reason="DeadlineExceeded", message="too long"),
        ("DeadlineExceeded", "too long"),
    ),
    "preempted": (
        pod(
            "Failed",
            container(state=TERMINATED),
            conditions=[{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}],
        ),
        ("PreemptionByScheduler", ""),
    ),
    "not preempted": (
        pod(
            "Failed",
            container(state=TERMINATED),
            conditions=[{"type": "DisruptionTarget", "status": "False", "reason": "PreemptionByScheduler"}],
        ),
        ("Error", "last words"),
    ),
    "unschedulable": (pod("Pending", conditions=[UNSCHEDULABLE]), ("Unschedulable", "0/1 nodes")),
    "unschedulable, and nobody says why": (pod("Pending", conditions=[{**UNSCHEDULABLE, "reason": ""}]), ("", "")),
    "scheduled": (pod("Pending", conditions=[{"type": "PodScheduled", "status": "True"}]), ("", "")),
    "init container failed": (
        pod("Failed", INITIALIZING, initContainerStatuses=[INIT_FAILED]),
        ("Init:Error", "init container prepare: exit code 4: no disk"),
    ),
    "the second init container failed": (
        pod("Failed", initContainerStatuses=[INIT_DONE, {"name": "b", "state": {"terminated": {"exitCode": 1}}}]),
        ("Init:Error", "init container b: exit code 1"),
    ),
    "an init container's image": (
        pod("Pending", initContainerStatuses=[{"name": "b", "state": {"waiting": {"reason": "ErrImagePull"}}}]),
        ("Init:ErrImagePull", "init container b"),
    ),
    "init containers run": (
        pod("Pending", INITIALIZING, initContainerStatuses=[INIT_DONE, INIT_WAITS, container("c")]),
        ("PodInitializing", ""),
    ),
    "a native sidecar ended after its worker": (
        pod("Succeeded", container(state=TERMINATED), initContainerStatuses=[ended(137) | {"name": "side"}]),
        ("Error", "last words"),
    ),
    "a native sidecar fails while its worker runs": (
        pod("Running", READY, initContainerStatuses=[ended(1) | {"name": "side"}]),
        ("", ""),
    ),
    "node is dead": (pod("Running", READY, conditions=NODE_IS_DEAD), ("NodeNotReady", "node is not ready")),
}


@pytest.mark.parametrize("case", EXPLANATIONS)
def test_why_it_is_stuck_or_ended(case: str) -> None:
    seen, explanation = EXPLANATIONS[case]
    assert said(worker_info(seen)) == explanation


def test_what_an_info_says_of_a_worker_that_ended() -> None:
    info = worker_info(
        pod(
            "Failed",
            container(state=TERMINATED, restartCount=2),
            deleting=True,
            annotations={
                "hodei.io/job-id": "j",
                "hodei.io/draining": "true",
                "hodei.io/idle-since": "2026-11-23T14:00:07.500000Z",
            },
        )
    )
    assert (info.state, info.phase, info.node, info.image) == (WorkerState.TERMINATING, "Failed", "n", "i:1")
    assert (info.restarts, info.exit_code, info.termination_message) == (2, 3, "last words")
    assert (info.job_id, info.draining, info.idle_since) == ("j", True, 1795442407.5)
    assert (info.created_at, info.started_at, info.finished_at) == (1795442400.0, 1795442405.0, 1795442409.0)
    assert info.deleting_since == 1795442460.0
    assert info.labels == {"hodei.io/worker-id": "1", "hodei.io/provider-id": "p"}


def test_the_times_are_of_the_current_run() -> None:
    again = container(state={"running": {"startedAt": "2026-11-23T14:00:20Z"}}, lastState=TERMINATED)
    info = worker_info(pod("Running", again))
    assert (info.started_at, info.finished_at) == (1795442420.0, None)


def test_the_times_are_of_the_last_run_while_none_is_current() -> None:
    waits = container(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=TERMINATED)
    info = worker_info(pod("Running", waits))
    assert (info.started_at, info.finished_at) == (1795442405.0, 1795442409.0)


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z"])
def test_an_idle_time_that_cannot_be_read_is_none(text: str) -> None:
    assert worker_info(pod("Running", READY, annotations={"hodei.io/idle-since": text})).idle_since is None


def test_the_image_of_a_pod_that_does_not_ask_for_the_worker_is_the_status() -> None:
    bare = parse_pod(b'{"kind":"Pod","status":{"containerStatuses":[{"name":"worker","image":"docker.io/i:1"}]}}')
    assert worker_info(bare).image == "docker.io/i:1"


def test_a_handle_leads_back_to_the_pod() -> None:
    handle = worker_handle(pod("Pending"))
    assert (handle.worker_id, handle.provider_type, handle.provider_id) == ("1", "kubernetes", "p")
    assert (handle.pod_name, handle.namespace, handle.pod_uid) == ("hodei-worker-1", "ns", "u")
    assert handle.created_at == 1795442400.0


def test_a_handle_of_a_pod_without_labels_and_times_is_empty() -> None:
    handle = worker_handle(parse_pod(b'{"kind":"Pod"}'))
    assert (handle.worker_id, handle.provider_id, handle.created_at, handle.pod_name) == ("", "", 0.0, "")


texts = st.sampled_from(["", "Error", "PodInitializing", "CrashLoopBackOff", "1970-01-01T00:00:00Z", "x"])
states = st.fixed_dictionaries(
    {},
    optional={
        "waiting": st.none() | st.fixed_dictionaries({}, optional={"reason": texts, "message": texts}),
        "running": st.none() | st.fixed_dictionaries({}, optional={"startedAt": st.none() | texts}),
        "terminated": st.none()
        | st.fixed_dictionaries(
            {}, optional={"exitCode": st.integers(-300, 300), "signal": st.integers(-1, 99), "finishedAt": texts}
        ),
    },
)
containers = st.fixed_dictionaries(
    {"name": st.sampled_from(["worker", "side"])},
    optional={"ready": st.none() | st.booleans(), "state": st.none() | states, "lastState": st.none() | states},
)
conditions = st.fixed_dictionaries(
    {"type": st.sampled_from(["Ready", "ContainersReady", "PodScheduled", "DisruptionTarget"])},
    optional={"status": st.sampled_from(["True", "False", "Unknown", ""]), "reason": texts, "message": st.none()},
)
statuses = st.fixed_dictionaries(
    {"phase": st.none() | st.sampled_from(["", "Pending", "Running", "Succeeded", "Failed", "Unknown", "New"])},
    optional={
        "reason": st.none() | texts,
        "conditions": st.none() | st.lists(conditions, max_size=4),
        "containerStatuses": st.none() | st.lists(containers, max_size=3),
        "initContainerStatuses": st.none() | st.lists(containers, max_size=3),
    },
)


@settings(max_examples=examples(150), deadline=None)
@given(status=statuses, annotations=st.dictionaries(st.sampled_from(["hodei.io/draining", "hodei.io/job-id"]), texts))
def test_no_status_is_a_crash(status: dict[str, Any], annotations: dict[str, str]) -> None:
    whole = {"kind": "Pod", "metadata": {"name": "a", "annotations": annotations}, "status": status}
    seen = parse_pod(json.dumps(whole).encode())
    info = worker_info(seen)
    assert info.state is worker_state(seen)
    worker = seen.worker_container
    if info.state in (WorkerState.READY, WorkerState.BUSY, WorkerState.DRAINING):
        assert seen.phase == "Running"
        assert worker is not None
        assert worker.ready
        assert worker.state.terminated is None
