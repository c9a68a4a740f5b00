"""What a provider says of its cluster: read once for all who ask at one time, and again when that is no longer good."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import pytest

from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.fulfillment import Fit
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.simulation import Rule, Stall
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from hodei_k8s_core.worker_change import WatchHealth, WorkerChange
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.provider import KubernetesProvider
from tests.transport.simulated_server import SimulatedServer

BACKENDS = ["asyncio", "trio"]
READS = 7  # nodes, Pods, quotas, LimitRanges and three kinds of classes
SMALL, THREE_CORES, LARGE = (JobRequirements(resources=ResourceRequirements(cpu_cores=cores)) for cores in (1, 3, 9))


@pytest.fixture
def simulated() -> Iterator[SimulatedServer]:
    with SimulatedServer() as server:
        sizes = {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "20Gi", "pods": "10"}
        server.cluster.add("nodes", {"metadata": {"name": "n1"}, "status": {"allocatable": sizes}})
        yield server


@pytest.fixture
def config(simulated: SimulatedServer, tmp_path: Path) -> KubernetesConfig:
    path = simulated.write_kubeconfig(tmp_path / "config")
    return KubernetesConfig(kubeconfig_path=str(path), provider_id="tests")


def test_threads_that_ask_at_one_time_read_once(simulated: SimulatedServer, config: KubernetesConfig) -> None:
    with KubernetesProvider.connect(config) as provider, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(provider.can_fulfill, [SMALL, LARGE] * 4))
    assert answers == [True, False] * 4
    assert len(simulated.requests) == READS


@pytest.mark.parametrize("backend", BACKENDS)
def test_tasks_that_ask_at_one_time_read_once(
    backend: str, simulated: SimulatedServer, config: KubernetesConfig
) -> None:
    answers: list[Fit] = []

    async def main() -> None:
        async def ask() -> None:
            answers.append((await provider.explain_fulfillment(SMALL)).fit)

        async with AsyncKubernetesProvider.connect(config) as provider, anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(ask)

    anyio.run(main, backend=backend)
    assert answers == [Fit.NOW] * 20
    assert len(simulated.requests) == READS


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_reader_that_is_cancelled_keeps_nobody_waiting(
    backend: str, simulated: SimulatedServer, config: KubernetesConfig
) -> None:
    simulated.plan.add(Rule("list", "pods", Stall()))

    async def main() -> None:
        async with AsyncKubernetesProvider.connect(config) as provider:
            with anyio.move_on_after(0.2) as scope:
                await provider.capabilities()
            assert scope.cancelled_caught
            with anyio.fail_after(5):
                assert (await provider.capabilities()).max_resources.max_cpu_cores == 4

    anyio.run(main, backend=backend)


def test_what_was_read_is_used_until_its_time_is_over(simulated: SimulatedServer, config: KubernetesConfig) -> None:
    with KubernetesProvider.connect(config) as provider:
        assert provider.capabilities() == provider.describe_capacity().capabilities
        assert provider.can_fulfill(SMALL)
    assert len(simulated.requests) == READS


def test_a_worker_that_is_made_here_is_seen(simulated: SimulatedServer, config: KubernetesConfig) -> None:
    with KubernetesProvider.connect(config) as provider:
        assert provider.explain_fulfillment(SMALL).fit is Fit.NOW
        provider.create_worker(WorkerSpec(worker_id="w1", image="job:1"))
        before = len(simulated.requests)
        assert provider.can_fulfill(SMALL)
        assert len(simulated.requests) == before
        assert provider.explain_fulfillment(SMALL).fit is Fit.NOW
        assert len(simulated.requests) == before + READS


def test_a_worker_that_another_makes_is_seen_while_a_watch_runs(
    simulated: SimulatedServer, config: KubernetesConfig
) -> None:
    with (
        KubernetesProvider.connect(config) as provider,
        KubernetesProvider.connect(config) as other,
        provider.watch_workers() as items,
    ):
        assert isinstance(next(items), WatchHealth)  # the picture is whole
        assert provider.explain_fulfillment(THREE_CORES).fit is Fit.NOW
        other.create_worker(WorkerSpec(worker_id="w1", image="job:1", resources=THREE_CORES.resources))
        for item in items:
            if isinstance(item, WorkerChange) and item.info.node:
                break
        assert provider.explain_fulfillment(THREE_CORES).fit is Fit.LATER
