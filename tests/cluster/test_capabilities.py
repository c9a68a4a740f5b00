"""What a provider says of the cluster's capacity, on every host; and what it says where it may not look."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.fulfillment import Fit, Rule
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.node_pool import NodePool
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from hodei_k8s_core.spec.worker_spec import Architecture
from tests.cluster.accounts import Accounts
from tests.cluster.capacity_lab import Api, judged_config, node, nodes_in
from tests.cluster.hosts import Host
from tests.cluster.lab import Kubectl

pytestmark = pytest.mark.anyio
POOL = NodePool(name="big", cpu="64", memory="256Gi", max_nodes=3)
ZONE = "topology.kubernetes.io/zone"


@pytest.fixture(scope="module")
def lab(kubeconfig: Path, namespace: str) -> Iterator[KubernetesConfig]:
    """Two nodes for our workers alone, and a pool that could have more."""
    token = secrets.token_hex(4)
    config = judged_config(namespace, token)
    arm = {"kubernetes.io/arch": "arm64", ZONE: "judge-b", "nvidia.com/gpu.product": "A100"}
    nodes = [
        node(token, f"judge-{token}-0", {"cpu": "4", "memory": "8Gi"}, labels={"kubernetes.io/arch": "amd64"}),
        node(token, f"judge-{token}-1", {"cpu": "8", "memory": "16Gi", "nvidia.com/gpu": "2"}, labels=arm),
    ]
    api = Api(config)
    try:
        with nodes_in(api, nodes):
            yield config
    finally:
        api.close()


def cores(amount: float, gpu_count: int = 0) -> ResourceRequirements:
    return ResourceRequirements(cpu_cores=amount, disk_bytes=0, gpu_count=gpu_count)


async def test_what_workers_can_be(host: Host, lab: KubernetesConfig) -> None:
    async with host.connect(lab) as provider:
        known = await provider.capabilities()
        report = await provider.describe_capacity()
    assert known == report.capabilities
    assert known.architectures == ("amd64", "arm64")
    assert (known.max_resources.max_cpu_cores, known.max_resources.max_memory_bytes) == (8.0, 16 * 1024**3)
    assert (known.gpu_support, known.max_resources.max_gpu_count) == (True, 2)
    assert known.gpu_types == ("A100", "nvidia.com/gpu")
    assert known.regions == ("judge-b",)
    assert not known.features
    assert report.largest_now is not None
    assert report.largest_now.cpu_cores == 8
    assert sum(group.usable for group in report.groups) == 2
    assert not report.unread


async def test_whether_a_job_fits_and_why_not(host: Host, lab: KubernetesConfig) -> None:
    small = JobRequirements(resources=cores(1), architecture=Architecture.ARM64, allowed_regions=["judge-b"])
    async with host.connect(lab) as provider:
        fits = await provider.explain_fulfillment(small, confirm=True)
        assert (fits.fit, fits.confirmed) == (Fit.NOW, True)
        assert await provider.can_fulfill(small)

        huge = await provider.explain_fulfillment(JobRequirements(resources=cores(100)))
        assert huge.fit is Fit.NEVER
        assert Rule.RESOURCE in huge.rules()
        assert any("short by 92" in line for line in huge.explain())
        assert not await provider.can_fulfill(JobRequirements(resources=cores(1, gpu_count=3)))


async def test_a_permission_that_is_missing_is_said(
    host: Host, config: KubernetesConfig, kubectl: Kubectl, tmp_path: Path
) -> None:
    accounts = Accounts(tmp_path, kubectl, config)
    account = accounts.permitted(f"blind-{secrets.token_hex(3)}")
    environ = accounts.environ({"token": accounts.token(account)})
    async with host.connect(config, environ=environ) as provider:
        known = await provider.capabilities()
        found = await provider.explain_fulfillment(JobRequirements(resources=cores(100)))
        assert await provider.can_fulfill(JobRequirements(resources=cores(100)))
    assert {"unknown:nodes", "unknown:pods"} <= set(known.features)
    assert known.max_resources.max_cpu_cores is None
    assert found.fit is Fit.UNKNOWN
    assert Rule.PERMISSION in found.rules()
    assert any("cannot list resource" in line for line in found.explain())

    declared = KubernetesConfig(namespace=config.namespace, provider_id=config.provider_id, node_pools=[POOL])
    async with host.connect(declared, environ=environ) as provider:
        assert (await provider.capabilities()).max_resources.max_cpu_cores == 64
        assert (await provider.explain_fulfillment(JobRequirements(resources=cores(60)))).fit is Fit.NEW_NODE
        assert not await provider.can_fulfill(JobRequirements(resources=cores(100)))
