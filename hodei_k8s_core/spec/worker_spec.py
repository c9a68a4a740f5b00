"""What a worker is asked to be: `WorkerSpec`, validated when it is made.

Every fault is reported at once, each with its field (`spec.labels["team"]`), as `ConfigurationError`. Neither an error
nor a repr shows a value of the environment or the OTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hodei_k8s_core.secret import Secret
from hodei_k8s_core.spec.architecture import Architecture as Architecture
from hodei_k8s_core.spec.environment_source import EnvironmentKey, EnvironmentSource
from hodei_k8s_core.spec.host_names import DnsConfig, HostAlias
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements as ResourceRequirements
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.sidecar import Sidecar
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.topology_spread import TopologySpread
from hodei_k8s_core.spec.volume_spec import EphemeralVolume as EphemeralVolume
from hodei_k8s_core.spec.volume_spec import HostPathVolume as HostPathVolume
from hodei_k8s_core.spec.volume_spec import PersistentVolume as PersistentVolume
from hodei_k8s_core.spec.volume_spec import VolumeSpec as VolumeSpec
from hodei_k8s_core.spec.worker_checks import worker_faults
from hodei_k8s_core.validation import copied_json, raise_faults, within

_SEQUENCES: Final = (
    "required_capabilities",
    "volumes",
    "command",
    "args",
    "environment_sources",
    "sidecars",
    "tolerations",
    "topology_spread_constraints",
    "host_aliases",
)
_MAPPINGS: Final = ("labels", "annotations", "environment", "environment_from", "node_selector")


class WorkerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is asked to be. Times in seconds.

    `otp_token` may be given as a str and is kept as a `Secret`. `resources` None means the configured defaults.
    `max_lifetime` is rounded up to whole seconds. `command` and `args` replace the image's own (as in a Pod).
    `image_pull_policy`: `Always`, `IfNotPresent`, `Never`, or None for what Kubernetes does by default.

    `environment` has values, `environment_from` keys of Secrets and ConfigMaps, `environment_sources` all their keys at
    once; the first two win over the third. `affinity` is the object of a Pod, as it is.

    `image` "" means the configured one. `profile`: of the configuration, whose settings hold for this worker.

    What the configuration has too: `labels`, `annotations` and `node_selector` are added to it, and win by key;
    `tolerations` are added to it; each of the others replaces it, unless it is None or empty.

    Raises: ConfigurationError with every fault.
    """

    worker_id: str
    image: str = ""
    profile: str | None = None
    server_address: str = ""
    resources: ResourceRequirements | None = None
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    environment: Mapping[str, str] = {}
    environment_from: Mapping[str, EnvironmentKey] = {}
    environment_sources: Sequence[EnvironmentSource] = ()
    otp_token: Secret | str | None = None
    max_lifetime: float = 3600.0
    idle_timeout: float = 300.0
    architecture: Architecture | None = None
    required_capabilities: Sequence[str] = ()
    volumes: Sequence[VolumeSpec] = ()
    sidecars: Sequence[Sidecar] = ()
    ttl_after_completion: float | None = None
    command: Sequence[str] = ()
    args: Sequence[str] = ()
    image_pull_policy: str | None = None
    readiness_probe: ReadinessProbe | None = None
    security_profile: SecurityProfile | None = None
    run_as_user: int | None = None
    fs_group: int | None = None
    node_selector: Mapping[str, str] = {}
    tolerations: Sequence[Toleration] = ()
    affinity: Mapping[str, Any] | None = None
    topology_spread_constraints: Sequence[TopologySpread] = ()
    priority_class: str | None = None
    runtime_class: str | None = None
    dns_policy: str | None = None
    dns_config: DnsConfig | None = None
    host_aliases: Sequence[HostAlias] = ()

    def __post_init__(self) -> None:
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        raise_faults("the worker spec is not valid", within("spec", worker_faults(values)))
        for name in _SEQUENCES:
            msgspec.structs.force_setattr(self, name, tuple(getattr(self, name)))
        for name in _MAPPINGS:
            msgspec.structs.force_setattr(self, name, dict(getattr(self, name)))
        msgspec.structs.force_setattr(self, "affinity", copied_json(self.affinity))
        if isinstance(self.otp_token, str):
            msgspec.structs.force_setattr(self, "otp_token", Secret(self.otp_token))

    def __repr__(self) -> str:
        return f"WorkerSpec({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        shown["environment"] = dict.fromkeys(self.environment, "…")
        return list(shown.items())
