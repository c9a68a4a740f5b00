"""The two facades: what a broken-off create leaves, who may use a provider, how it ends, and what it is made of."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError, OutcomeUnknown, ProviderClosed, UnsupportedOperation
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.observations import PodCreated
from hodei_k8s_core.simulation import LoseReply, Rule, Stall
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.provider import KubernetesProvider
from tests.transport.simulated_server import SimulatedServer

SPEC = WorkerSpec(worker_id="w1", image="job:1", server_address="hodei:9090")
NAME = "hodei-worker-w1"
BACKENDS = ["asyncio", "trio"]


@pytest.fixture
def simulated() -> Iterator[SimulatedServer]:
    with SimulatedServer() as server:
        yield server


@pytest.fixture
def config(simulated: SimulatedServer, tmp_path: Path) -> KubernetesConfig:
    path = simulated.write_kubeconfig(tmp_path / "config")
    return KubernetesConfig(kubeconfig_path=str(path), provider_id="tests")


@contextmanager
def keyboard_interrupt_after(seconds: float) -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# --- a create that was broken off


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_cancelled_create_left_is_adopted_by_the_next(
    simulated: SimulatedServer, config: KubernetesConfig, backend: str
) -> None:
    simulated.plan.add(Rule("create", "pods", Stall(acting=True)))
    told: list[Any] = []

    async def main() -> None:
        async with AsyncKubernetesProvider.connect(config, observer=told.append) as provider:
            with anyio.move_on_after(0.3) as scope:
                await provider.create_worker(SPEC)
            assert scope.cancelled_caught
            assert await anyio.to_thread.run_sync(simulated.wait_until, lambda: simulated.open_connections == 0)
            left = simulated.pods()[NAME]["metadata"]["uid"]
            handle = await provider.create_worker(SPEC)
            assert handle.pod_uid == left

    anyio.run(main, backend=backend)
    assert PodCreated(adopted=True) in told


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_cancelled_create_left_is_destroyed_by_its_id(
    simulated: SimulatedServer, config: KubernetesConfig, backend: str
) -> None:
    simulated.plan.add(Rule("create", "pods", Stall(acting=True)))

    async def main() -> None:
        async with AsyncKubernetesProvider.connect(config) as provider:
            with anyio.move_on_after(0.3):
                await provider.create_worker(SPEC)
            assert NAME in simulated.pods()
            await provider.destroy_worker_by_id("w1", grace_period=1)

    anyio.run(main, backend=backend)
    assert simulated.pods() == {}


def test_what_an_interrupted_create_left_is_adopted_and_its_connection_is_closed(
    simulated: SimulatedServer, config: KubernetesConfig
) -> None:
    simulated.plan.add(Rule("create", "pods", Stall(acting=True)))
    with KubernetesProvider.connect(config) as provider:
        with pytest.raises(KeyboardInterrupt), keyboard_interrupt_after(0.3):
            provider.create_worker(SPEC)
        assert simulated.wait_until(lambda: simulated.open_connections == 0)
        left = simulated.pods()[NAME]["metadata"]["uid"]
        assert provider.create_worker(SPEC).pod_uid == left


def test_an_unknown_outcome_is_adopted_by_the_next_call_or_by_its_token(
    simulated: SimulatedServer, config: KubernetesConfig
) -> None:
    simulated.plan.add(Rule("create", "pods", LoseReply()))
    simulated.plan.add(Rule("get", "pods", Stall()))
    brief = msgspec.structs.replace(config, creation_timeout=0.5)
    with KubernetesProvider.connect(brief) as provider:
        with pytest.raises(OutcomeUnknown) as caught:
            provider.create_worker(SPEC)
        left = simulated.pods()[NAME]["metadata"]["uid"]
        assert provider.create_worker(SPEC).pod_uid == left
    with KubernetesProvider.connect(config) as another:
        assert another.create_worker(SPEC, creation_token=caught.value.creation_token).pod_uid == left


# --- interrupts and connections


def test_an_interrupted_wait_leaves_no_connection(simulated: SimulatedServer, config: KubernetesConfig) -> None:
    with KubernetesProvider.connect(config) as provider:
        handle = provider.create_worker(SPEC)
        with pytest.raises(KeyboardInterrupt), keyboard_interrupt_after(1.0):
            provider.wait_for_worker(handle, until=WorkerState.TERMINATED)
        # One idle connection may be kept for the next call; the watch is not left open.
        assert simulated.wait_until(lambda: simulated.open_connections <= 1)
        assert provider.get_worker_status(handle) is WorkerState.READY


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_cancelled_wait_leaves_no_connection(
    simulated: SimulatedServer, config: KubernetesConfig, backend: str
) -> None:
    async def main() -> None:
        async with AsyncKubernetesProvider.connect(config) as provider:
            handle = await provider.create_worker(SPEC)
            with anyio.move_on_after(1.0):
                await provider.wait_for_worker(handle, until=WorkerState.TERMINATED)
            assert await anyio.to_thread.run_sync(simulated.wait_until, lambda: simulated.open_connections <= 1)
            assert await provider.get_worker_status(handle) is WorkerState.READY

    anyio.run(main, backend=backend)


def test_after_the_block_no_connection_is_left(simulated: SimulatedServer, config: KubernetesConfig) -> None:
    with KubernetesProvider.connect(config) as provider:
        assert provider.health_check().is_healthy
    assert simulated.wait_until(lambda: simulated.open_connections == 0)


# --- who may use it


FORK = """
import os, sys
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_transport.provider import KubernetesProvider
from hodei_k8s_core.errors import UnsupportedOperation

