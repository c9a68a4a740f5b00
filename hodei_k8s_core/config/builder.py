"""`ConfigBuilder`: a configuration step by step, with one method for every setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from hodei_k8s_core.config.node_pool import NodePool
from hodei_k8s_core.config.profile import Profile
from hodei_k8s_core.config.reconcile_policy import ReconcilePolicy
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.config.watch_policy import WatchPolicy
from hodei_k8s_core.spec.host_names import DnsConfig, HostAlias
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.topology_spread import TopologySpread

if TYPE_CHECKING:
    from hodei_k8s_core.config.kubernetes_config import KubernetesConfig


class ConfigBuilder:
    """What is not said has its default. Nothing is checked before `build`, which reports every fault at once.

    Of the collections, `label`, `annotation`, `node_selector`, `add_toleration` and `image_pull_secret` add one item;
    `labels`, `annotations`, `tolerations` and `image_pull_secrets` replace them all.
    """

    def __init__(self, make: Callable[..., KubernetesConfig]) -> None:
        self._make = make
        self._values: dict[str, Any] = {}

    def build(self) -> KubernetesConfig:
        """The configuration. Raises: ConfigurationError with every fault."""
        return self._make(**self._values)

    def _with(self, name: str, value: object) -> Self:
        self._values[name] = value
        return self

    def _with_entry(self, name: str, key: str, value: str) -> Self:
        return self._with(name, {**self._values.get(name, {}), key: value})

    def _with_item(self, name: str, value: object) -> Self:
        return self._with(name, [*self._values.get(name, ()), value])

    def label(self, key: str, value: str) -> Self:
        """One more label of every worker."""
        return self._with_entry("labels", key, value)

    def labels(self, labels: Mapping[str, str]) -> Self:
        """The labels of every worker."""
        return self._with("labels", labels)

    def annotation(self, key: str, value: str) -> Self:
        """One more annotation of every worker."""
        return self._with_entry("annotations", key, value)

    def annotations(self, annotations: Mapping[str, str]) -> Self:
        """The annotations of every worker."""
        return self._with("annotations", annotations)

    def node_selector(self, key: str, value: str) -> Self:
        """One more label that a worker's node must have."""
        return self._with_entry("node_selector", key, value)

    def add_toleration(self, toleration: Toleration) -> Self:
        """One more taint of nodes that workers put up with."""
        return self._with_item("tolerations", toleration)

    def tolerations(self, tolerations: Sequence[Toleration]) -> Self:
        """The taints of nodes that workers put up with."""
        return self._with("tolerations", tolerations)

    def image_pull_secret(self, name: str) -> Self:
        """One more Secret that images are pulled with."""
        return self._with_item("image_pull_secrets", name)

    def image_pull_secrets(self, names: Sequence[str]) -> Self:
        """The Secrets that images are pulled with."""
        return self._with("image_pull_secrets", names)

    def namespace(self, value: str) -> Self:
        """Where all workers live."""
        return self._with("namespace", value)

    def kubeconfig_path(self, value: str | None) -> Self:
        """A kubeconfig file; None: in the cluster, or the default kubeconfig."""
        return self._with("kubeconfig_path", value)

    def context(self, value: str | None) -> Self:
        """A context of the kubeconfig; None: its current one."""
        return self._with("context", value)

    def provider_id(self, value: str) -> Self:
        """Whose workers these are."""
        return self._with("provider_id", value)

    def image(self, value: str | None) -> Self:
        """Of a worker whose spec names none."""
        return self._with("image", value)

    def service_account(self, value: str | None) -> Self:
        """The workers' service account; None: the namespace's default."""
        return self._with("service_account", value)

    def affinity(self, affinity: Mapping[str, Any] | None) -> Self:
        """A Pod's affinity, as it is."""
        return self._with("affinity", affinity)

    def topology_spread_constraints(self, spreads: Sequence[TopologySpread]) -> Self:
        """How evenly workers are spread."""
        return self._with("topology_spread_constraints", spreads)

    def priority_class(self, value: str | None) -> Self:
        """The workers' PriorityClass; None: the cluster's default."""
        return self._with("priority_class", value)

    def runtime_class(self, value: str | None) -> Self:
        """The workers' RuntimeClass; None: the nodes' own runtime."""
        return self._with("runtime_class", value)

    def dns_policy(self, value: str | None) -> Self:
        """How workers resolve names; None: ClusterFirst."""
        return self._with("dns_policy", value)

    def dns_config(self, value: DnsConfig | None) -> Self:
        """Name servers, search domains, options."""
        return self._with("dns_config", value)

    def host_aliases(self, aliases: Sequence[HostAlias]) -> Self:
        """Lines of the workers' hosts file."""
        return self._with("host_aliases", aliases)

    def node_pools(self, pools: Sequence[NodePool]) -> Self:
        """The nodes that an autoscaler can add."""
        return self._with("node_pools", pools)

    def profile(self, name: str, **overrides: Any) -> Self:
        """One more profile, with the settings that differ for its workers."""
        return self._with("profiles", {**self._values.get("profiles", {}), name: Profile(overrides)})

    def profiles(self, profiles: Mapping[str, Profile]) -> Self:
        """The settings that differ for some workers, by the name that their specs give."""
        return self._with("profiles", profiles)

    def pod_template(self, template: Mapping[str, Any] | None) -> Self:
        """The Pod that every worker's is merged onto."""
        return self._with("pod_template", template)

    def default_cpu_request(self, value: str) -> Self:
        """A quantity, for workers that ask for no resources."""
        return self._with("default_cpu_request", value)

    def default_memory_request(self, value: str) -> Self:
        """A quantity, for workers that ask for no resources."""
        return self._with("default_memory_request", value)

    def default_cpu_limit(self, value: str) -> Self:
        """A quantity, for workers that ask for no resources."""
        return self._with("default_cpu_limit", value)

    def default_memory_limit(self, value: str) -> Self:
        """A quantity, for workers that ask for no resources."""
        return self._with("default_memory_limit", value)

    def cpu_limit(self, value: bool) -> Self:  # noqa: FBT001 - the setting's value
        """Whether CPU is limited at all."""
        return self._with("cpu_limit", value)

    def security_profile(self, value: SecurityProfile) -> Self:
        """The Pod Security Standard that workers pass."""
        return self._with("security_profile", value)

    def run_as_user(self, value: int | None) -> Self:
        """The numeric user of workers; None: the image's own."""
        return self._with("run_as_user", value)

    def fs_group(self, value: int | None) -> Self:
        """The group that owns workers' volumes; None: no group."""
        return self._with("fs_group", value)

    def readiness_probe(self, value: ReadinessProbe | None) -> Self:
        """When a worker is ready."""
        return self._with("readiness_probe", value)

    def protect_from_disruption(self, value: bool) -> Self:  # noqa: FBT001 - the setting's value
        """Ask autoscalers to leave nodes with workers alone."""
        return self._with("protect_from_disruption", value)

    def otp_delivery(self, value: str) -> Self:
        """How a worker gets its OTP: `env` or `secret`."""
        return self._with("otp_delivery", value)

    def grace_period(self, seconds: float) -> Self:
        """Seconds that a destroyed worker has to end by itself."""
        return self._with("grace_period", seconds)

    def ttl_seconds_after_finished(self, seconds: float) -> Self:
        """Seconds that a finished worker is kept."""
        return self._with("ttl_seconds_after_finished", seconds)

    def creation_timeout(self, seconds: float) -> Self:
        """Seconds until the API server accepted a worker."""
        return self._with("creation_timeout", seconds)

    def destroy_timeout(self, seconds: float) -> Self:
        """Seconds until a worker is gone."""
        return self._with("destroy_timeout", seconds)

    def operation_timeout(self, seconds: float) -> Self:
        """Seconds for every other operation."""
        return self._with("operation_timeout", seconds)

    def request_timeout(self, seconds: float) -> Self:
        """Seconds for one request."""
        return self._with("request_timeout", seconds)

    def silence_limit(self, seconds: float) -> Self:
        """Seconds of silence on a watch that count as a lost connection."""
        return self._with("silence_limit", seconds)

    def log_levels(self, value: bool) -> Self:  # noqa: FBT001 - the setting's value
        """Whether the level of a log line is looked for."""
        return self._with("log_levels", value)

    def outage_limit(self, seconds: float) -> Self:
        """How long a followed log outlives an API server that does not answer."""
        return self._with("outage_limit", seconds)

    def capacity_lifetime(self, seconds: float) -> Self:
        """How long what was read of the cluster's capacity is used."""
        return self._with("capacity_lifetime", seconds)

    def max_response_bytes(self, value: int) -> Self:
        """The largest reply that is read."""
        return self._with("max_response_bytes", value)

    def http(self, value: str) -> Self:
        """The code under our own connections: `h11` or `httpx`."""
        return self._with("http", value)

    def retry(self, value: RetryPolicy) -> Self:
        """How often and how patiently requests are repeated."""
        return self._with("retry", value)

    def watch(self, value: WatchPolicy) -> Self:
        """How a watch is kept alive."""
        return self._with("watch", value)

    def startup(self, value: StartupPolicy) -> Self:
        """How long each stage of a worker's start may take."""
        return self._with("startup", value)

    def reconcile(self, value: ReconcilePolicy) -> Self:
        """What a reconcile may take away, and when."""
        return self._with("reconcile", value)
