"""All workers of this provider, by one list (in pages)."""

from __future__ import annotations

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.diagnosis import judged_worker
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.labels import managed_selector
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.operations.deadline import with_deadline
from hodei_k8s_core.operations.pod_listing import ListCursor
from hodei_k8s_core.operations.reading import server_time
from hodei_k8s_core.worker import WorkerInfo

WHAT = "list the workers"


def list_workers(config: KubernetesConfig) -> Operation[list[WorkerInfo]]:
    """Every worker of `config.provider_id` that has a Pod, terminated ones included, in the server's order (by name).

    Each has its verdict as far as the Pod alone tells it.

    Raises: ConnectionFailed, AuthenticationFailed, Timeout.
    """
    return (yield from with_deadline(_list(config), config.operation_timeout, what=WHAT))


def _list(config: KubernetesConfig) -> Operation[list[WorkerInfo]]:
    cursor = ListCursor(config, label_selector=managed_selector(config.provider_id))
    infos: list[WorkerInfo] = []
    while True:
        try:
            reply = yield from call(cursor.request, config, WHAT)
        except ProviderError as error:
            if not (cursor.is_under_way and error.status is not None and error.status.is_expired):
                raise
            cursor.begin_again()
            continue
        page = cursor.take(reply.body)
        if page is None:
            continue
        now = yield from server_time(reply)
        judged = [judged_worker(pod, now=now, policy=config.startup) for pod in page.pods]
        infos = [*([] if page.begins else infos), *judged]
        if page.ends:
            return infos
