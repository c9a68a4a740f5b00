"""How a worker resolves names."""

from __future__ import annotations

from typing import Any

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.spec.host_names import dns_faults
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.validation import raise_faults, within


def host_names(spec: WorkerSpec, config: KubernetesConfig) -> dict[str, Any]:
    """The fields of the Pod's spec; what is empty says nothing.

    Raises: ConfigurationError for a policy that needs a name server when neither spec nor configuration has one.
    """
    policy, dns = spec.dns_policy or config.dns_policy, spec.dns_config or config.dns_config
    raise_faults("the worker could not resolve names", within("spec", dns_faults(policy, dns)))
    return {
        "dnsPolicy": policy,
        "dnsConfig": dns.to_manifest() if dns is not None else None,
        "hostAliases": [alias.to_manifest() for alias in spec.host_aliases or config.host_aliases],
    }
