"""The Pod whose place is looked for, as scheduler and admission read it, out of the dictionary that is to be sent.

Whatever the Pod grows counts, since this is made of the Pod itself: sidecars, init containers, a template's parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hodei_k8s_core.capacity.node_match import NodeSelector, PodToleration
from hodei_k8s_core.capacity.pod_demand import PodDemand, with_api_defaults
from hodei_k8s_core.errors import ConfigurationError, Fault

NEVER_PREEMPT: Final = "Never"


class NodeAffinity(msgspec.Struct, frozen=True, rename="camel"):
    """What a node must be; what it should be does not decide."""

    required: NodeSelector | None = msgspec.field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")


class InterPodAffinity(msgspec.Struct, frozen=True, rename="camel"):
    """Rules about other Pods, of which only the existence is read."""

    required: tuple[dict[str, Any], ...] = msgspec.field(
        default=(), name="requiredDuringSchedulingIgnoredDuringExecution"
    )


class Affinity(msgspec.Struct, frozen=True, rename="camel"):
    """The three affinities of a Pod."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: InterPodAffinity | None = None
    pod_anti_affinity: InterPodAffinity | None = None


class Spread(msgspec.Struct, frozen=True, rename="camel"):
    """A topology spread constraint."""

    when_unsatisfiable: str = ""


class Volume(msgspec.Struct, frozen=True, rename="camel"):
    """A volume; only a claim can tie a Pod to a place."""

    persistent_volume_claim: dict[str, Any] | None = None
    ephemeral: dict[str, Any] | None = None


class CandidateSpec(PodDemand, frozen=True, gc=False, rename="camel"):
    """What is read of the Pod's spec."""

    node_selector: dict[str, str] = msgspec.field(default_factory=dict)
    tolerations: tuple[PodToleration, ...] = ()
    affinity: Affinity | None = None
    priority_class_name: str = ""
    preemption_policy: str = ""
    runtime_class_name: str = ""
    active_deadline_seconds: int | None = None
    topology_spread_constraints: tuple[Spread, ...] = ()
    volumes: tuple[Volume, ...] = ()
    resource_claims: tuple[dict[str, Any], ...] = ()

    @property
    def required_nodes(self) -> NodeSelector | None:
        """What its affinity demands of a node."""
        nodes = self.affinity.node_affinity if self.affinity is not None else None
        return nodes.required if nodes is not None else None


class _Pod(msgspec.Struct, frozen=True):
    spec: CandidateSpec


def read_candidate(pod: Mapping[str, Any]) -> CandidateSpec:
    """What decides about the place of `pod`, with the defaults that the API server sets.

    Raises: ConfigurationError for what is no Pod.
    """
    try:
        spec = msgspec.convert(pod, _Pod).spec
    except msgspec.ValidationError as error:
        raise ConfigurationError("the Pod is not valid", [Fault("pod", str(error))]) from None
    defaulted = with_api_defaults(spec)
    return msgspec.structs.replace(
        spec,
        containers=defaulted.containers,
        init_containers=defaulted.init_containers,
        resources=defaulted.resources,
    )


def not_weighed(spec: CandidateSpec) -> tuple[str, ...]:
    """What the scheduler weighs and we do not: each can still keep the Pod from a node that has room."""
    affinity = spec.affinity or Affinity()
    found = {
        "affinity to other Pods": bool(affinity.pod_affinity and affinity.pod_affinity.required),
        "anti-affinity to other Pods": bool(affinity.pod_anti_affinity and affinity.pod_anti_affinity.required),
        "topology spread": any(s.when_unsatisfiable == "DoNotSchedule" for s in spec.topology_spread_constraints),
        "volumes that exist only in some places": any(
            volume.persistent_volume_claim is not None or volume.ephemeral is not None for volume in spec.volumes
        ),
        "devices by resource claim": bool(spec.resource_claims),
    }
    return tuple(name for name, is_there in found.items() if is_there)
