"""Rules about what has ended, or is about to: the worker's own end, and what was done to it."""

from __future__ import annotations

from typing import Final

from hodei_k8s_core.diagnosis.case import (
    ALL_WELL,
    Case,
    Examination,
    of_condition,
    of_end,
    of_pod,
    sentence,
    started,
    trouble,
)
from hodei_k8s_core.pod import ContainerStatus, Terminated, epoch
from hodei_k8s_core.verdict import Blame, Category
from hodei_k8s_core.worker_info import signal_name

_DISRUPTIONS: Final[dict[str, tuple[Category, Blame, str]]] = {
    "PreemptionByScheduler": (Category.PREEMPTED, Blame.CAPACITY, "the scheduler ended it for a more important Pod"),
    "EvictionByEvictionAPI": (Category.EVICTED, Blame.OPERATOR, "it was evicted, as when a node is drained"),
    "DeletionByTaintManager": (Category.NODE_LOST, Blame.PLATFORM, "its node got a taint that it does not tolerate"),
    "DeletionByPodGC": (Category.NODE_LOST, Blame.PLATFORM, "its node is gone"),
    "TerminationByKubelet": (Category.EVICTED, Blame.PLATFORM, "its node ended it"),
}
_REASONS: Final[dict[str, tuple[Category, Blame, str]]] = {
    "Evicted": (Category.EVICTED, Blame.CAPACITY, "its node ran out of a resource and evicted it"),
    "Preempting": (Category.PREEMPTED, Blame.CAPACITY, "its node ended it for a more important Pod"),
    "NodeLost": (Category.NODE_LOST, Blame.PLATFORM, "its node is lost"),
    "Terminated": (Category.EVICTED, Blame.PLATFORM, "its node was shut down"),
    "Shutdown": (Category.EVICTED, Blame.PLATFORM, "its node was shut down"),
    "NodeShutdown": (Category.NODE_REJECTED, Blame.PLATFORM, "its node shuts down and takes no Pod"),
    "UnexpectedAdmissionError": (Category.NODE_REJECTED, Blame.PLATFORM, "its node could not take it"),
}
_OWN_STORAGE: Final = ("ephemeral local storage usage exceeds", "local ephemeral storage limit", "usage of EmptyDir")
"""How the kubelet says that an eviction is the Pod's own doing (pkg/kubelet/eviction/helpers.go)."""
_DELETION_SIGNALS: Final = ("SIGTERM", "SIGKILL")
_LOST: Final = "ContainerStatusUnknown"
"""What the kubelet writes, with a made-up 137, when the runtime does not know a container any more."""
_NO_PROGRAM: Final = ("StartError", "ContainerCannotRun")


def has_succeeded(case: Case) -> Examination | None:
    """The worker did what it should; what became of its sidecars is another matter."""
    end = case.worker.state.terminated
    if end is None or end.exit_code != 0:
        return None
    own_end = case.pod.phase == "Succeeded" or not case.pod.status.reason
    return ALL_WELL if own_end and not _was_disrupted(case, end) else None


def disrupted(case: Case) -> Examination | None:
    """What is told by the condition DisruptionTarget."""
    condition = case.condition("DisruptionTarget", "True")
    if condition is None or _ended_before(case, epoch(condition.last_transition_time)):
        return None
    if condition.reason == "TerminationByKubelet" and case.pod.status.reason in _REASONS:
        return _by_reason(case)
    found = _DISRUPTIONS.get(condition.reason, (Category.EVICTED, Blame.PLATFORM, "it is ended from outside"))
    category, blame, what = found
    summary = sentence(what, condition.message)
    return trouble(category, blame, summary, of_condition(condition), terminal=True, retryable=True)


def ended_by_reason(case: Case) -> Examination | None:
    """What the Pod itself says of its end."""
    reason = case.pod.status.reason
    if reason == "DeadlineExceeded":
        return _deadline_exceeded(case)
    if reason in _REASONS:
        return _by_reason(case)
    if reason and case.pod.phase == "Failed" and not case.has_started and case.worker.state.terminated is None:
        # OutOfcpu, NodeAffinity, TopologyAffinityError, AppArmor ...: the kubelet refuses a Pod before it does anything
        # (pkg/kubelet/lifecycle).
        summary = sentence(f"its node refused it ({reason})", case.pod.status.message)
        blame = Blame.CAPACITY if reason.startswith("OutOf") else Blame.PLATFORM
        return trouble(Category.NODE_REJECTED, blame, summary, of_pod(case.pod), terminal=True, retryable=True)
    return None


def worker_ended(case: Case) -> Examination | None:
    """The worker's container has ended, by its own doing."""
    end = case.worker.state.terminated
    if end is None or end.exit_code == 0:
        return None
    if _is_ended_by_deletion(case, end):
        return None
    if end.reason in _NO_PROGRAM or (end.exit_code == 128 and started(end) is None and end.message):
        return _could_not_start(case, end)
    if end.reason == _LOST:
        return _end_is_lost(case, end)
    return ended_badly(case.worker, end, terminal=case.restarts_never)


