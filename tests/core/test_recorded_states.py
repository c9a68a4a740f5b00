"""The states of recorded Pods: every Pod that a real API server told, in order, one row a scenario."""

from __future__ import annotations

from itertools import groupby

import pytest

from hodei_k8s_core.event_list import parse_event_list
from hodei_k8s_core.pod import parse_pod
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_core.worker_info import worker_handle, worker_info
from hodei_k8s_core.worker_state import worker_state
from tests.recordings import V1_36, load

CREATING, CONNECTING, READY = WorkerState.CREATING, WorkerState.CONNECTING, WorkerState.READY
TERMINATING, TERMINATED = WorkerState.TERMINATING, WorkerState.TERMINATED

# Deleting a Pod whose container never started makes the kubelet report a container that it cannot find.
LOST = "ContainerStatusUnknown"
NEVER_READY = [CREATING, TERMINATING]

STATES = {
    "command-not-found": [CREATING, TERMINATED, TERMINATING],
    "deadline-exceeded": [CREATING, READY, TERMINATED, TERMINATING],
    "fails-exit-3": [CREATING, READY, TERMINATED, TERMINATING],
    "finalizer-blocks-delete": [CREATING, READY, TERMINATING],
    "image-never-pull": NEVER_READY,
    "image-pull-error": NEVER_READY,
    "invalid-image-name": NEVER_READY,
    "missing-pvc": NEVER_READY,
    "missing-secret-env": NEVER_READY,
    "oom-killed": [CREATING, READY, TERMINATED, TERMINATING],
    "ready-then-running": [CREATING, CONNECTING, READY, TERMINATING],
    # Its restart policy is none that a worker has; the table holds for each look at it.
    "restarts": [
        *(CREATING, READY, TERMINATED, READY, TERMINATED),
        *(CONNECTING, READY, TERMINATED, CONNECTING, TERMINATING),
    ],
    "sidecar-still-running": [CREATING, TERMINATED, TERMINATING],
    "succeeds": [CREATING, READY, TERMINATED, TERMINATING],
    "unschedulable-cpu": NEVER_READY,
    "unschedulable-gpu": NEVER_READY,
    "unschedulable-selector": NEVER_READY,
}

# scenario: restarts, exit code, signal, reason as the recorder last looked before it deleted, and reason at the end
ENDS = {
    "command-not-found": (0, 128, "", "StartError", "StartError"),
    "deadline-exceeded": (0, 137, "SIGKILL", "DeadlineExceeded", "DeadlineExceeded"),
    "fails-exit-3": (0, 3, "", "Error", "Error"),
    "finalizer-blocks-delete": (0, 137, "SIGKILL", "", "Error"),
    "image-never-pull": (0, 137, "SIGKILL", "ErrImageNeverPull", LOST),
    "image-pull-error": (0, 137, "SIGKILL", "ImagePullBackOff", LOST),
    "invalid-image-name": (0, 137, "SIGKILL", "InvalidImageName", LOST),
    "missing-pvc": (0, None, "", "Unschedulable", "Unschedulable"),
    "missing-secret-env": (0, 137, "SIGKILL", "CreateContainerConfigError", LOST),
    "oom-killed": (0, 137, "SIGKILL", "OOMKilled", "OOMKilled"),
    "ready-then-running": (0, 137, "SIGKILL", "", "Error"),
    "restarts": (2, 1, "", "CrashLoopBackOff", "Error"),
    "sidecar-still-running": (0, 0, "", "Completed", "Completed"),
    "succeeds": (0, 0, "", "Completed", "Completed"),
    "unschedulable-cpu": (0, None, "", "Unschedulable", "Unschedulable"),
    "unschedulable-gpu": (0, None, "", "Unschedulable", "Unschedulable"),
    "unschedulable-selector": (0, None, "", "Unschedulable", "Unschedulable"),
}

MESSAGES = {
    "command-not-found": "no such file or directory",
    "deadline-exceeded": "Pod was active on the node longer than the specified deadline",
    "image-pull-error": "Back-off pulling image",
    "missing-pvc": 'persistentvolumeclaim "absent" not found',
    "missing-secret-env": 'secret "absent" not found',
    "restarts": "back-off 20s restarting failed container",
    "unschedulable-gpu": "Insufficient nvidia.com/gpu",
}


def test_every_recording_has_its_rows() -> None:
    assert set(V1_36) == set(STATES) == set(ENDS)


@pytest.mark.parametrize("scenario", V1_36)
def test_states_in_order(scenario: str) -> None:
    pods = [parse_pod(data) for data in load(f"v1.36/{scenario}").pods()]
    assert [state for state, _ in groupby(map(worker_state, pods))] == STATES[scenario]


@pytest.mark.parametrize("scenario", V1_36)
def test_how_it_ended(scenario: str) -> None:
    recording = load(f"v1.36/{scenario}")
    seen = worker_info(parse_pod(recording.bodies("get")[0]))
    end = worker_info(parse_pod(recording.pods()[-1]))
    assert (end.restarts, end.exit_code, end.signal, seen.reason, end.reason) == ENDS[scenario]
    assert MESSAGES.get(scenario, "") in seen.message


@pytest.mark.parametrize("scenario", V1_36)
def test_times_are_in_order(scenario: str) -> None:
    end = worker_info(parse_pod(load(f"v1.36/{scenario}").pods()[-1]))
    times = [end.created_at, end.started_at, end.finished_at]
    known = [time for time in times if time is not None]
    assert known == sorted(known)
    assert end.created_at is not None
    assert end.deleting_since is not None
    assert end.deleting_since >= end.created_at


def test_what_a_handle_and_an_info_say() -> None:
    pod = parse_pod(load("v1.36/fails-exit-3").bodies("get")[0])
    handle, info = worker_handle(pod), worker_info(pod)
    assert (handle.worker_id, handle.pod_name) == ("fails", "hodei-worker-fails")
    assert handle.metadata == {"namespace": "hodei-workers", "pod_uid": pod.metadata.uid}
    assert info.handle == handle
    assert handle.created_at == info.created_at == 1795442478.0
    assert (info.started_at, info.finished_at) == (1795442479.0, 1795442479.0)
    assert (info.phase, info.image, info.node) == ("Failed", "localhost/worker:1", pod.spec.node_name)
    assert info.labels["hodei.io/worker-id"] == info.worker_id == "fails"


@pytest.mark.parametrize("scenario", V1_36)
def test_events_are_about_the_pod(scenario: str) -> None:
    recording = load(f"v1.36/{scenario}")
    pod = parse_pod(recording.bodies("get")[0])
    events = parse_event_list(recording.bodies("events")[0]).items
    assert events
    assert {event.involved_object.uid for event in events} == {pod.metadata.uid}
    assert {event.type for event in events} <= {"Normal", "Warning"}
    for event in events:
        assert event.reason
        assert event.message
        assert event.component
        assert event.first_seen is not None
        assert event.last_seen is not None
        assert event.last_seen >= event.first_seen
