"""JobRequirements -> the Pod of a worker that would do the job, so that whatever a worker's Pod grows counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.manifest.node_terms import demanding, value_in
from hodei_k8s_core.spec.worker_spec import WorkerSpec

PROBE_IMAGE: Final = "registry.k8s.io/pause:3.10"
"""The image of a Pod that is only asked about; it is never pulled."""
PROBE_ID: Final = "capacity-probe"
_REGION_KEYS: Final = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


def pod_for(
    requirements: JobRequirements, config: KubernetesConfig, *, worker_id: str = PROBE_ID, image: str = PROBE_IMAGE
) -> dict[str, Any]:
    """The Pod that a worker with these requirements is, ready for JSON. Raises: ConfigurationError."""
    spec = WorkerSpec(
        worker_id=worker_id,
        image=image,
        profile=requirements.profile,
        resources=requirements.resources,
        architecture=requirements.architecture,
        required_capabilities=requirements.required_capabilities,
    )
    if requirements.timeout is not None:
        spec = msgspec.structs.replace(spec, max_lifetime=requirements.timeout)
    pod = build_worker_pod(spec, config)
    return with_required_nodes(pod, requirements.required_labels, requirements.allowed_regions)


def with_required_nodes(pod: Mapping[str, Any], labels: Mapping[str, str], regions: Sequence[str]) -> dict[str, Any]:
    """The Pod, tied further to nodes with all these labels and in one of these zones or regions; a new one."""
    exact = [value_in(key, [value]) for key, value in labels.items()]
    places = [[value_in(key, regions)] for key in _REGION_KEYS] if regions else [[]]
    if not exact and not regions:
        return dict(pod)
    spec = pod["spec"]
    return {**pod, "spec": {**spec, "affinity": demanding(spec.get("affinity"), [[*exact, *p] for p in places])}}
