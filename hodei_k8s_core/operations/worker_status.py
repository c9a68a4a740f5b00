"""How one worker is, by one look at its Pod."""

from __future__ import annotations

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Monotonic, Operation
from hodei_k8s_core.operations.deadline import with_deadline
from hodei_k8s_core.operations.examiner import Examiner
from hodei_k8s_core.operations.handles import check_handle, handle_for_id, is_ours
from hodei_k8s_core.operations.reading import read_pod, read_pod_and_time
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_info import worker_info
from hodei_k8s_core.worker_state import worker_state


def get_worker_status(config: KubernetesConfig, handle: WorkerHandle) -> Operation[WorkerState]:
    """The worker's state; TERMINATED when its Pod is gone, or the name now belongs to another one.

    Raises: ConnectionFailed, AuthenticationFailed, Timeout; never WorkerNotFound.
    """
    return worker_state((yield from _look(config, handle)))


def describe_worker(config: KubernetesConfig, handle: WorkerHandle) -> Operation[WorkerInfo]:
    """Everything that the worker's Pod tells, with its verdict and timeline. A Pod that is gone: TERMINATED, no more.

    The Pod's events are read where there is something to explain. Raises: as `get_worker_status`.
    """
    check_handle(handle, config)
    what = f"look at the worker {handle.worker_id}"
    return (yield from with_deadline(_describe(config, handle), config.operation_timeout, what=what))


def find_worker(config: KubernetesConfig, worker_id: str) -> Operation[WorkerInfo | None]:
    """Whichever Pod of this provider is that worker now, terminated ones included; None where there is none.

    Raises: as `get_worker_status`.
    """
    pod = yield from _look(config, handle_for_id(worker_id, config))
    return worker_info(pod) if pod is not None and is_ours(pod, config) else None


def _describe(config: KubernetesConfig, handle: WorkerHandle) -> Operation[WorkerInfo]:
    pod, server_now = yield from read_pod_and_time(config, handle)
    if pod is None:
        return gone_worker(handle)
    examiner = Examiner(config, server_now - (yield from Monotonic()))
    return (yield from examiner.explain(pod))


def gone_worker(handle: WorkerHandle) -> WorkerInfo:
    """What is known of a worker whose Pod is gone and was not seen before."""
    return WorkerInfo(handle=handle, state=WorkerState.TERMINATED, reason="Gone", message="the Pod does not exist")


def _look(config: KubernetesConfig, handle: WorkerHandle) -> Operation[Pod | None]:
    check_handle(handle, config)
    what = f"look at the worker {handle.worker_id}"
    return (yield from with_deadline(read_pod(config, handle), config.operation_timeout, what=what))
