"""All workers of this provider, by one list (in pages)."""

from __future__ import annotations

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.labels import managed_selector
from hodei_k8s_core.operations.deadline import with_deadline
from hodei_k8s_core.operations.pod_listing import list_whole
from hodei_k8s_core.worker import WorkerInfo
from hodei_k8s_core.worker_info import worker_info


def list_workers(config: KubernetesConfig) -> Operation[list[WorkerInfo]]:
    """Every worker of `config.provider_id` that has a Pod, terminated ones included, in the server's order (by name).

    Raises: ConnectionFailed, AuthenticationFailed, Timeout.
    """
    what = "list the workers"
    workers = list_whole(config, what, worker_info, label_selector=managed_selector(config.provider_id))
    return (yield from with_deadline(workers, config.operation_timeout, what=what))
