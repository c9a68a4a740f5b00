"""In a namespace that enforces the *restricted* Pod Security Standard a worker runs; one that asks for more not."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ProvisioningFailed
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.worker import WorkerState
from tests.cluster.conftest import NAMESPACE_LIMIT, _wait_for_account
from tests.cluster.hosts import Host
from tests.cluster.lab import Kubectl

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def restricted(kubeconfig: Path) -> Iterator[str]:
    """A namespace that refuses what is not restricted."""
    name = f"hodei-restricted-{secrets.token_hex(4)}"
    kubectl = Kubectl(kubeconfig)
    kubectl("create", "namespace", name)
    try:
        kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
        _wait_for_account(kubectl.in_namespace(name))
        yield name
    finally:
        kubectl("delete", "namespace", name, f"--timeout={NAMESPACE_LIMIT}s", limit=NAMESPACE_LIMIT + 10)


async def test_a_worker_that_needs_no_root_runs(
    host: Host, config: KubernetesConfig, restricted: str, new_spec: Callable[..., WorkerSpec]
) -> None:
    async with host.connect(msgspec.structs.replace(config, namespace=restricted)) as provider:
        handle = await provider.create_worker(new_spec("id -u; id -g; touch /no 2>/dev/null && echo root"))
        ended = await provider.wait_for_worker(handle, until=WorkerState.TERMINATED, timeout=60)
        lines = [entry.message for entry in await provider.get_worker_logs(handle)]
        await provider.destroy_worker(handle)
    assert lines[0] == str(config.run_as_user)
    assert "root" not in lines
    assert ended.exit_code is not None


@pytest.mark.parametrize("profile", [SecurityProfile.PRIVILEGED, SecurityProfile.BASELINE])
async def test_one_that_asks_for_more_is_refused_with_the_clusters_reason(
    host: Host,
    config: KubernetesConfig,
    restricted: str,
    new_spec: Callable[..., WorkerSpec],
    profile: SecurityProfile,
) -> None:
    async with host.connect(msgspec.structs.replace(config, namespace=restricted)) as provider:
        with pytest.raises(ProvisioningFailed) as caught:
            await provider.create_worker(new_spec("true", security_profile=profile))
        assert await provider.list_workers() == []
    assert 'violates PodSecurity "restricted:latest"' in str(caught.value)
    assert not caught.value.retryable
