"""What a worker's container requests of its node, and what it is limited to."""

from __future__ import annotations

from typing import Any, Final

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.quantity import Quantity
from hodei_k8s_core.spec.worker_spec import ResourceRequirements

DEFAULT_GPU: Final = "nvidia.com/gpu"
GPU_PRODUCT: Final = "nvidia.com/gpu.product"
"""The label of nodes that NVIDIA's feature discovery sets."""


def container_resources(resources: ResourceRequirements | None, config: KubernetesConfig) -> dict[str, Any]:
    """`resources` of the container: what was asked for is request and limit both; without, the configured defaults."""
    if resources is None:
        requests = {"cpu": config.default_cpu_request, "memory": config.default_memory_request}
        limits = {"cpu": config.default_cpu_limit, "memory": config.default_memory_limit}
    else:
        requests = _asked_for(resources)
        limits = dict(requests)
    if not config.cpu_limit:
        del limits["cpu"]
    return {"requests": requests, "limits": limits}


def gpu_node_selector(resources: ResourceRequirements | None) -> dict[str, str]:
    """The nodes that have the wanted product; a vendor's resource needs no label, the scheduler knows who has it."""
    if resources is None or not resources.gpu_count or resources.gpu_type is None or "/" in resources.gpu_type:
        return {}
    return {GPU_PRODUCT: resources.gpu_type}


def _asked_for(resources: ResourceRequirements) -> dict[str, str]:
    asked = {
        "cpu": str(Quantity.from_cores(resources.cpu_cores)),
        "memory": str(Quantity.from_bytes(resources.memory_bytes)),
    }
    if resources.disk_bytes:
        asked["ephemeral-storage"] = str(Quantity.from_bytes(resources.disk_bytes))
    if resources.gpu_count:
        # An extended resource is whole, and its request must equal its limit.
        asked[_gpu_resource(resources.gpu_type)] = str(resources.gpu_count)
    return asked


def _gpu_resource(gpu_type: str | None) -> str:
    return gpu_type if gpu_type is not None and "/" in gpu_type else DEFAULT_GPU
