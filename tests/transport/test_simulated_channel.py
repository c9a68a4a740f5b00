"""The simulated cluster as a channel of the providers: in virtual time, where hours pass at once, and in real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import anyio
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import SILENCE
from hodei_k8s_core.errors import ConnectionFailed, TransportError
from hodei_k8s_core.http import Request
from hodei_k8s_core.log_entry import LogEntry
from hodei_k8s_core.simulation import BEHAVIOUR_LABEL, Behaviour, Cluster, LoseReply, LoseRequest, Rule, by_name
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.verdict import Category
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_core.worker_change import ChangeKind, WorkerChange
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.provider import KubernetesProvider
from hodei_k8s_transport.simulation import (
    AsyncRealTime,
    AsyncSimulatedChannel,
    RealTime,
    SimulatedChannel,
    VirtualTime,
    local_process,
)
from hodei_k8s_transport.testing.never_suspending import NeverSuspending, drive

CONFIG = KubernetesConfig()
HOUR = 3600.0
SLOW = Behaviour(
    pull=45.0, ready=20.0, logs=tuple((60.0 * n, f"line {n}") for n in range(120)), exit_code=0, run=2 * HOUR
)
LIMIT = 10.0


def spec(worker_id: str = "a", **fields: Any) -> WorkerSpec:
    return WorkerSpec(
        **{"worker_id": worker_id, "image": "job:1", "server_address": "h:1", "max_lifetime": 9 * HOUR, **fields}
    )


class Sync:
    """A provider for threads whose methods are awaited."""

    def __init__(self) -> None:
        self.channel_type: Any = SimulatedChannel
        self.real_time: Any = RealTime

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        drive(main())

    def provider(self, channel: Any) -> Any:
        return NeverSuspending(KubernetesProvider(CONFIG, channel))

    async def __call__(self, channel: Any, use: Callable[[Any], Awaitable[None]]) -> None:
        with KubernetesProvider.connect(CONFIG, channel=channel) as provider:
            await use(NeverSuspending(provider))


class Async:
    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.channel_type: Any = AsyncSimulatedChannel
        self.real_time: Any = AsyncRealTime

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        anyio.run(main, backend=self.backend)

    async def __call__(self, channel: Any, use: Callable[[Any], Awaitable[None]]) -> None:
        async with AsyncKubernetesProvider.connect(CONFIG, channel=channel) as provider:
            await use(provider)


@pytest.fixture(params=["sync", "asyncio", "trio"])
def kind(request: pytest.FixtureRequest) -> Any:
    return Sync() if request.param == "sync" else Async(request.param)


def test_hours_pass_in_a_moment(kind: Any) -> None:
    channel = kind.channel_type(Cluster(behaviours={"job:1": SLOW}))

    async def use(provider: Any) -> None:
        handle = await provider.create_worker(spec())
        info = await provider.wait_for_worker(handle)
        assert info.state is WorkerState.READY
        lines = await provider.get_worker_logs(handle)
        assert [one.message for one in lines] == ["line 0"]
        await provider.wait_for_worker(handle, until=WorkerState.TERMINATED, timeout=3 * HOUR)
        assert len(await provider.get_worker_logs(handle)) == 120
        await provider.destroy_worker(handle)
        assert await provider.list_workers() == []

    began = time.monotonic()
    kind.run(lambda: kind(channel, use))
    assert time.monotonic() - began < LIMIT
    assert channel.own_time.now > 2 * HOUR


def test_a_failure_of_the_library_is_told_as_ever(kind: Any) -> None:
    channel = kind.channel_type(Cluster(behaviours=by_name()))

    async def use(provider: Any) -> None:
        handle = await provider.create_worker(spec(labels={BEHAVIOUR_LABEL: "oom-killed"}))
        info = await provider.wait_for_worker(handle, until=WorkerState.TERMINATED)
        assert info.verdict.category is Category.OUT_OF_MEMORY

    kind.run(lambda: kind(channel, use))


def test_faults_are_met_and_back_off_takes_no_time(kind: Any) -> None:
    lost = [Rule("create", "pods", LoseReply()), Rule("list", "pods", LoseRequest(), times=None)]
    channel = kind.channel_type(Cluster(), faults=lost)

    async def use(provider: Any) -> None:
        handle = await provider.create_worker(spec())
        assert handle.pod_name in channel.cluster.pods(CONFIG.namespace)
        with pytest.raises(ConnectionFailed):
            await provider.list_workers()

    began = time.monotonic()
    kind.run(lambda: kind(channel, use))
    assert time.monotonic() - began < LIMIT
    assert len(channel.plan.fired) > 3


def test_what_a_program_writes_is_the_log(kind: Any) -> None:
    cluster = Cluster(behaviours=lambda _: local_process())
    channel = kind.channel_type(cluster, time=kind.real_time(cluster))
    script = 'echo "$0 $HODEI_WORKER_ID $MORE"; cat; exit 3'
    told = spec(command=["sh", "-c", script, "it is"], environment={"MORE": "a$$b $(HODEI_WORKER_ID)"})

    async def use(provider: Any) -> None:
        handle = await provider.create_worker(told)
        info = await provider.wait_for_worker(handle, until=WorkerState.TERMINATED, timeout=LIMIT)
        assert info.exit_code == 3
        lines = await provider.get_worker_logs(handle)
        assert [one.message for one in lines] == ["it is a a$$b $(HODEI_WORKER_ID)"]
        assert abs(lines[0].timestamp / 1e9 - time.time()) < LIMIT
        await provider.destroy_worker(handle)

    kind.run(lambda: kind(channel, use))


# --- threads


def test_a_log_is_followed_in_virtual_time() -> None:
    channel = SimulatedChannel(Cluster(behaviours={"job:1": SLOW}))
    with KubernetesProvider.connect(CONFIG, channel=channel) as provider:
        handle = provider.create_worker(spec())
        with provider.follow_worker_logs(handle) as entries:
            lines = [one.message for one in entries if isinstance(one, LogEntry)]
    assert lines == [f"line {n}" for n in range(120)]


def test_one_thread_is_the_same_every_time() -> None:
    def story() -> list[str]:
        channel = SimulatedChannel(Cluster(behaviours={"job:1": SLOW}))
        with KubernetesProvider.connect(CONFIG, channel=channel) as provider:
            handle = provider.create_worker(spec())
            provider.wait_for_worker(handle)
            provider.destroy_worker(handle)
        changes = channel.cluster.store.changes_after(0)
        return [f"{one.version} {one.key} {one.item.get('status')}" for one in changes]

    assert story() == story()


def test_threads_share_a_cluster() -> None:
    channel = SimulatedChannel(Cluster())
    ready: list[str] = []
    with KubernetesProvider.connect(CONFIG, channel=channel) as provider:

        def work(worker_id: str) -> None:
            handle = provider.create_worker(spec(worker_id))
            ready.append(provider.wait_for_worker(handle).worker_id)
            provider.destroy_worker(handle)

        threads = [threading.Thread(target=work, args=(f"w-{n}",)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        assert sorted(ready) == [f"w-{n}" for n in range(5)]
        assert provider.list_workers() == []


def test_a_watch_is_woken_by_another_thread() -> None:
    cluster = Cluster()
    channel = SimulatedChannel(cluster, time=RealTime(cluster))
    with KubernetesProvider.connect(CONFIG, channel=channel) as provider, provider.watch_workers() as changes:
        stopper = threading.Timer(0.05, changes.request_stop)
        stopper.start()
        seen = list(changes)
        stopper.join()
    assert not [one for one in seen if isinstance(one, WorkerChange)]


def test_the_time_can_be_moved_by_hand() -> None:
    channel = SimulatedChannel(Cluster(behaviours={"job:1": SLOW}))
    assert isinstance(channel.own_time, VirtualTime)
    with KubernetesProvider.connect(CONFIG, channel=channel) as provider:
        handle = provider.create_worker(spec())
        channel.own_time.advance(3 * HOUR)
        assert provider.get_worker_status(handle) is WorkerState.TERMINATED


def test_what_is_closed_says_so() -> None:
    channel = SimulatedChannel(Cluster())
    body = channel.open(Request("GET", "/api/v1/pods", (("watch", "true"),)), 5.0)
    assert body.read(1.0) is SILENCE
    body.close()
    with pytest.raises(TransportError, match="this body is closed"):
        body.read(1.0)
    channel.close()
    with pytest.raises(TransportError, match="this channel is closed"):
        channel.send(Request("GET", "/version"), 5.0)


def test_a_woken_body_can_still_be_read() -> None:
    channel = SimulatedChannel(Cluster())
    body = channel.open(Request("GET", "/api/v1/namespaces", (("watch", "true"),)), 5.0)
    assert body.read(1.0)
    body.wake()
    assert body.read(1e9) is SILENCE
    assert body.read(1.0) is SILENCE


# --- tasks


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_wait_for_each_other_and_the_time_for_all(backend: str) -> None:
    channel = AsyncSimulatedChannel(Cluster(behaviours={"job:1": SLOW}))
    seen: list[tuple[ChangeKind, str]] = []

    async def main() -> None:
        async with AsyncKubernetesProvider.connect(CONFIG, channel=channel) as provider:
            watching = anyio.Event()

            async def watch() -> None:
                async with provider.watch_workers() as changes:
                    watching.set()
                    async for change in changes:
                        if isinstance(change, WorkerChange):
                            seen.append((change.kind, change.info.worker_id))
                        if len([one for one in seen if one[0] is ChangeKind.REMOVED]) == 3:
                            return

            async def work(worker_id: str) -> None:
                await watching.wait()
                handle = await provider.create_worker(spec(worker_id))
                await provider.wait_for_worker(handle)
                await provider.destroy_worker(handle)

            with anyio.fail_after(LIMIT):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(watch)
                    for number in range(3):
                        tasks.start_soon(work, f"w-{number}")

    anyio.run(main, backend=backend)
    assert {one for one in seen if one[0] is ChangeKind.ADDED} == {(ChangeKind.ADDED, f"w-{n}") for n in range(3)}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_call_leaves_the_others_alone(backend: str) -> None:
    channel = AsyncSimulatedChannel(Cluster(behaviours={"job:1": SLOW}))

    async def main() -> None:
        async with AsyncKubernetesProvider.connect(CONFIG, channel=channel) as provider:
            handle = await provider.create_worker(spec())
            with anyio.move_on_after(0):
                await provider.wait_for_worker(handle)
            assert (await provider.wait_for_worker(handle)).state is WorkerState.READY
        with pytest.raises(TransportError, match="not open"):
            await channel.send(Request("GET", "/version"), 5.0)

    anyio.run(main, backend=backend)


# --- processes


def run_here(*command: str, **fields: Any) -> tuple[Any, list[str]]:
    cluster = Cluster(behaviours=lambda _: local_process())
    with KubernetesProvider.connect(CONFIG, channel=SimulatedChannel(cluster, time=RealTime(cluster))) as provider:
        with provider.run_worker(spec(command=list(command), **fields)) as items:
            lines = [one.message for one in items if isinstance(one, LogEntry)]
        return items.result, lines


def test_a_command_that_is_not_there() -> None:
    report, lines = run_here("/no/such/program")
    assert report.exit_code == 127
    assert "No such file" in lines[0]


def test_a_worker_without_a_command_says_what_is_missing() -> None:
    report, lines = run_here()
    assert (report.exit_code, lines) == (127, ["the container has no command, and its image is not here"])


def test_what_a_command_leaves_behind_ends_with_it() -> None:
    began = time.monotonic()
    report, lines = run_here("sh", "-c", "sleep 60 & echo started")
    assert (report.exit_code, lines) == (0, ["started"])
    assert time.monotonic() - began < LIMIT


def test_a_signal_is_told_as_a_container_tells_it() -> None:
    report, _ = run_here("sh", "-c", "kill -9 $$")
    assert report.exit_code == 137


@pytest.mark.parametrize(("trap", "code"), [("trap 'echo bye; exit 0' TERM", 0), ("trap '' TERM", 137)])
def test_a_process_is_asked_to_end_and_then_made_to(trap: str, code: int) -> None:
    cluster = Cluster(behaviours=lambda _: local_process())
    with KubernetesProvider.connect(CONFIG, channel=SimulatedChannel(cluster, time=RealTime(cluster))) as provider:
        handle = provider.create_worker(spec(command=["sh", "-c", f"{trap}; echo up; while :; do sleep 0.05; done"]))
        with provider.follow_worker_logs(handle) as entries:
            assert next(entries).message == "up"
        report = provider.destroy_worker(handle, grace_period=1, report=True)
    assert report.exit_code == code
