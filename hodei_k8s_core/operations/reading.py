"""Reading the Pod of a handle: None when there is none, or when the name belongs to another Pod by now."""

from __future__ import annotations

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation, WallClock
from hodei_k8s_core.errors import ProviderError, WorkerNotFound
from hodei_k8s_core.http import Response
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.operations.handles import is_handles_pod
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.requests import get_pod
from hodei_k8s_core.server_time import server_date
from hodei_k8s_core.worker import WorkerHandle


def read_pod(config: KubernetesConfig, handle: WorkerHandle) -> Operation[Pod | None]:
    """The handle's Pod as it is now, or None."""
    pod, _ = yield from read_pod_and_time(config, handle)
    return pod


def read_pod_and_time(config: KubernetesConfig, handle: WorkerHandle) -> Operation[tuple[Pod | None, float]]:
    """The handle's Pod, and the server's time of that look (seconds since the epoch)."""
    try:
        reply = yield from call(get_pod(config.namespace, handle.pod_name), config, f"read the Pod {handle.pod_name}")
    except ProviderError as error:
        if error.status is not None and error.status.is_not_found:
            return None, (yield from WallClock())
        raise
    pod = parse_pod(reply.body)
    return (pod if is_handles_pod(pod, handle) else None), (yield from server_time(reply))


def server_time(reply: Response) -> Operation[float]:
    """The server's clock as its reply tells it; the host's own where a proxy has taken the header away."""
    told = server_date(reply.headers)
    return (yield from WallClock()) if told is None else told


def not_found(handle: WorkerHandle) -> WorkerNotFound:
    """The error for a worker whose Pod must exist and does not."""
    return WorkerNotFound(
        f"the worker {handle.worker_id} has no Pod (any more): {handle.pod_name} is gone or another's"
    )
