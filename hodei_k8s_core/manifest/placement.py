"""Where a worker may run: labels, taints and affinity of nodes, the spread over them, priority and runtime."""

from __future__ import annotations

from typing import Any

from hodei_k8s_core.accelerators import usual_taints, wanted_accelerator
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.labels import MANAGED, NODE_ARCHITECTURE, PROVIDER_ID, capability_key
from hodei_k8s_core.manifest.node_terms import demanding, value_in
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from hodei_k8s_core.spec.toleration import EXISTS, Toleration
from hodei_k8s_core.spec.topology_spread import TopologySpread
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.validation import copied_json


def placement(spec: WorkerSpec, config: KubernetesConfig) -> dict[str, Any]:
    """The fields of the Pod's spec that choose nodes; what is empty says nothing."""
    spreads = spec.topology_spread_constraints or config.topology_spread_constraints
    return {
        "nodeSelector": _node_selector(spec, config),
        "tolerations": [toleration.to_manifest() for toleration in _tolerations(spec, config)],
        "affinity": _affinity(spec, config),
        "topologySpreadConstraints": [_spread(spread, config) for spread in spreads],
        "priorityClassName": spec.priority_class or config.priority_class,
        "runtimeClassName": spec.runtime_class or config.runtime_class,
    }


def _node_selector(spec: WorkerSpec, config: KubernetesConfig) -> dict[str, str]:
    selector = {**config.node_selector, **spec.node_selector}
    if spec.architecture is not None:
        selector[NODE_ARCHITECTURE] = spec.architecture.value
    return selector | {capability_key(name): "true" for name in spec.required_capabilities}


def _tolerations(spec: WorkerSpec, config: KubernetesConfig) -> list[Toleration]:
    """Those that are given, and those of what is asked for; each once."""
    asked = []
    if spec.architecture is not None:
        # GKE puts this taint on its Arm nodes (cloud.google.com/kubernetes-engine/docs/how-to/prepare-arm-workloads).
        asked.append(Toleration(key=NODE_ARCHITECTURE, value=spec.architecture.value, effect="NoSchedule"))
    if (wanted := _accelerated(spec)) is not None:
        taints = usual_taints(wanted_accelerator(wanted.gpu_type).resource)
        asked += [Toleration(key=key, operator=EXISTS, effect="NoSchedule") for key in taints]
    # A msgspec struct that is frozen can be hashed.
    return list(dict.fromkeys((*config.tolerations, *spec.tolerations, *asked)))


def _affinity(spec: WorkerSpec, config: KubernetesConfig) -> Any:
    affinity = copied_json(spec.affinity or config.affinity or None)
    if (asked := _accelerated(spec)) is None:
        return affinity
    wanted = wanted_accelerator(asked.gpu_type)
    if not wanted.product:
        return affinity
    return demanding(affinity, [[value_in(label, [wanted.product])] for label in wanted.labels])  # type: ignore[arg-type]


def _accelerated(spec: WorkerSpec) -> ResourceRequirements | None:
    """What is asked for, when accelerators are."""
    return spec.resources if spec.resources is not None and spec.resources.gpu_count else None


def _spread(spread: TopologySpread, config: KubernetesConfig) -> dict[str, Any]:
    workers = {"labelSelector": {"matchLabels": {MANAGED: "true", PROVIDER_ID: config.provider_id}}}
    return workers | spread.to_manifest()
