"""The manifests in `deploy` say what the code says."""

from __future__ import annotations

from pathlib import Path

import yaml

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.permissions import configured_features, rbac_manifests

MANIFESTS = Path(__file__).parents[2] / "deploy" / "kubernetes"
CONFIG = KubernetesConfig()


def documents(name: str) -> list[object]:
    return list(yaml.safe_load_all((MANIFESTS / name).read_text()))


def test_the_permissions_are_those_of_the_table() -> None:
    assert documents("rbac.yaml") == rbac_manifests(CONFIG, configured_features(CONFIG))


def test_the_namespace_is_the_default_one_and_enforces_the_default_profile() -> None:
    (namespace,) = documents("namespace.yaml")
    assert isinstance(namespace, dict)
    assert namespace["metadata"]["name"] == CONFIG.namespace
    enforced = namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    assert enforced == CONFIG.security_profile.value


def test_every_manifest_is_in_the_readme() -> None:
    told = (MANIFESTS / "README.md").read_text()
    assert all(f"`{path.name}`" in told for path in MANIFESTS.glob("*.yaml"))
