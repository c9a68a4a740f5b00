"""The access of a Pod by its own service account."""

from __future__ import annotations

import pytest

from hodei_k8s_core.access.cluster_access import Identity, Material, TlsTrust, TokenFile
from hodei_k8s_core.access.kubeconfig import ServiceAccountMount, load_kubeconfig
from hodei_k8s_core.errors import ConfigurationError
from tests.core.kubeconfigs import config, document

MOUNT = ServiceAccountMount("/sa", namespace="mounted\n")
POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def test_in_a_pod() -> None:
    access = load_kubeconfig([], POD, service_account=MOUNT)

    assert access.server == "https://10.96.0.1:443"
    assert access.trust == TlsTrust(ca=Material("/sa/ca.crt", path="/sa/ca.crt"))
    assert access.identity == Identity(token=TokenFile(Material("/sa/token", path="/sa/token")))
    assert access.namespace == "mounted"
    assert str(access.origin) == "the Pod's own service account"


@pytest.mark.parametrize(
    ("environ", "mount", "namespace"),
    [
        ({"POD_NAMESPACE": "mine"}, MOUNT, "mine"),
        ({}, ServiceAccountMount("/sa"), "default"),
    ],
)
def test_the_namespace_in_a_pod(environ: dict[str, str], mount: ServiceAccountMount, namespace: str) -> None:
    assert load_kubeconfig([], POD | environ, service_account=mount).namespace == namespace


def test_in_a_pod_with_ipv6_and_without_a_bundle() -> None:
    environ = POD | {"KUBERNETES_SERVICE_HOST": "fd00::1"}

    access = load_kubeconfig([], environ, service_account=ServiceAccountMount("/sa", has_ca=False))

    assert access.server == "https://[fd00::1]:443"
    assert access.trust == TlsTrust()


@pytest.mark.parametrize(
    ("environ", "mount"),
    [(POD, None), ({}, MOUNT), (POD | {"KUBERNETES_SERVICE_PORT": ""}, MOUNT)],
)
def test_not_in_a_pod(environ: dict[str, str], mount: ServiceAccountMount | None) -> None:
    with pytest.raises(ConfigurationError, match="there is none, or it is empty"):
        load_kubeconfig([], environ, service_account=mount)


def test_a_kubeconfig_beats_the_pod() -> None:
    assert load_kubeconfig([document(config())], POD, service_account=MOUNT).origin.context == "dev"
