"""The watch on a fleet against a real API server that restarts, falls silent, forgets, and loses its node.

All but the dead node need the control plane alone (`cluster up --no-node`): what they watch stays Pending.
"""

from __future__ import annotations

import resource
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.verdict import Category
from hodei_k8s_core.worker import WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import ChangeKind, FleetItem, Freshness, WatchHealth, WorkerChange
from hodei_k8s_transport.provider import KubernetesProvider
from tests.cluster.hosts import Host
from tests.cluster.lab import Kubectl, Lab

pytestmark = [pytest.mark.anyio, pytest.mark.long]

MANY = 3000
OF_MANY = {"team": "many"}
MANY_SELECTOR = "team=many"
"""What other tests have left behind is none of them."""
RESTART_LIMIT = 90.0
SILENCE = 4.0
SLEEP = "while :; do sleep 0.1; done"


class Watched:
    """A watch that is read in the background, folded, and checked for what is told twice."""

    def __init__(self) -> None:
        self.view = FleetView()
        self.items: list[FleetItem] = []
        self.moments: list[float] = []

    async def follow(self, stream: Any) -> None:
        async for item in stream:
            if isinstance(item, WorkerChange):
                known = self.view.get(item.worker_id)
                assert (known is None) == (item.kind is ChangeKind.ADDED), item
                assert item.kind is not ChangeKind.CHANGED or item.info != known, item
            self.view.apply([item])
            self.items.append(item)
            self.moments.append(time.monotonic())

    async def until(self, condition: Callable[[], Any], limit: float = 60.0) -> None:
        """Wait for it; the watch is what tells."""
        deadline = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < deadline, f"not in time; told: {self.told()}"
            await anyio.sleep(0.02)

    def health(self) -> list[WatchHealth]:
        return [item for item in self.items if isinstance(item, WatchHealth)]

    def told(self, worker_id: str = "") -> list[str]:
        """What was told, of one worker or of all, health included."""
        words = []
        for item in self.items:
            if isinstance(item, WatchHealth):
                words += [] if worker_id else [f"{item.freshness.value} ({item.because})"]
            elif worker_id in ("", item.worker_id):
                words.append(f"{item.kind.value}{' gone' if item.gone else ''}")
        return words


@asynccontextmanager
async def watching(provider: Any, **options: Any) -> AsyncIterator[Watched]:
    watched = Watched()
    async with provider.watch_workers(**options) as stream, anyio.create_task_group() as tasks:
        tasks.start_soon(watched.follow, stream)
        await watched.until(lambda: watched.view.is_synced)
        yield watched
        stream.request_stop()
        tasks.cancel_scope.cancel()


async def in_thread(call: Callable[..., Any], *args: Any) -> Any:
    """The switches of the lab block."""
    return await anyio.to_thread.run_sync(call, *args)


def quick(config: KubernetesConfig, **changes: Any) -> KubernetesConfig:
    return msgspec.structs.replace(config, request_timeout=3.0, **changes)


async def test_a_label_that_is_taken_off_and_a_deletion_are_told_apart(
    host: Host, kubectl: Kubectl, new_spec: Callable[..., WorkerSpec]
) -> None:
    async with host.connect() as provider:
        first, second, third = [await provider.create_worker(new_spec(SLEEP, labels={"team": "a"})) for _ in range(3)]
        async with watching(provider, selector="team=a") as watched:
            await in_thread(kubectl, "label", "pod", first.pod_name, "team=b", "--overwrite")
            await in_thread(kubectl, "label", "pod", second.pod_name, "hodei.io/managed-")
            await in_thread(kubectl, "delete", "pod", third.pod_name, "--grace-period=1", "--wait=false")
            await watched.until(
                lambda: not {first.worker_id, second.worker_id, third.worker_id} & set(watched.view.workers)
            )
            assert watched.told(first.worker_id)[-1] == "removed"
            assert watched.told(second.worker_id)[-1] == "removed"
            assert watched.told(third.worker_id)[-1] == "removed gone"
            await in_thread(kubectl, "label", "pod", first.pod_name, "team=a", "--overwrite")
            await watched.until(lambda: watched.view.get(first.worker_id) is not None)
        await in_thread(kubectl, "delete", "pod", first.pod_name, second.pod_name, "--grace-period=1")