def init_failed(case: Case) -> Examination | None:
    """An init container has ended badly, and the worker never gets its turn."""
    if case.worker.state.running is not None or case.worker.state.terminated is not None or case.pod.is_deleting:
        return None
    for status, is_sidecar in case.init_containers():
        end = status.state.terminated
        if end is not None and end.exit_code != 0 and not is_sidecar:
            return init_ended(status, end, terminal=case.restarts_never)
    return None


def init_ended(status: ContainerStatus, end: Terminated, *, terminal: bool) -> Examination:
    """The verdict on an init container's end."""
    summary = sentence(f"its init container {status.name} ended with exit code {end.exit_code}", end.message)
    return trouble(
        Category.INIT_FAILED,
        Blame.CONFIGURATION,
        summary,
        of_end(status, end),
        terminal=terminal,
        retryable=False,
        exit_code=end.exit_code,
        signal=signal_name(end),
        termination_message=end.message,
    )


def ended_badly(container: ContainerStatus, end: Terminated, *, terminal: bool) -> Examination:
    """The verdict on the end of a program that ran."""
    signal = signal_name(end)
    if end.reason == "OOMKilled":
        category, what = Category.OUT_OF_MEMORY, "it used more memory than its limit, and was killed"
    else:
        by = f" ({signal})" if signal else ""
        category, what = Category.EXITED, f"it ended with exit code {end.exit_code}{by}"
    return trouble(
        category,
        Blame.WORKER,
        sentence(what, end.message),
        of_end(container, end),
        terminal=terminal,
        retryable=False,
        exit_code=end.exit_code,
        signal=signal,
        termination_message=end.message,
    )


def failed_without_a_reason(case: Case) -> Examination | None:
    """The Pod has failed, and nothing in it says why."""
    if case.pod.phase != "Failed" or case.pod.is_deleting:
        return None
    what = "the Pod has failed, and nothing says why"
    return trouble(Category.UNKNOWN, Blame.PLATFORM, what, of_pod(case.pod), terminal=True, retryable=True)


def _is_ended_by_deletion(case: Case, end: Terminated) -> bool:
    """It ended because it was told to; then its code is no fault.

    When the node has confirmed the end, the grace period is 0 and the deletion's time that of the confirmation: what
    is left is whether a signal ended it.
    """
    meta = case.pod.metadata
    if not case.pod.is_deleting or end.reason == "OOMKilled":
        return False
    if meta.deletion_grace_period_seconds == 0:
        return signal_name(end) in _DELETION_SIGNALS
    return not _ended_before(case, meta.deleting_since)


def _was_disrupted(case: Case, end: Terminated) -> bool:
    """A worker that is told to end may well end with 0."""
    condition = case.condition("DisruptionTarget", "True")
    at = None if condition is None else epoch(condition.last_transition_time)
    finished = epoch(end.finished_at)
    return case.pod.phase != "Succeeded" and at is not None and finished is not None and finished >= at


def _ended_before(case: Case, moment: float | None) -> bool:
    end = case.worker.state.terminated
    finished = None if end is None else epoch(end.finished_at)
    return finished is not None and moment is not None and finished < moment


def _by_reason(case: Case) -> Examination:
    status = case.pod.status
    category, blame, what = _REASONS[status.reason]
    if status.reason == "Evicted" and any(mark in status.message for mark in _OWN_STORAGE):
        blame, what = Blame.WORKER, "it used more storage than it may, and was evicted"
    retryable = blame is not Blame.WORKER
    return trouble(
        category, blame, sentence(what, status.message), of_pod(case.pod), terminal=True, retryable=retryable
    )


def _deadline_exceeded(case: Case) -> Examination:
    limit = case.pod.spec.active_deadline_seconds
    within = "the time that it may live" if limit is None else f"the {limit} s that it may live"
    if case.has_started:
        what, blame = f"it did not end within {within}", Blame.WORKER
    else:
        what, blame = f"it did not even start within {within}", Blame.PLATFORM
    return trouble(
        Category.DEADLINE_EXCEEDED,
        blame,
        what,
        of_pod(case.pod),
        terminal=True,
        retryable=blame is not Blame.WORKER,
    )


def _end_is_lost(case: Case, end: Terminated) -> Examination:
    what = sentence("its node does not know how it ended", end.message)
    evidence = of_end(case.worker, end)
    return trouble(Category.UNKNOWN, Blame.PLATFORM, what, evidence, terminal=case.restarts_never, retryable=True)


def _could_not_start(case: Case, end: Terminated) -> Examination:
    return trouble(
        Category.START_FAILED,
        Blame.IMAGE,
        sentence("its program could not be started", end.message),
        of_end(case.worker, end),
        terminal=case.restarts_never,
        retryable=False,
        exit_code=end.exit_code,
        termination_message=end.message,
    )
