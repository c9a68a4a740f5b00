"""Is this handle ours, and is this Pod the handle's? Checked before any request, and on every Pod that is read."""

from __future__ import annotations

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError, Fault, WorkerNotFound
from hodei_k8s_core.labels import MANAGED, PROVIDER_ID
from hodei_k8s_core.names import pod_name, worker_id_problem
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.worker import PROVIDER_TYPE, WorkerHandle


def check_handle(handle: WorkerHandle, config: KubernetesConfig) -> None:
    """Raises `ConfigurationError` for a handle of another provider or namespace: looking there would find nothing."""
    wanted = (
        ("provider_type", handle.provider_type, PROVIDER_TYPE),
        ("provider_id", handle.provider_id, config.provider_id),
        ('metadata["namespace"]', handle.namespace or config.namespace, config.namespace),
    )
    faults = [
        Fault(f"handle.{field}", f"is {got!r}, this provider's is {ours!r}")
        for field, got, ours in wanted
        if got != ours
    ]
    if not handle.pod_name:
        faults.append(Fault("handle.provider_resource_id", "is empty"))
    if faults:
        raise ConfigurationError("the handle belongs to another provider", faults)


def handle_for_id(worker_id: str, config: KubernetesConfig) -> WorkerHandle:
    """A handle made from nothing but the id: it matches whichever of our Pods has the name."""
    problem = worker_id_problem(worker_id)
    if problem is not None:
        raise ConfigurationError("this cannot be a worker's id", [Fault("worker_id", problem)])
    return WorkerHandle(
        worker_id=worker_id,
        provider_resource_id=pod_name(worker_id),
        provider_id=config.provider_id,
        created_at=0.0,
        metadata={"namespace": config.namespace},
    )


def is_handles_pod(pod: Pod, handle: WorkerHandle) -> bool:
    """The name still belongs to the Pod that the handle was made for."""
    return not handle.pod_uid or pod.metadata.uid == handle.pod_uid


def is_ours(pod: Pod, config: KubernetesConfig) -> bool:
    """It is a worker of this provider, not merely a Pod that carries a worker's name."""
    labels = pod.metadata.labels
    return labels.get(MANAGED) == "true" and labels.get(PROVIDER_ID) == config.provider_id


def check_ours(pod: Pod, config: KubernetesConfig) -> None:
    """Raises `WorkerNotFound` for a Pod that carries a worker's name and is not a worker of this provider."""
    if not is_ours(pod, config):
        raise WorkerNotFound(
            f"the Pod {pod.metadata.name} is not a worker of provider {config.provider_id!r}; it is left alone"
        )