async def test_a_watch_outlives_a_restart_of_the_api_server(
    host: Host, kubectl: Kubectl, lab: Lab, new_spec: Callable[..., WorkerSpec]
) -> None:
    """The versions from before are unknown afterwards (410), and what changed meanwhile is told."""
    async with host.connect(quick(host.config, retry=RetryPolicy(max_attempts=8))) as provider:
        stays, goes = [await provider.create_worker(new_spec(SLEEP)) for _ in range(2)]
        async with watching(provider) as watched:
            await in_thread(lab.kill, "apiserver")
            await watched.until(lambda: watched.health()[-1].freshness is not Freshness.SYNCED)
            await in_thread(lab.start, "apiserver")
            await in_thread(kubectl, "delete", "pod", goes.pod_name, "--grace-period=1", "--wait=false")
            await watched.until(
                lambda: watched.view.is_synced and watched.view.get(goes.worker_id) is None, RESTART_LIMIT
            )
            assert watched.told(goes.worker_id)[-1] == "removed gone"
            assert set(watched.told(stays.worker_id)[1:]) <= {"changed"}  # by the scheduler
            new = await provider.create_worker(new_spec(SLEEP))
            await watched.until(lambda: watched.view.get(new.worker_id) is not None)
        for handle in (stays, new):
            await provider.destroy_worker(handle)


async def test_versions_from_before_a_restart_are_expired(
    host: Host, kubectl: Kubectl, lab: Lab, new_spec: Callable[..., WorkerSpec]
) -> None:
    """The history of a server that has started begins with the last write to anything."""
    async with host.connect(quick(host.config)) as provider:
        handle = await provider.create_worker(new_spec(SLEEP))
        async with watching(provider) as watched:
            await watched.until(lambda: is_settled(watched.view.get(handle.worker_id)))
            await in_thread(kubectl, "create", "configmap", f"later-{handle.worker_id}")
            await in_thread(lab.kill, "apiserver")
            await in_thread(lab.start, "apiserver")
            await watched.until(
                lambda: any(one.because.startswith("expired") for one in watched.health()), RESTART_LIMIT
            )
            await watched.until(lambda: watched.view.is_synced)
            assert set(watched.told(handle.worker_id)[1:]) <= {"changed"}
        await provider.destroy_worker(handle)


def is_settled(info: WorkerInfo | None) -> bool:
    """Nothing writes to its Pod any more: it runs, or the scheduler has said that no node takes it."""
    return info is not None and (info.state is WorkerState.READY or info.reason == "Unschedulable")


async def test_a_paused_api_server_is_silence_and_not_an_error(
    host: Host, kubectl: Kubectl, lab: Lab, new_spec: Callable[..., WorkerSpec]
) -> None:
    """Nothing fails: the connection stays open. The picture is as old as the last that was heard."""
    async with host.connect(quick(host.config, silence_limit=SILENCE)) as provider:
        handle = await provider.create_worker(new_spec(SLEEP))
        async with watching(provider) as watched:
            await watched.until(lambda: watched.view.get(handle.worker_id) is not None)
            before = time.time()
            await in_thread(lab.pause, "apiserver")
            await watched.until(lambda: watched.health()[-1].freshness is Freshness.STALE)
            told = watched.health()
            lost = told[max(place for place, one in enumerate(told) if one.is_synced) + 1 :]
            assert lost[0].because == "silent"
            assert "timeout" in lost[-1].because
            # A watch without news was last heard of up to one limit earlier, also before the pause.
            assert before - SILENCE - 2 < lost[0].since < time.time() - SILENCE + 1
            assert {one.since for one in lost} == {lost[0].since}
            await in_thread(lab.resume, "apiserver")
            await in_thread(kubectl, "annotate", "pod", handle.pod_name, "hodei.io/job-id=job-1")
            await watched.until(
                lambda: watched.view.is_synced and watched.view.workers[handle.worker_id].job_id == "job-1"
            )
        await provider.destroy_worker(handle)


async def test_many_waiters_share_one_view(host: Host, kubectl: Kubectl, new_spec: Callable[..., WorkerSpec]) -> None:
    async with host.connect() as provider, a_fleet(host, provider) as fleet:
        handles = [await provider.create_worker(new_spec(SLEEP)) for _ in range(5)]
        ended: list[WorkerState] = []

        async def wait(handle: Any) -> None:
            ended.append((await fleet.wait_for(handle, until=WorkerState.TERMINATED, timeout=90)).state)

        async with anyio.create_task_group() as tasks:
            for handle in handles:
                tasks.start_soon(wait, handle)
            await in_thread(kubectl, "delete", "pod", *(handle.pod_name for handle in handles), "--grace-period=1")
        assert ended == [WorkerState.TERMINATED] * 5


