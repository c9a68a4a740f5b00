"""A worker from create to gone, on every host."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.worker import WorkerState
from tests.cluster.hosts import Host
from tests.cluster.lab import Kubectl

pytestmark = pytest.mark.anyio

SCRIPT = "trap 'exit 0' TERM; echo hello from $HODEI_WORKER_ID; while :; do sleep 0.1; done"


async def test_a_worker_lives_from_create_to_gone(
    host: Host, kubectl: Kubectl, new_spec: Callable[..., WorkerSpec]
) -> None:
    spec = new_spec(SCRIPT)
    async with host.connect() as provider:
        handle = await provider.create_worker(spec)
        assert handle.pod_name == f"hodei-worker-{spec.worker_id}"

        ready = await provider.wait_for_worker(handle, until=WorkerState.READY, timeout=60)
        assert ready.state is WorkerState.READY
        assert await provider.get_worker_status(handle) is WorkerState.READY
        assert kubectl.json("get", "pod", handle.pod_name)["metadata"]["uid"] == handle.pod_uid

        lines = await provider.get_worker_logs(handle)
        assert [line.message for line in lines] == [f"hello from {spec.worker_id}"]

        await provider.destroy_worker(handle)
        assert await provider.get_worker_status(handle) is WorkerState.TERMINATED
        assert kubectl.run("get", "pod", handle.pod_name).returncode != 0
        await provider.destroy_worker(handle)


async def test_the_log_is_followed_to_the_end_and_the_exit_code_is_told(
    host: Host, kubectl: Kubectl, new_spec: Callable[..., WorkerSpec]
) -> None:
    async with host.connect() as provider:
        handle = await provider.create_worker(new_spec("for i in 1 2 3; do echo line $i; sleep 0.2; done; exit 3"))
        async with provider.follow_worker_logs(handle) as entries:
            lines = [entry.message async for entry in entries]
        assert lines == ["line 1", "line 2", "line 3"]

        ended = await provider.wait_for_worker(handle, until=WorkerState.TERMINATED, timeout=60)
        assert ended.exit_code == 3
        await provider.destroy_worker(handle)
    assert kubectl.json("get", "pods", "--selector", f"hodei.io/worker-id={handle.worker_id}")["items"] == []
