"""A worker's OTP and its own volume on a real cluster: what the container gets, who sees it, and that nothing is left.

The claims are bound to a volume made by hand, so no provisioner is needed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.companions import OTP_KEY
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ResourceLimitExceeded
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.spec.volume_spec import WorkerClaim
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_transport.connect import open_channel
from hodei_k8s_transport.provider import KubernetesProvider
from tests.cluster.hosts import Host
from tests.cluster.lab import Kubectl

NewSpec = Callable[..., WorkerSpec]
FOREVER = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
TRICKY = 'a$$b $(HODEI_WORKER_ID) $(X) "é" \\n'
KINDS = "pods,secrets,persistentvolumeclaims"
COLLECTOR_LIMIT = 60  # seconds that the garbage collector may take; it was never seen to take two


@pytest.fixture
def secretly(config: KubernetesConfig) -> KubernetesConfig:
    return msgspec.structs.replace(config, otp_delivery="secret")


@pytest.fixture
def storage_class(kubectl: Kubectl, tmp_path: Path) -> Iterator[str]:
    """A class that only one volume made by hand is of."""
    name = f"hodei-test-{secrets.token_hex(4)}"
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "storageClassName": name,
            "capacity": {"storage": "10Mi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": str(tmp_path / "volume"), "type": "DirectoryOrCreate"},
        },
    }
    kubectl.apply(volume)
    try:
        yield name
    finally:
        kubectl("delete", "persistentvolume", name, "--wait=false")


def left_of(kubectl: Kubectl, worker_id: str) -> list[str]:
    """What there is of a worker, by kind and name."""
    items = kubectl.json("get", KINDS, "--selector", f"hodei.io/worker-id={worker_id}")["items"]
    return [f"{item['kind']}/{item['metadata']['name']}" for item in items]


def assert_nothing_is_left(kubectl: Kubectl, worker_id: str) -> None:
    until = time.monotonic() + COLLECTOR_LIMIT
    while left := left_of(kubectl, worker_id):
        assert time.monotonic() < until, left
        time.sleep(0.2)


# --- the OTP


@pytest.mark.anyio
@pytest.mark.parametrize("delivery", ["env", "secret"])
async def test_an_otp_arrives_letter_for_letter(
    host: Host, kubectl: Kubectl, config: KubernetesConfig, new_spec: NewSpec, delivery: str
) -> None:
    spec = new_spec('printf "%s" "$HODEI_OTP_TOKEN"', otp_token=TRICKY)
    async with host.connect(msgspec.structs.replace(config, otp_delivery=delivery)) as provider:
        handle = await provider.create_worker(spec)
        await provider.wait_for_worker(handle, until=WorkerState.TERMINATED, timeout=60)
        assert [entry.message for entry in await provider.get_worker_logs(handle)] == [TRICKY]
        assert len(left_of(kubectl, spec.worker_id)) == (2 if delivery == "secret" else 1)
        await provider.destroy_worker(handle)
    assert left_of(kubectl, spec.worker_id) == []


@pytest.mark.anyio
async def test_an_otp_in_a_secret_is_not_in_the_pod(
    host: Host, kubectl: Kubectl, secretly: KubernetesConfig, new_spec: NewSpec
) -> None:
    otp = f"planted-{secrets.token_hex(8)}"
    async with host.connect(secretly) as provider:
        handle = await provider.create_worker(new_spec(FOREVER, otp_token=otp))
        await provider.wait_for_worker(handle, timeout=60)
        assert otp not in kubectl("get", "pod", handle.pod_name, "--output", "yaml")
        assert otp not in kubectl("describe", "pod", handle.pod_name)
        (secret,) = kubectl.json("get", "secrets", "--selector", f"hodei.io/worker-id={handle.worker_id}")["items"]
        assert secret["immutable"] is True
        assert list(secret["data"]) == [OTP_KEY]
        assert [owner["uid"] for owner in secret["metadata"]["ownerReferences"]] == [handle.pod_uid]
        await provider.destroy_worker(handle, grace_period=1)
        assert left_of(kubectl, handle.worker_id) == []


@pytest.mark.anyio
async def test_a_secret_goes_with_a_pod_that_another_deletes(
    host: Host, kubectl: Kubectl, secretly: KubernetesConfig, new_spec: NewSpec
) -> None:
    async with host.connect(secretly) as provider:
        handle = await provider.create_worker(new_spec(FOREVER, otp_token="otp"))
        kubectl("delete", "pod", handle.pod_name, "--grace-period=1")
        assert_nothing_is_left(kubectl, handle.worker_id)
        await provider.destroy_worker(handle)


@pytest.mark.anyio
async def test_the_next_worker_of_that_id_finds_the_way_free(
    host: Host, kubectl: Kubectl, secretly: KubernetesConfig, new_spec: NewSpec
) -> None:
    spec = new_spec(FOREVER, otp_token="otp")
    async with host.connect(secretly) as provider:
        for _ in range(3):
            handle = await provider.create_worker(spec)
            await provider.wait_for_worker(handle, timeout=60)
            await provider.force_destroy_worker(handle)
    assert_nothing_is_left(kubectl, spec.worker_id)


@pytest.mark.anyio
async def test_without_room_for_the_secret_no_pod_stays(
    host: Host, kubectl: Kubectl, secretly: KubernetesConfig, new_spec: NewSpec
) -> None:
    quota = f"q-{secrets.token_hex(3)}"
    kubectl("create", "quota", quota, "--hard=secrets=0")
    try:
        until = time.monotonic() + 30
        while "used" not in kubectl.json("get", "quota", quota)["status"]:
            assert time.monotonic() < until
            time.sleep(0.1)
        spec = new_spec(FOREVER, otp_token="otp")
        async with host.connect(secretly) as provider:
            with pytest.raises(ResourceLimitExceeded, match="create the Secret"):
                await provider.create_worker(spec)
        assert left_of(kubectl, spec.worker_id) == []
    finally:
        kubectl("delete", "quota", quota)


# --- a volume of its own


@pytest.mark.anyio
async def test_a_worker_has_a_volume_of_its_own_and_it_goes_with_it(
    host: Host, kubectl: Kubectl, secretly: KubernetesConfig, new_spec: NewSpec, storage_class: str
) -> None:
    claim = WorkerClaim(name="data", size=2**20, storage_class=storage_class)
    spec = new_spec(f'grep -c " /mnt/data " /proc/mounts; {FOREVER}', volumes=[claim], otp_token="otp")
    async with host.connect(secretly) as provider:
        handle = await provider.create_worker(spec)
        await provider.wait_for_worker(handle, timeout=60)
        (made,) = kubectl.json("get", "pvc", "--selector", f"hodei.io/worker-id={spec.worker_id}")["items"]
        assert made["status"]["phase"] == "Bound"
        assert [owner["uid"] for owner in made["metadata"]["ownerReferences"]] == [handle.pod_uid]
        assert [entry.message for entry in await provider.get_worker_logs(handle)] == ["1"]
        await provider.destroy_worker(handle, grace_period=1)
    assert_nothing_is_left(kubectl, spec.worker_id)


# --- a crash at each step


class Crash(BaseException):
    """The process is gone."""


class CrashingChannel:
    """Lets `left` exchanges happen; the reply to the last of them is never seen."""

    def __init__(self, channel: Any, left: int) -> None:
        self._channel = channel
        self._left = left
        self.requests: list[str] = []

    def send(self, request: Request, timeout: float) -> Response:
        self._left -= 1
        reply: Response = self._channel.send(request, timeout)
        self.requests.append(f"{request.method} {request.path.split('/')[5]}")  # /api/v1/namespaces/NAME/RESOURCE/…
        if not self._left:
            raise Crash
        return reply

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)


def crash_after(step: int, config: KubernetesConfig, call: Callable[[KubernetesProvider], object]) -> list[str]:
    """What was asked by a process that ends after so many exchanges."""
    channel, _ = open_channel(config, os.environ)
    crashing = CrashingChannel(channel, step)
    with contextlib.closing(channel), pytest.raises(Crash):
        call(KubernetesProvider(config, crashing))
    return crashing.requests


MAKING = ["POST pods", "POST secrets", "POST persistentvolumeclaims", "PATCH pods"]
ENDING = ["GET pods", "DELETE secrets", "DELETE persistentvolumeclaims", "DELETE pods"]


@pytest.mark.parametrize("end", ["destroyed", "adopted", "deleted by another"])
@pytest.mark.parametrize("step", range(1, len(MAKING) + 1))
def test_a_creator_that_crashes_leaves_nothing_that_stays(
    kubectl: Kubectl, secretly: KubernetesConfig, new_spec: NewSpec, step: int, end: str
) -> None:
    spec = new_spec(FOREVER, otp_token="otp", volumes=[WorkerClaim(name="data", size=1, storage_class="none")])
    asked = crash_after(step, secretly, lambda provider: provider.create_worker(spec, creation_token="token"))
    assert asked == MAKING[:step]
    left = left_of(kubectl, spec.worker_id)
    assert len(left) == min(step, 3), left
    with KubernetesProvider.connect(secretly) as provider:
        if end == "adopted":
            provider.create_worker(spec, creation_token="token")
            pod = kubectl.json("get", "pod", f"hodei-worker-{spec.worker_id}")
            assert "schedulingGates" not in pod["spec"]
            assert len(left_of(kubectl, spec.worker_id)) == 3
        if end == "deleted by another":
            kubectl("delete", "pod", f"hodei-worker-{spec.worker_id}", "--grace-period=1")
        else:
            provider.destroy_worker_by_id(spec.worker_id, grace_period=1)
    assert_nothing_is_left(kubectl, spec.worker_id)


@pytest.mark.parametrize("step", range(1, len(ENDING) + 1))
def test_a_destroyer_that_crashes_is_followed_by_the_next(
    kubectl: Kubectl, secretly: KubernetesConfig, new_spec: NewSpec, storage_class: str, step: int
) -> None:
    spec = new_spec(FOREVER, otp_token="otp", volumes=[WorkerClaim(name="data", size=1, storage_class=storage_class)])
    with KubernetesProvider.connect(secretly) as provider:
        handle = provider.create_worker(spec)
        provider.wait_for_worker(handle, timeout=60)
    asked = crash_after(step, secretly, lambda provider: provider.destroy_worker(handle, grace_period=1))
    assert asked == ENDING[:step]
    with KubernetesProvider.connect(secretly) as provider:
        provider.destroy_worker(handle, grace_period=1)
    assert_nothing_is_left(kubectl, spec.worker_id)