@asynccontextmanager
async def a_fleet(host: Host, provider: Any) -> AsyncIterator[Any]:
    """The fleet of any host with methods to await."""
    fleet = provider.fleet()
    if host.kind != "sync":
        async with fleet:
            yield fleet
        return
    await in_thread(fleet.__enter__)
    try:
        yield _Threaded(fleet)
    finally:
        await in_thread(fleet.__exit__)


class _Threaded:
    def __init__(self, fleet: Any) -> None:
        self._fleet = fleet

    async def wait_for(self, *args: Any, **options: Any) -> Any:
        return await in_thread(lambda: self._fleet.wait_for(*args, **options))


@pytest.fixture
def many_pods(config: KubernetesConfig, kubectl: Kubectl, new_spec: Callable[..., WorkerSpec]) -> Any:
    """3,000 workers, made through the library by eight threads."""
    with KubernetesProvider.connect(config) as provider, ThreadPoolExecutor(8) as pool:
        handles = list(pool.map(lambda _: provider.create_worker(new_spec(SLEEP, labels=OF_MANY)), range(MANY)))
    yield handles
    kubectl("delete", "pods", "--selector", MANY_SELECTOR, "--grace-period=1", "--wait=false", limit=300)


def test_three_thousand_workers_are_listed_watched_and_folded(
    config: KubernetesConfig, kubectl: Kubectl, many_pods: Any
) -> None:
    size = len(
        kubectl("get", "--raw", f"/api/v1/namespaces/{config.namespace}/pods?labelSelector=team%3Dmany", limit=120)
    )
    with KubernetesProvider.connect(config) as provider:
        provider.health_check()  # the connection, and what is imported when it is first used
        cpu = _synced(provider)
        tracemalloc.start()
        try:
            with provider.fleet(selector=MANY_SELECTOR) as fleet:
                held, peak = tracemalloc.get_traced_memory()
                assert len(fleet.view.workers) == MANY
                assert sum(fleet.view.count_by_state().values()) == MANY
                told = _time_to_be_told(fleet, kubectl, many_pods[17])
        finally:
            tracemalloc.stop()
    print(f"\n{MANY} Pods, {size / 1e6:.1f} MB of JSON: {cpu:.2f} s CPU; peak {peak / 1e6:.1f} MB,", end=" ")
    print(f"held {held / 1e6:.1f} MB; a change told after {told:.2f} s")
    assert cpu < 10
    assert held < 2 * size
    assert peak - held < size / 2  # beside the view a page or so, and never the list
    assert told < 5


def _synced(provider: KubernetesProvider) -> float:
    """The CPU seconds of this process until the picture is whole, for listing and folding."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    with provider.fleet(selector=MANY_SELECTOR):
        after = resource.getrusage(resource.RUSAGE_SELF)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def _time_to_be_told(fleet: Any, kubectl: Kubectl, handle: Any) -> float:
    began = time.monotonic()
    kubectl("annotate", "pod", handle.pod_name, "hodei.io/job-id=job-1")
    while fleet.get(handle.worker_id).job_id != "job-1":
        assert time.monotonic() - began < 30
        time.sleep(0.005)
    return time.monotonic() - began


async def test_a_dead_node_is_told_of_each_of_its_workers(
    host: Host, kubectl: Kubectl, lab: Lab, new_spec: Callable[..., WorkerSpec]
) -> None:
    """The containers' statuses freeze as they were; only the condition Ready of the Pod turns (after 40 s and more)."""
    if not kubectl.json("get", "nodes")["items"]:
        pytest.skip("needs a node")
    async with host.connect() as provider:
        handle = await provider.create_worker(new_spec(SLEEP))
        async with watching(provider) as watched:

            def verdict() -> Category | None:
                found = watched.view.workers[handle.worker_id].verdict
                return None if found is None else found.category

            await watched.until(lambda: watched.view.workers[handle.worker_id].state is WorkerState.READY, 120)
            await in_thread(lab.pause, "kubelet")
            await watched.until(lambda: verdict() is Category.NODE_LOST, 300)
            assert watched.view.workers[handle.worker_id].state is WorkerState.CONNECTING
            await in_thread(lab.resume, "kubelet")
            await watched.until(lambda: watched.view.workers[handle.worker_id].state is WorkerState.READY, 180)
            await watched.until(lambda: verdict() is None)
        await provider.destroy_worker(handle)
