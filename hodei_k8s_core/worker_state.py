"""Pod -> WorkerState: a table, of which the first row that fits counts.

Only the container `worker` is looked at; a sidecar's readiness, restarts and end say nothing about the worker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hodei_k8s_core.pod import Pod
from hodei_k8s_core.worker import WorkerState


def _has_ended(pod: Pod) -> bool:
    return pod.phase in ("Succeeded", "Failed")


def _has_not_started(pod: Pod) -> bool:
    # Pending, Unknown, none, and any phase that Kubernetes may still invent.
    return pod.phase != "Running"


def _worker_has_ended(pod: Pod) -> bool:
    worker = pod.worker_container
    return worker is not None and worker.state.terminated is not None


def _worker_is_not_ready(pod: Pod) -> bool:
    worker = pod.worker_container
    return worker is None or not worker.ready


def is_cut_off(pod: Pod) -> bool:
    """The containers are (or were last) ready and the Pod is not: its node is dead, or a readiness gate is closed.

    The node controller turns Ready to False and leaves the rest as the kubelet told it last.
    """
    ready, containers_ready = pod.condition("Ready"), pod.condition("ContainersReady")
    return (
        ready is not None
        and containers_ready is not None
        and (ready.status, containers_ready.status) == ("False", "True")
    )


def _is_draining(pod: Pod) -> bool:
    return pod.is_draining


def _has_job(pod: Pod) -> bool:
    return pod.job_id != ""


def _is_deleting(pod: Pod) -> bool:
    return pod.is_deleting


_TABLE: Final[tuple[tuple[Callable[[Pod], bool], WorkerState], ...]] = (
    (_is_deleting, WorkerState.TERMINATING),
    (_has_ended, WorkerState.TERMINATED),
    (_has_not_started, WorkerState.CREATING),
    (_worker_has_ended, WorkerState.TERMINATED),
    (_worker_is_not_ready, WorkerState.CONNECTING),
    (is_cut_off, WorkerState.CONNECTING),
    (_is_draining, WorkerState.DRAINING),
    (_has_job, WorkerState.BUSY),
)


def worker_state(pod: Pod | None) -> WorkerState:
    """Where the worker is in its life. None: there is no such Pod (or the name belongs to another one by now)."""
    if pod is None:
        return WorkerState.TERMINATED
    for fits, state in _TABLE:
        if fits(pod):
            return state
    return WorkerState.READY
