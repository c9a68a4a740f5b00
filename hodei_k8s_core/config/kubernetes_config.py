"""`KubernetesConfig`: every setting of a provider, valid when it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hodei_k8s_core.config.builder import ConfigBuilder
from hodei_k8s_core.config.document import parse_toml, read_document
from hodei_k8s_core.config.environment import name_variables, read_environment, write_environment
from hodei_k8s_core.config.node_pool import NodePool
from hodei_k8s_core.config.profile import Profile, overlaid
from hodei_k8s_core.config.reconcile_policy import ReconcilePolicy
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.config.settings import PER_WORKER, SETTING_OF, SETTINGS, setting_faults
from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.config.watch_policy import WatchPolicy
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.spec.host_names import DnsConfig, HostAlias
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.topology_spread import TopologySpread
from hodei_k8s_core.strategic_merge import strategic_merge
from hodei_k8s_core.validation import copied_json, fault_of, instance, raise_faults

_PARTS = {"retry": RetryPolicy, "watch": WatchPolicy, "startup": StartupPolicy, "reconcile": ReconcilePolicy}
_COPIED = ("node_selector", "labels", "annotations", "affinity", "profiles")
DEFAULT_PROVIDER_ID = "kubernetes"
"""What destroys by comparison refuses it: two installations would share it."""
_SEQUENCES = ("image_pull_secrets", "tolerations", "node_pools", "topology_spread_constraints", "host_aliases")
_SUMMARY = "the configuration is not valid"


class KubernetesConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of a provider; `config.settings` says what each means. Times in seconds, sizes in bytes.

    The default resources are quantities as text. `affinity` is the object of a Pod, as it is. It holds no secret.

    Raises: ConfigurationError with every fault.
    """

    namespace: str = "hodei-workers"
    kubeconfig_path: str | None = None
    context: str | None = None
    provider_id: str = DEFAULT_PROVIDER_ID
    image: str | None = None
    service_account: str | None = None
    image_pull_secrets: Sequence[str] = ()
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    node_selector: Mapping[str, str] = {}
    tolerations: Sequence[Toleration] = ()
    affinity: Mapping[str, Any] | None = None
    topology_spread_constraints: Sequence[TopologySpread] = ()
    priority_class: str | None = None
    runtime_class: str | None = None
    dns_policy: str | None = None
    dns_config: DnsConfig | None = None
    host_aliases: Sequence[HostAlias] = ()
    node_pools: Sequence[NodePool] = ()
    default_cpu_request: str = "100m"
    default_memory_request: str = "128Mi"
    default_cpu_limit: str = "1"
    default_memory_limit: str = "512Mi"
    cpu_limit: bool = True
    security_profile: SecurityProfile = SecurityProfile.RESTRICTED
    run_as_user: int | None = 1000
    fs_group: int | None = 1000
    readiness_probe: ReadinessProbe | None = None
    pod_template: Mapping[str, Any] | None = None
    profiles: Mapping[str, Profile] = {}
    protect_from_disruption: bool = True
    otp_delivery: str = "env"
    grace_period: float = 30.0
    ttl_seconds_after_finished: float = 300.0
    creation_timeout: float = 60.0
    destroy_timeout: float = 120.0
    operation_timeout: float = 60.0
    request_timeout: float = 30.0
    silence_limit: float = 120.0
    outage_limit: float = 300.0
    capacity_lifetime: float = 30.0
    log_levels: bool = True
    max_response_bytes: int = 64 * 1024**2
    http: str = "httpx"
    retry: RetryPolicy = RetryPolicy()
    watch: WatchPolicy = WatchPolicy()
    startup: StartupPolicy = StartupPolicy()
    reconcile: ReconcilePolicy = ReconcilePolicy()

    def __post_init__(self) -> None:
        wrong_parts = [f for name, part in _PARTS.items() for f in fault_of(name, instance(part)(getattr(self, name)))]
        raise_faults(_SUMMARY, wrong_parts + setting_faults(flat_values(self)))
        for name in _COPIED:
            msgspec.structs.force_setattr(self, name, copied_json(getattr(self, name)))
        if self.pod_template is not None:
            # Onto nothing: a copy without its nulls, which say nothing in a template.
            msgspec.structs.force_setattr(self, "pod_template", strategic_merge({}, self.pod_template))
        for name in _SEQUENCES:
            msgspec.structs.force_setattr(self, name, tuple(getattr(self, name)))

    @classmethod
    def builder(cls) -> ConfigBuilder:
        """Builds a configuration step by step: `KubernetesConfig.builder().namespace("ci").build()`."""
        return ConfigBuilder(cls)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> KubernetesConfig:
        """The configuration that `HODEI_K8S_...` variables describe; a variable that is empty is not set.

        Raises: ConfigurationError with every fault, each with its setting, its variable and what is wrong; a variable
        of that prefix that is no setting is one.
        """
        values, faults = read_environment(environ)
        # What is set and could not be read has no value here: its default must not cause, or hide, another fault.
        defaults = {name: v for name, v in flat_values(cls()).items() if not environ.get(SETTING_OF[name].variable)}
        raise_faults(_SUMMARY, faults + name_variables(setting_faults(defaults | values)))
        return cls(**_nested(values))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> KubernetesConfig:
        """The configuration that a document describes, as TOML, YAML or JSON give it: settings by name.

        The parts (`retry`, `watch`, `startup`) and `profiles` are tables; a value is as the document has it, or the
        text that the setting's variable would have.

        Raises: ConfigurationError with every fault.
        """
        values, faults = read_document(document, SETTING_OF)
        named = values.keys() | {fault.field for fault in faults}
        defaults = {name: value for name, value in flat_values(cls()).items() if name not in named}
        raise_faults(_SUMMARY, faults + setting_faults(defaults | values))
        return cls(**_nested(values))

    @classmethod
    def from_toml(cls, text: str) -> KubernetesConfig:
        """As `from_document`, of TOML. Raises: ConfigurationError with every fault."""
        try:
            document = parse_toml(text)
        except ValueError as error:
            raise ConfigurationError(_SUMMARY, [Fault("document", str(error))]) from None
        return cls.from_document(document)

    def with_profile(self, name: str | None) -> KubernetesConfig:
        """The configuration of the workers of that profile; None is none. It has no profiles itself.

        Raises: ConfigurationError for a profile that is not there, with those that are.
        """
        if name is None:
            return self
        if name not in self.profiles:
            there = ", ".join(self.profiles) or "none"
            raise ConfigurationError(_SUMMARY, [Fault("profile", f"there is no {name!r}; there are: {there}")])
        own = {setting: getattr(self, setting) for setting in PER_WORKER}
        made: KubernetesConfig = self.__copy__()  # type: ignore[attr-defined] # msgspec has it, its stubs do not
        # Not made anew, since it was checked when this was: for every worker that would cost a millisecond.
        for setting, value in (overlaid(own, self.profiles[name]) | {"profiles": {}}).items():
            msgspec.structs.force_setattr(made, setting, tuple(value) if setting in _SEQUENCES else value)
        return made

    def to_env(self) -> dict[str, str]:
        """The variables that `from_env` makes this configuration of; those that are as by default are left out."""
        defaults = flat_values(KubernetesConfig())
        return write_environment({name: v for name, v in flat_values(self).items() if v != defaults[name]})


def flat_values(config: KubernetesConfig) -> dict[str, Any]:
    """All settings by dotted name. A part that is no such thing has none."""
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        part, _, name = setting.field.rpartition(".")
        holder = getattr(config, part) if part else config
        if not part or isinstance(holder, _PARTS[part]):
            values[setting.field] = getattr(holder, name)
    return values


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in values.items() if "." not in name}
    for part, kind in _PARTS.items():
        own = {name.removeprefix(f"{part}."): value for name, value in values.items() if name.startswith(f"{part}.")}
        made[part] = kind(**own)
    return made
