"""Where a worker may run: `nodeSelector`, `tolerations`, `affinity`."""

from __future__ import annotations

from typing import Any

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.labels import NODE_ARCHITECTURE, capability_key
from hodei_k8s_core.manifest.resources import gpu_node_selector
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.validation import copied_json


def placement(spec: WorkerSpec, config: KubernetesConfig) -> dict[str, Any]:
    """The fields of the Pod's spec that choose nodes; what is empty says nothing."""
    return {
        "nodeSelector": _node_selector(spec, config),
        "tolerations": [toleration.to_manifest() for toleration in config.tolerations],
        "affinity": copied_json(config.affinity) if config.affinity else None,
    }


def _node_selector(spec: WorkerSpec, config: KubernetesConfig) -> dict[str, str]:
    selector = {**config.node_selector, **gpu_node_selector(spec.resources)}
    if spec.architecture is not None:
        selector[NODE_ARCHITECTURE] = spec.architecture.value
    return selector | {capability_key(name): "true" for name in spec.required_capabilities}
