"""Several clusters behind one door, on threads, asyncio and trio: chosen, failed over, watched, ended."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.errors import ConfigurationError, ConnectionFailed, OutcomeUnknown, ProvisioningFailed
from hodei_k8s_core.provisioning.circuit import CircuitPolicy, CircuitState
from hodei_k8s_core.simulation import Answer, Behaviour, Cluster, LoseReply, LoseRequest, Rule, make_node
from hodei_k8s_core.simulation.statuses import failure
from hodei_k8s_core.simulation.wire import encode
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_core.worker_change import WorkerChange
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.provider import KubernetesProvider
from hodei_k8s_transport.service.async_provisioning_service import AsyncProvisioningService
from hodei_k8s_transport.service.provisioning_service import ProvisioningService
from hodei_k8s_transport.service.registry import InMemoryWorkerRegistry
from hodei_k8s_transport.service.watched import WatchEnded
from hodei_k8s_transport.testing.never_suspending import NeverSuspending
from tests.transport.sides import SyncSide
from tests.transport.simulated_server import SimulatedServer

SPEC = WorkerSpec(worker_id="w1", image="job:1")
CONFIG = KubernetesConfig(request_timeout=2.0, creation_timeout=5.0, retry=RetryPolicy(max_attempts=1))


def refused(code: int, reason: str) -> Answer:
    return Answer(code, encode(failure(code, reason, f"that is {reason.lower()}")))


@pytest.fixture
def servers() -> Iterator[dict[str, SimulatedServer]]:
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(SimulatedServer(cluster_with_a_node())) for name in ("one", "two")}


def cluster_with_a_node() -> Cluster:
    return Cluster(behaviours={"job:1": Behaviour()}, nodes=[make_node("n1")])


class _Items:
    """A sync iterator as an async one."""

    def __init__(self, items: Any) -> None:
        self._items = items

    def __aiter__(self) -> _Items:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self._items)
        except StopIteration:
            raise StopAsyncIteration from None


class _SyncService:
    """A sync service with the methods of the async one."""

    def __init__(self, service: ProvisioningService) -> None:
        self._service = service
        self._calls = NeverSuspending(service)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service if name in ("circuits", "providers") else self._calls, name)

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncIterator[_Items]:
        with self._service.watch() as items:
            yield _Items(items)


@contextlib.asynccontextmanager
async def service(side: Any, servers: dict[str, SimulatedServer], tmp_path: Path, **options: Any) -> AsyncIterator[Any]:
    configs = [
        msgspec.structs.replace(
            CONFIG, provider_id=name, kubeconfig_path=str(server.write_kubeconfig(tmp_path / f"{name}.config"))
        )
        for name, server in servers.items()
    ]
    if isinstance(side, SyncSide):
        with contextlib.ExitStack() as stack:
            providers = [stack.enter_context(KubernetesProvider.connect(config)) for config in configs]
            yield _SyncService(ProvisioningService(providers, **options))
    else:
        async with contextlib.AsyncExitStack() as entered:
            tasks = [await entered.enter_async_context(AsyncKubernetesProvider.connect(config)) for config in configs]
            yield AsyncProvisioningService(tasks, **options)


Servers = dict[str, SimulatedServer]


def test_a_worker_is_made_found_listed_and_ended(side: Any, servers: Servers, tmp_path: Path) -> None:
    async def main() -> None:
        async with service(side, servers, tmp_path) as ours:
            made = await ours.provision(SPEC)
            assert (made.provider_id, made.handle.provider_id) == ("one", "one")
            assert made.ranking.explain()[0].startswith("1. one: ")
            found = await ours.get_worker("w1")
            assert found.handle == made.handle
            listing = await ours.list_workers()
            assert [info.worker_id for info in listing.workers] == ["w1"]
            assert listing.problems == {}
            await ours.terminate(made.handle, grace_period=1)
            assert await ours.get_worker("w1") is None
            assert sorted(ours.providers) == ["one", "two"]

    side.run(main)


def test_the_next_cluster_takes_over(side: Any, servers: Servers, tmp_path: Path) -> None:
    servers["one"].plan.add(Rule("", "", LoseRequest(), times=None))

    async def main() -> None:
        async with service(side, servers, tmp_path, circuit=CircuitPolicy(failures=1)) as ours:
            made = await ours.provision(SPEC)
            assert made.provider_id == "two"
            assert (await ours.list_workers()).problems.keys() == {"one"}
            assert (await ours.get_worker("w1")).handle.provider_id == "two"
            with pytest.raises(ConnectionFailed):
                await ours.get_worker("w2")
            with pytest.raises(ConnectionFailed):
                await ours.terminate_by_id("w1", grace_period=1)
            assert servers["two"].pods() == {}

    side.run(main)


def test_a_create_that_fails_opens_the_circuit_of_its_cluster(side: Any, servers: Servers, tmp_path: Path) -> None:
    servers["one"].plan.add(Rule("create", "pods", refused(401, "Unauthorized"), times=None))

    async def main() -> None:
        async with service(side, servers, tmp_path, circuit=CircuitPolicy(failures=1)) as ours:
            made = await ours.provision(SPEC)
            assert made.provider_id == "two"
            assert [attempt.provider_id for attempt in made.failed] == ["one"]
            assert ours.circuits() == {"one": CircuitState.OPEN, "two": CircuitState.CLOSED}

    side.run(main)


def test_an_unknown_outcome_stays_with_its_cluster(side: Any, servers: Servers, tmp_path: Path) -> None:
    servers["one"].plan.add(Rule("create", "pods", LoseReply()))
    servers["one"].plan.add(Rule("get", "pods", LoseRequest(), nth=2))

    async def main() -> None:
        async with service(side, servers, tmp_path) as ours:
            with pytest.raises(OutcomeUnknown):
                await ours.provision(SPEC)
            made = await ours.provision(SPEC)
            assert made.provider_id == "one"
            assert (len(servers["one"].pods()), len(servers["two"].pods())) == (1, 0)
            await ours.terminate_by_id("w1", grace_period=1)
            assert servers["one"].pods() == {}

    side.run(main)


def test_nobody_can(side: Any, servers: Servers, tmp_path: Path) -> None:
    for server in servers.values():
        server.plan.add(Rule("", "", LoseRequest(), times=None))

    async def main() -> None:
        async with service(side, servers, tmp_path) as ours:
            with pytest.raises(ProvisioningFailed, match=r"one: .*two: "):
                await ours.provision(SPEC)

    side.run(main)


def test_the_watches_of_all_clusters_feed_the_registry(side: Any, servers: Servers, tmp_path: Path) -> None:
    async def main() -> None:
        registry = InMemoryWorkerRegistry()
        async with service(side, servers, tmp_path, registry=registry) as ours:
            made = await ours.provision(SPEC)
            seen = []
            is_ready = False
            async with ours.watch() as items:
                async for provider_id, item in items:
                    seen.append((provider_id, item))
                    is_ready = is_ready or (isinstance(item, WorkerChange) and item.info.state is WorkerState.READY)
                    healths = [registry.health_of(name) for name in servers]
                    if is_ready and all(health is not None and health.is_synced for health in healths):
                        break
            assert {provider_id for provider_id, item in seen if isinstance(item, WorkerChange)} == {"one"}
            known = registry.get("w1")
            assert known is not None
            assert known.handle == made.handle
            assert registry.handles() == {"w1": made.handle}

    side.run(main)


def test_a_watch_that_ends_does_not_end_the_others(side: Any, servers: Servers, tmp_path: Path) -> None:
    servers["one"].plan.add(Rule("list", "pods", refused(403, "Forbidden"), times=None))

    async def main() -> None:
        async with service(side, servers, tmp_path) as ours:
            told = {}
            async with ours.watch() as items:
                async for provider_id, item in items:
                    told[provider_id] = item
                    if len(told) == 2:
                        break
            assert isinstance(told["one"], WatchEnded)
            assert "forbidden" in told["one"].reason

    side.run(main)


def test_a_handle_of_nobody_and_two_of_one_name(side: Any, servers: Servers, tmp_path: Path) -> None:
    async def main() -> None:
        async with service(side, servers, tmp_path) as ours:
            handle = (await ours.provision(SPEC)).handle
            with pytest.raises(ConfigurationError, match="the providers are one, two"):
                await ours.terminate(msgspec.structs.replace(handle, provider_id="three"))
            twice = list(ours.providers.values()) * 2
            with pytest.raises(ConfigurationError, match="the id of two providers"):
                ProvisioningService(twice)

    side.run(main)
