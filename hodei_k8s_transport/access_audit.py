"""An audit that also reports settings with which nothing can be opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hodei_k8s_core.audit_report import AuditReport
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.operations.audit import audit_of_bad_configuration
from hodei_k8s_core.permissions import Feature
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_transport.provider import KubernetesProvider


def audit_access(
    config: KubernetesConfig,
    environ: Mapping[str, str] | None = None,
    *,
    spec: WorkerSpec | None = None,
    features: Collection[Feature] | None = None,
) -> AuditReport:
    """As `KubernetesProvider.audit`, with the opening of the provider as its first step; blocks.

    `environ`: in place of the process's variables. Never raises for what it finds.
    """
    try:
        with KubernetesProvider.connect(config, environ=environ) as provider:
            return provider.audit(spec=spec, features=features)
    except ConfigurationError as error:
        return audit_of_bad_configuration(config, error)