with KubernetesProvider.connect(KubernetesConfig(kubeconfig_path=sys.argv[1])) as provider:
    child = os.fork()
    if not child:
        try:
            provider.health_check()
        except UnsupportedOperation as error:
            os._exit(7 if "fork" in str(error) else 1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert provider.health_check().is_healthy
    sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_provider_does_not_survive_a_fork(simulated: SimulatedServer, tmp_path: Path) -> None:
    path = simulated.write_kubeconfig(tmp_path / "config")
    done = subprocess.run([sys.executable, "-c", FORK, path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 7, done.stderr


@pytest.mark.parametrize("backend", BACKENDS)
def test_another_event_loop_is_refused(simulated: SimulatedServer, config: KubernetesConfig, backend: str) -> None:
    refused: list[BaseException] = []

    async def main() -> None:
        async with AsyncKubernetesProvider.connect(config) as provider:

            def elsewhere() -> None:
                try:
                    anyio.run(provider.health_check, backend=backend)
                except UnsupportedOperation as error:
                    refused.append(error)

            thread = threading.Thread(target=elsewhere)
            thread.start()
            await anyio.to_thread.run_sync(thread.join)
            assert (await provider.health_check()).is_healthy

    anyio.run(main, backend=backend)
    assert "event loop" in str(refused[0])


def test_the_sync_one_is_shared_by_threads(simulated: SimulatedServer, config: KubernetesConfig) -> None:
    states: list[WorkerState] = []
    with KubernetesProvider.connect(config) as provider:
        handle = provider.create_worker(SPEC)
        provider.wait_for_worker(handle)
        work = [threading.Thread(target=lambda: states.append(provider.get_worker_status(handle))) for _ in range(20)]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
    assert states == [WorkerState.READY] * 20


# --- closed


def test_a_closed_provider_says_so(simulated: SimulatedServer, config: KubernetesConfig) -> None:
    with KubernetesProvider.connect(config) as provider:
        handle = provider.create_worker(SPEC)
    with pytest.raises(ProviderClosed):
        provider.list_workers()
    with pytest.raises(ProviderClosed), provider.follow_worker_logs(handle) as entries:
        next(entries)


def test_closing_ends_what_is_under_way(simulated: SimulatedServer, config: KubernetesConfig) -> None:
    with KubernetesProvider.connect(config) as provider:
        handle = provider.create_worker(SPEC)
        closing = threading.Timer(0.3, provider.close)
        closing.start()
        began = time.monotonic()
        with pytest.raises(ProviderClosed):
            provider.wait_for_worker(handle, until=WorkerState.TERMINATED, timeout=30)
        assert time.monotonic() - began < 5
        closing.join()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_closed_async_provider_says_so(simulated: SimulatedServer, config: KubernetesConfig, backend: str) -> None:
    async def main() -> None:
        async with AsyncKubernetesProvider.connect(config) as provider:
            pass
        with pytest.raises(ProviderClosed):
            await provider.list_workers()

    anyio.run(main, backend=backend)


# --- what a host brings along


class OwnChannel:
    """A host's own: it answers by itself."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.closed = False

    def send(self, request: Request, timeout: float) -> Response:
        self.seen.append(request)
        return Response(200, (), b'{"kind":"PodList","metadata":{},"items":[]}')

    def open(self, request: Request, timeout: float) -> Any:
        raise AssertionError(request)

    def close(self) -> None:
        self.closed = True


class OwnAsyncChannel:
    def __init__(self) -> None:
        self.inner = OwnChannel()

    async def __aenter__(self) -> OwnAsyncChannel:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.inner.close()

    async def send(self, request: Request, timeout: float) -> Response:
        return self.inner.send(request, timeout)

    async def open(self, request: Request, timeout: float) -> Any:
        return self.inner.open(request, timeout)


def test_a_channel_of_ones_own_needs_no_kubeconfig() -> None:
    channel = OwnChannel()
    with KubernetesProvider.connect(KubernetesConfig(), channel=channel, environ={}) as provider:
        assert provider.list_workers() == []
    assert [request.method for request in channel.seen] == ["GET"]
    assert channel.closed


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_async_channel_of_ones_own(backend: str) -> None:
    channel = OwnAsyncChannel()

    async def main() -> None:
        async with AsyncKubernetesProvider.connect(KubernetesConfig(), channel=channel, environ={}) as provider:
            assert await provider.list_workers() == []

    anyio.run(main, backend=backend)
    assert channel.inner.closed


def test_a_client_of_ones_own_is_used_and_left_open(simulated: SimulatedServer, config: KubernetesConfig) -> None:
    with httpx.Client(headers={"x-from": "the host"}) as client:
        with KubernetesProvider.connect(config, client=client) as provider:
            handle = provider.create_worker(SPEC)
            assert provider.wait_for_worker(handle, timeout=20).state is WorkerState.READY
        assert not client.is_closed
    assert {dict(request.headers)["x-from"] for request in simulated.requests} == {"the host"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_async_client_of_ones_own(simulated: SimulatedServer, config: KubernetesConfig, backend: str) -> None:
    async def main() -> None:
        async with httpx.AsyncClient() as client:
            async with AsyncKubernetesProvider.connect(config, client=client) as provider:
                assert (await provider.health_check()).is_healthy
            assert not client.is_closed

    anyio.run(main, backend=backend)


def test_a_client_of_ones_own_is_refused_where_the_kubeconfig_needs_more(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(
        '{"clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:1","insecure-skip-tls-verify":true}}],'
        '"contexts":[{"name":"x","context":{"cluster":"c"}}],"current-context":"x"}'
    )
    config = KubernetesConfig(kubeconfig_path=str(path))
    with (
        httpx.Client() as client,
        pytest.raises(ConfigurationError) as caught,
        KubernetesProvider.connect(config, client=client),
    ):
        pass
    assert [fault.field for fault in caught.value.faults] == [f'{path}: clusters["c"].cluster.insecure-skip-tls-verify']


def test_what_the_observer_raises_does_not_reach_the_caller(
    simulated: SimulatedServer, config: KubernetesConfig, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: object) -> None:
        raise ValueError("the host's own")

    with KubernetesProvider.connect(config, observer=fails) as provider:
        assert provider.list_workers() == []
    assert "the observer failed" in caplog.text


def test_the_startup_time_is_estimated_from_what_was_seen(simulated: SimulatedServer, config: KubernetesConfig) -> None:
    with KubernetesProvider.connect(config) as provider:
        assert provider.estimated_startup_time() == 15.0
        provider.wait_for_worker(provider.create_worker(SPEC), timeout=20)
        assert provider.estimated_startup_time() <= 2.0
        assert (provider.provider_id, provider.provider_type) == ("tests", "kubernetes")
