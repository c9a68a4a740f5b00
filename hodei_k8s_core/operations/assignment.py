"""Which job a worker does, kept in annotations of its Pod; needs the permission to patch Pods.

The patch carries the uid and the version that was read, so two hosts that assign at once cannot both win.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation, Random, Sleep
from hodei_k8s_core.errors import ConfigurationError, Fault, NotReady, ProviderError
from hodei_k8s_core.labels import DRAINING, IDLE_SINCE, JOB_ID
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.operations.deadline import step, with_deadline
from hodei_k8s_core.operations.handles import check_handle
from hodei_k8s_core.operations.reading import not_found, read_pod_and_time
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.requests import patch_pod_annotations
from hodei_k8s_core.retry import backoff_delay
from hodei_k8s_core.server_time import format_rfc3339
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_info import worker_info

Annotations = Mapping[str, str | None]
Change = Callable[[WorkerInfo, float], Annotations]
"""The worker as it is and the server's time -> the annotations to set. Raises `NotReady` where that makes no sense."""

_ENDED = (WorkerState.TERMINATING, WorkerState.TERMINATED)


def _assign(job_id: str) -> Change:
    def change(info: WorkerInfo, _now: float) -> Annotations:
        if info.draining:
            raise NotReady(f"assign a job: the worker {info.worker_id} is draining")
        if info.job_id not in ("", job_id):
            raise NotReady(f"assign a job: the worker {info.worker_id} has the job {info.job_id}", retryable=True)
        return {JOB_ID: job_id, IDLE_SINCE: None}

    return change


def _release(info: WorkerInfo, now: float) -> Annotations:
    idle_since = now if info.idle_since is None or info.job_id else info.idle_since
    return {JOB_ID: None, IDLE_SINCE: format_rfc3339(idle_since)}


def _drain(_info: WorkerInfo, _now: float) -> Annotations:
    return {DRAINING: "true"}


def assign_job(config: KubernetesConfig, handle: WorkerHandle, job_id: str) -> Operation[WorkerInfo]:
    """Note that the worker does the job `job_id`: it is BUSY from when it is ready. Idempotent for the same job.

    Raises: NotReady when it is draining, ended, or has another job; WorkerNotFound; AuthenticationFailed where Pods may
    not be patched; ConnectionFailed, Timeout; ConfigurationError for an empty job id.
    """
    if not job_id or len(job_id) > 1024:
        raise ConfigurationError("no job is assigned", [Fault("job_id", "must have 1 to 1024 characters")])
    return (yield from _annotate(config, handle, "assign a job", _assign(job_id)))


def release_job(config: KubernetesConfig, handle: WorkerHandle) -> Operation[WorkerInfo]:
    """Note that the worker has no job: it is READY, and idle since now (by the server's clock). Idempotent.

    Raises: NotReady when it has ended; otherwise as `assign_job`.
    """
    return (yield from _annotate(config, handle, "release the job", _release))


def drain_worker(config: KubernetesConfig, handle: WorkerHandle) -> Operation[WorkerInfo]:
    """Mark the worker DRAINING: it finishes its job and gets no other. Idempotent.

    Raises: NotReady when it has ended; otherwise as `assign_job`.
    """
    return (yield from _annotate(config, handle, "drain the worker", _drain))


def _annotate(config: KubernetesConfig, handle: WorkerHandle, what: str, change: Change) -> Operation[WorkerInfo]:
    check_handle(handle, config)
    work = _read_and_patch(config, handle, what, change)
    return (yield from with_deadline(work, config.operation_timeout, what=what))


def _read_and_patch(config: KubernetesConfig, handle: WorkerHandle, what: str, change: Change) -> Operation[WorkerInfo]:
    turn = 0
    while True:  # until the deadline: each turn means that somebody else changed the Pod in between
        yield from step("annotate_worker", "read the Pod")
        pod, now = yield from read_pod_and_time(config, handle)
        if pod is None:
            raise not_found(handle)
        info = worker_info(pod)
        if info.state in _ENDED:
            raise NotReady(f"{what}: the worker {info.worker_id} is {info.state.name}")
        patched = yield from _patch(config, pod, what, change(info, now))
        if patched is not None:
            return worker_info(patched)
        turn += 1
        yield from Sleep(_conflict_delay(turn, (yield from Random())))


def _conflict_delay(turn: int, chance: float) -> float:
    """Short at first, as client-go's RetryOnConflict; growing, where it is no race but a server that always says so."""
    return backoff_delay(turn, first=0.01, factor=2.0, maximum=2.0, jitter=0.5, chance=chance)


def _patch(config: KubernetesConfig, pod: Pod, what: str, annotations: Annotations) -> Operation[Pod | None]:
    """The Pod after the patch; None when it was changed or replaced meanwhile."""
    yield from step("annotate_worker", "patch the Pod")
    request = patch_pod_annotations(
        config.namespace,
        pod.metadata.name,
        annotations,
        uid=pod.metadata.uid,
        resource_version=pod.metadata.resource_version,
    )
    try:
        reply = yield from call(request, config, what)
    except ProviderError as error:
        if error.status is not None and (error.status.is_conflict or error.status.is_not_found):
            return None
        raise
    return parse_pod(reply.body)
