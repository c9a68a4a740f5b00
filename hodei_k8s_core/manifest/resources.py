"""What a container requests of its node, and what it is limited to."""

from __future__ import annotations

from typing import Any

from hodei_k8s_core.accelerators import wanted_accelerator
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.quantity import Quantity
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements


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


def _asked_for(resources: ResourceRequirements) -> dict[str, str]:
    asked = {
        "cpu": str(Quantity.from_cores(resources.cpu_cores)),
        "memory": str(Quantity.from_bytes(resources.memory_bytes)),
    }
    if resources.disk_bytes:
        asked["ephemeral-storage"] = str(Quantity.from_bytes(resources.disk_bytes))
    if resources.gpu_count:
        # An extended resource is whole, and its request must equal its limit.
        asked[wanted_accelerator(resources.gpu_type).resource] = str(resources.gpu_count)
    return asked
