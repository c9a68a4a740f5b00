"""Pod -> WorkerInfo and WorkerHandle: what the Pod tells of its worker, in the server's own words.

Why a worker is stuck or has ended is written in one of several places, and the more telling ones hide behind the
others: a deadline is known to the Pod while its container only says 137, and a failed init container leaves the worker
waiting for ever with `PodInitializing`. `_EXPLANATIONS` is their order; the first that says something counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from hodei_k8s_core.labels import IDLE_SINCE, PROVIDER_ID
from hodei_k8s_core.pod import ContainerState, ContainerStatus, Pod, PodCondition, Terminated, epoch
from hodei_k8s_core.timeline import Timeline
from hodei_k8s_core.verdict import Verdict
from hodei_k8s_core.worker import WORKER_CONTAINER, WorkerHandle, WorkerInfo
from hodei_k8s_core.worker_state import is_cut_off, worker_state

# signal(7) for Linux on x86 and ARM; not the host's own numbers, since a worker always runs on Linux.
_SIGNALS: Final = (
    "",
    *("SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1"),
    *("SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP"),
    *("SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR"),
    "SIGSYS",
)
_NO_STATUS: Final = ContainerStatus(name=WORKER_CONTAINER)


class Explanation(msgspec.Struct, frozen=True):
    """Why a worker is where it is: a word of Kubernetes, and a text for people."""

    reason: str = ""
    message: str = ""


_NOTHING: Final = Explanation()


def worker_handle(pod: Pod) -> WorkerHandle:
    """How a host finds the worker of this Pod again; `created_at` is by the server's clock."""
    meta = pod.metadata
    return WorkerHandle(
        worker_id=pod.worker_id,
        provider_resource_id=meta.name,
        provider_id=meta.labels.get(PROVIDER_ID, ""),
        created_at=meta.created_at or 0.0,
        metadata={"namespace": meta.namespace, "pod_uid": meta.uid},
    )


def worker_info(pod: Pod, verdict: Verdict | None = None, timeline: Timeline | None = None) -> WorkerInfo:
    """Everything that the Pod tells of its worker; `verdict` and `timeline` as they were found."""
    worker = pod.worker_container or _NO_STATUS
    ended = last_end(worker)
    run = worker.state.running or ended
    explanation = explain(pod)
    return WorkerInfo(
        handle=worker_handle(pod),
        state=worker_state(pod),
        phase=pod.phase,
        node=pod.spec.node_name,
        image=_image(pod, worker),
        restarts=worker.restart_count,
        exit_code=ended.exit_code if ended is not None else None,
        signal=signal_name(ended) if ended is not None else "",
        reason=explanation.reason,
        message=explanation.message,
        termination_message=ended.message if ended is not None else "",
        job_id=pod.job_id,
        draining=pod.is_draining,
        idle_since=epoch(pod.annotation(IDLE_SINCE)),
        created_at=pod.metadata.created_at,
        started_at=epoch(run.started_at) if run is not None else None,
        finished_at=epoch(run.finished_at) if isinstance(run, Terminated) else None,
        deleting_since=pod.metadata.deleting_since,
        labels=pod.metadata.labels,
        verdict=verdict,
        timeline=timeline,
    )


def _image(pod: Pod, worker: ContainerStatus) -> str:
    for asked in pod.spec.containers:
        if asked.name == WORKER_CONTAINER:
            return asked.image
    return worker.image


def last_end(container: ContainerStatus) -> Terminated | None:
    """How the container ended: the current run, or else the one before the last restart; None when it never did."""
    return container.state.terminated or container.last_state.terminated


def signal_name(end: Terminated) -> str:
    """The signal that ended a container, or "": a shell's and a runtime's code for it is 128 and its number."""
    number = end.signal or end.exit_code - 128
    return _SIGNALS[number] if 0 < number < len(_SIGNALS) else ""


def explain(pod: Pod) -> Explanation:
    """Why the worker is stuck, or why it ended; empty for one that simply runs."""
    for explanation in _EXPLANATIONS:
        told = explanation(pod)
        if told is not None:
            return told
    return _NOTHING


def _by_pod(pod: Pod) -> Explanation | None:
    """DeadlineExceeded, Evicted, NodeLost, OutOfcpu ..."""
    status = pod.status
    return Explanation(status.reason, status.message) if status.reason else None


def _by_disruption(pod: Pod) -> Explanation | None:
    """PreemptionByScheduler, EvictionByEvictionAPI, DeletionByTaintManager ..."""
    return _of_condition(pod.condition("DisruptionTarget"), status="True")


def _by_init_container(pod: Pod) -> Explanation | None:
    """The init container that holds the worker back, with the prefix that kubectl gives such reasons.

    Only as long as the worker has not run: later a native sidecar may well end with an error, after its worker.
    """
    worker = (pod.worker_container or _NO_STATUS).state
    if worker.running is not None or worker.terminated is not None:
        return None
    for status in pod.status.init_container_statuses:
        trouble = _trouble(status.state)
        if trouble is not None:
            return Explanation(f"Init:{trouble.reason}", _joined(f"init container {status.name}", trouble.message))
    return None


def _trouble(state: ContainerState) -> Explanation | None:
    end = state.terminated
    if end is not None and end.exit_code != 0:
        return Explanation(end.reason or "Error", _joined(f"exit code {end.exit_code}", end.message))
    # PodInitializing is what it says while an earlier one runs.
    if state.waiting is not None and state.waiting.reason not in ("", "PodInitializing"):
        return Explanation(state.waiting.reason, state.waiting.message)
    return None


def _by_end(pod: Pod) -> Explanation | None:
    """Completed, Error, OOMKilled, StartError ..."""
    end = (pod.worker_container or _NO_STATUS).state.terminated
    return Explanation(end.reason, end.message) if end is not None and end.reason else None


def _by_waiting(pod: Pod) -> Explanation | None:
    """ContainerCreating, ImagePullBackOff, CreateContainerConfigError, CrashLoopBackOff ..."""
    waiting = (pod.worker_container or _NO_STATUS).state.waiting
    return Explanation(waiting.reason, waiting.message) if waiting is not None and waiting.reason else None


def _by_scheduler(pod: Pod) -> Explanation | None:
    """Unschedulable, SchedulingGated."""
    return _of_condition(pod.condition("PodScheduled"), status="False")


def _by_readiness(pod: Pod) -> Explanation | None:
    """A dead node, or a readiness gate that is closed."""
    return _of_condition(pod.condition("Ready"), status="False") if is_cut_off(pod) else None


def _joined(what: str, detail: str) -> str:
    return f"{what}: {detail}" if detail else what


def _of_condition(condition: PodCondition | None, status: str) -> Explanation | None:
    if condition is None or condition.status != status:
        return None
    return Explanation(condition.reason, condition.message) if condition.reason else None


_EXPLANATIONS: Final[tuple[Callable[[Pod], Explanation | None], ...]] = (
    _by_pod,
    _by_disruption,
    _by_init_container,
    _by_end,
    _by_waiting,
    _by_scheduler,
    _by_readiness,
)
