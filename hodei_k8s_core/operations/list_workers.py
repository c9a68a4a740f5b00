"""All workers of this provider, by one list (in pages)."""

from __future__ import annotations

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.diagnosis import judged_worker
from hodei_k8s_core.effects import Operation, WallClock
from hodei_k8s_core.labels import managed_selector
from hodei_k8s_core.operations.deadline import with_deadline
from hodei_k8s_core.operations.pod_listing import list_whole
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.worker import WorkerInfo

WHAT = "list the workers"


def list_workers(config: KubernetesConfig, *, selector: str = "") -> Operation[list[WorkerInfo]]:
    """Every worker of `config.provider_id` that has a Pod, terminated ones included, in the server's order (by name).

    Each has its verdict, as far as the Pod alone tells it. `selector`: labels that a worker must have besides, as
    Kubernetes writes it. Raises: ConnectionFailed, AuthenticationFailed, Timeout.
    """
    selectors = ",".join([managed_selector(config.provider_id), *([selector] if selector else [])])
    return (yield from with_deadline(_list_all(config, selectors), config.operation_timeout, what=WHAT))


def _list_all(config: KubernetesConfig, selectors: str) -> Operation[list[WorkerInfo]]:
    host_now = yield from WallClock()  # for a proxy that takes the server's own away

    def judge(pod: Pod, date: float | None) -> WorkerInfo:
        return judged_worker(pod, now=host_now if date is None else date, policy=config.startup)

    return (yield from list_whole(config, WHAT, judge, label_selector=selectors))
