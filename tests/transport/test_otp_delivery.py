"""Both ways in which a worker gets its OTP pass the same tests, on every host."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import anyio
import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.final_report import FinalReport
from hodei_k8s_core.simulation import Behaviour, Cluster, Rule, Stall
from hodei_k8s_core.simulation.wire import Json
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.channels.h11_channel import H11Channel
from hodei_k8s_transport.channels.recording.exchange_file import load_recording
from hodei_k8s_transport.channels.recording.recording_channel import RecordingChannel
from hodei_k8s_transport.channels.recording.replay_channel import ReplayChannel
from hodei_k8s_transport.provider import KubernetesProvider
from tests.cluster.hosts import Host
from tests.transport.api_servers import anyio_backend, host
from tests.transport.sides import Credentials
from tests.transport.simulated_server import SimulatedServer

__all__ = ["anyio_backend", "host"]
pytestmark = pytest.mark.anyio

OTP = "planted-otp"
SPEC = WorkerSpec(worker_id="w1", image="job:1", server_address="hodei:9090", otp_token=OTP)
ENDS = msgspec.structs.replace(SPEC, image="ends:1")
NAME = "hodei-worker-w1"
BEHAVIOURS = {"job:1": Behaviour(logs=((0.0, "hello"),)), "ends:1": Behaviour(exit_code=3, run=0.2)}


@pytest.fixture
def simulated() -> Iterator[SimulatedServer]:
    with SimulatedServer(Cluster(behaviours=BEHAVIOURS)) as server:
        yield server


@pytest.fixture(params=["env", "secret"])
def config(request: pytest.FixtureRequest, simulated: SimulatedServer, tmp_path: Path) -> KubernetesConfig:
    path = simulated.write_kubeconfig(tmp_path / "config")
    return KubernetesConfig(kubeconfig_path=str(path), provider_id="tests", otp_delivery=request.param)


def secrets(simulated: SimulatedServer, config: KubernetesConfig) -> list[Json]:
    with simulated.lock:
        return list(simulated.cluster.objects("secrets", config.namespace).values())


async def test_a_worker_lives_from_create_to_gone(
    host: Host, simulated: SimulatedServer, config: KubernetesConfig
) -> None:
    async with host.connect(config) as provider:
        handle = await provider.create_worker(SPEC)
        assert (await provider.wait_for_worker(handle, timeout=20)).state is WorkerState.READY
        made = secrets(simulated, config)
        assert len(made) == (config.otp_delivery == "secret")
        assert [one["data"]["otp-token"] for one in made] == [b64encode(OTP.encode()).decode()] * len(made)
        assert (OTP in str(simulated.pods()[NAME])) is (config.otp_delivery == "env")
        assert [line.message for line in await provider.get_worker_logs(handle)] == ["hello"]
        await provider.destroy_worker(handle, grace_period=1)
    assert simulated.pods() == {}
    assert secrets(simulated, config) == []


async def test_a_worker_is_run_to_its_end(host: Host, simulated: SimulatedServer, config: KubernetesConfig) -> None:
    async with host.connect(config) as provider, provider.run_worker(ENDS) as items:
        async for _ in items:
            pass
        report = items.result
    assert isinstance(report, FinalReport)
    assert report.exit_code == 3
    assert simulated.pods() == {}
    assert secrets(simulated, config) == []


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_create_that_was_cancelled_is_completed_by_the_next(
    simulated: SimulatedServer, config: KubernetesConfig, backend: str
) -> None:
    simulated.plan.add(Rule("create", "pods" if config.otp_delivery == "env" else "secrets", Stall(acting=True)))

    async def main() -> None:
        async with AsyncKubernetesProvider.connect(config) as provider:
            with anyio.move_on_after(0.3) as scope:
                await provider.create_worker(SPEC)
            assert scope.cancelled_caught
            left = simulated.pods()[NAME]["metadata"]["uid"]
            handle = await provider.create_worker(SPEC)
            assert handle.pod_uid == left
            assert (await provider.wait_for_worker(handle, timeout=20)).state is WorkerState.READY
            owners = [one["metadata"]["ownerReferences"][0]["uid"] for one in secrets(simulated, config)]
            assert owners == [left] * (config.otp_delivery == "secret")
            await provider.destroy_worker_by_id("w1", grace_period=1)

    anyio.run(main, backend=backend)
    assert simulated.pods() == {}
    assert secrets(simulated, config) == []


def test_a_recording_of_it_shows_no_otp_and_can_be_replayed(
    simulated: SimulatedServer, config: KubernetesConfig, tmp_path: Path
) -> None:
    path = tmp_path / "recording.json"
    channel = RecordingChannel(H11Channel(Endpoint(simulated.url), Credentials()), path)
    with contextlib.closing(KubernetesProvider(config, channel)) as provider:
        provider.destroy_worker(provider.create_worker(SPEC), grace_period=1)
    channel.close()
    recorded = path.read_text()
    assert "HODEI_OTP_TOKEN" in recorded
    assert OTP not in recorded
    assert b64encode(OTP.encode()).decode() not in recorded

    replay = ReplayChannel(load_recording(path))
    with contextlib.closing(KubernetesProvider(config, replay)) as provider:
        handle = provider.create_worker(msgspec.structs.replace(SPEC, otp_token="another"))
        provider.destroy_worker(handle, grace_period=1)
