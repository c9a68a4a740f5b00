"""The pytest plugin `hodei_k8s`: a simulated cluster and a provider on it, fresh for every test.

    def test_a_build(worker_provider, kubernetes_cluster):
        kubernetes_cluster.behave("build:1", "oom-killed")
        ...

Installed with the package; nothing is imported before a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hodei_k8s_transport.provider import KubernetesProvider
    from hodei_k8s_transport.testing.simulated_kubernetes import SimulatedKubernetes


@pytest.fixture
def kubernetes_cluster() -> SimulatedKubernetes:
    """A cluster that lives in memory, in virtual time: see `SimulatedKubernetes`."""
    from hodei_k8s_transport.testing.simulated_kubernetes import SimulatedKubernetes

    return SimulatedKubernetes()


@pytest.fixture
def worker_provider(kubernetes_cluster: SimulatedKubernetes) -> Iterator[KubernetesProvider]:
    """A provider for threads on that cluster; closed after the test."""
    from hodei_k8s_transport.provider import KubernetesProvider

    with KubernetesProvider.connect(kubernetes_cluster.config, channel=kubernetes_cluster.channel) as provider:
        yield provider
