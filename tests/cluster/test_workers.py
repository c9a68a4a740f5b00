"""What a worker's life can meet, on every host: duplicates, lost replies, finalizers, jobs, and two hundred at once."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import Timeout, WorkerAlreadyExists
from hodei_k8s_core.observations import PodCreated
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.worker import Health, WorkerState
from tests.cluster.hosts import Host
from tests.cluster.lab import Kubectl
from tests.cluster.severing_proxy import SeveringProxy, api_server_of, proxied_kubeconfig

pytestmark = pytest.mark.anyio

NewSpec = Callable[..., WorkerSpec]
MANY = 200
FOREVER = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
TRICKY = 'a$$b $(HODEI_WORKER_ID) $HOME "q" é'


async def test_health(host: Host, config: KubernetesConfig) -> None:
    async with host.connect() as provider:
        status = await provider.health_check()
    assert status.health in (Health.HEALTHY, Health.DEGRADED)  # a busy machine may be slow
    assert status.latency is not None
    async with host.connect(msgspec.structs.replace(config, namespace="nowhere")) as provider:
        status = await provider.health_check()
    assert status.health is Health.UNHEALTHY
    assert "nowhere does not exist" in status.reason


async def test_a_duplicate_is_refused_and_the_first_is_left_alone(
    host: Host, kubectl: Kubectl, new_spec: NewSpec
) -> None:
    spec = new_spec(FOREVER)
    async with host.connect() as provider:
        handle = await provider.create_worker(spec)
        with pytest.raises(WorkerAlreadyExists, match="another call made it"):
            await provider.create_worker(spec)
        assert kubectl.json("get", "pod", handle.pod_name)["metadata"]["uid"] == handle.pod_uid

        kubectl("patch", "pod", handle.pod_name, "--patch", '{"metadata":{"finalizers":["hodei.test/hold"]}}')
        kubectl("delete", "pod", handle.pod_name, "--wait=false", "--grace-period=1")
        with pytest.raises(WorkerAlreadyExists, match="terminating") as caught:
            await provider.create_worker(spec)
        assert caught.value.retryable

        kubectl("patch", "pod", handle.pod_name, "--patch", '{"metadata":{"finalizers":null}}')
        await provider.destroy_worker(handle)


async def test_a_create_whose_reply_is_lost_adopts_its_own_pod(
    host: Host, kubectl: Kubectl, config: KubernetesConfig, new_spec: NewSpec, tmp_path: Path
) -> None:
    told: list[Any] = []
    spec = new_spec(FOREVER)
    with SeveringProxy(api_server_of(kubectl)) as proxy:
        path = proxied_kubeconfig(kubectl, proxy.port, tmp_path / "config")
        through = msgspec.structs.replace(config, kubeconfig_path=str(path))
        async with host.connect(through, observer=told.append) as provider:
            await provider.list_workers()  # so that the connection of the create is there, and its handshake over
            proxy.sever_next_reply()
            handle = await provider.create_worker(spec)
            assert proxy.severed == 1
            assert [one for one in told if isinstance(one, PodCreated)] == [PodCreated(adopted=True)]
            assert kubectl.json("get", "pod", handle.pod_name)["metadata"]["uid"] == handle.pod_uid

            proxy.sever_next_reply()
            await provider.destroy_worker(handle, grace_period=2)
            assert proxy.severed == 2
    assert kubectl.run("get", "pod", handle.pod_name).returncode != 0


async def test_the_states_of_a_life_in_their_order(host: Host, new_spec: NewSpec) -> None:
    """Each look is a watch of its own that ends at the first other state."""
    script = "trap 'sleep 2; exit 0' TERM; sleep 2; touch /tmp/ok; while :; do sleep 0.1; done"
    probe = ReadinessProbe(exec=("test", "-f", "/tmp/ok"), period_seconds=1)
    spec = new_spec(script, readiness_probe=probe)
    seen: list[WorkerState] = []
    async with host.connect() as provider:
        handle = await provider.create_worker(spec)
        async with anyio.create_task_group() as tasks:
            while seen[-1:] != [WorkerState.TERMINATED]:
                others = set(WorkerState) - set(seen)
                seen.append((await provider.wait_for_worker(handle, until=others, timeout=60)).state)
                if seen[-1] is WorkerState.READY:
                    tasks.start_soon(provider.destroy_worker, handle)
    assert seen == [
        WorkerState.CREATING,
        WorkerState.CONNECTING,
        WorkerState.READY,
        WorkerState.TERMINATING,
        WorkerState.TERMINATED,
    ]


async def test_a_finalizer_holds_a_worker_and_is_named_until_it_is_removed(
    host: Host, kubectl: Kubectl, config: KubernetesConfig, new_spec: NewSpec
) -> None:
    hasty = msgspec.structs.replace(config, destroy_timeout=2.0)
    async with host.connect(hasty) as provider:
        handle = await provider.create_worker(new_spec(FOREVER))
        kubectl("patch", "pod", handle.pod_name, "--patch", '{"metadata":{"finalizers":["hodei.test/hold"]}}')
        with pytest.raises(Timeout, match=r"held by its finalizers: hodei\.test/hold"):
            await provider.destroy_worker(handle, grace_period=1)
        assert await provider.get_worker_status(handle) is WorkerState.TERMINATING

        kubectl("patch", "pod", handle.pod_name, "--patch", '{"metadata":{"finalizers":null}}')
        await provider.destroy_worker(handle, grace_period=1)
    assert kubectl.run("get", "pod", handle.pod_name).returncode != 0


async def test_a_value_arrives_letter_for_letter(host: Host, new_spec: NewSpec) -> None:
    spec = new_spec('printf "%s\\n" "$TRICKY" "$1" "$HODEI_WORKER_ID"', environment={"TRICKY": TRICKY})
    spec = msgspec.structs.replace(spec, command=(*spec.command, "sh", TRICKY))
    async with host.connect() as provider:
        handle = await provider.create_worker(spec)
        await provider.wait_for_worker(handle, until=WorkerState.TERMINATED, timeout=60)
        lines = [entry.message for entry in await provider.get_worker_logs(handle)]
        await provider.destroy_worker(handle)
    assert lines == [TRICKY, TRICKY, spec.worker_id]


async def test_a_job_makes_it_busy_and_its_end_idle_by_the_servers_clock(host: Host, new_spec: NewSpec) -> None:
    async with host.connect() as provider:
        handle = await provider.create_worker(new_spec(FOREVER))
        await provider.wait_for_worker(handle, timeout=60)
        assert (await provider.assign_job(handle, "job-1")).state is WorkerState.BUSY
        released = await provider.release_job(handle)
        assert released.state is WorkerState.READY
        assert released.idle_since == pytest.approx(time.time(), abs=30)
        assert (await provider.drain_worker(handle)).state is WorkerState.DRAINING
        await provider.destroy_worker(handle, grace_period=1)


async def test_two_hundred_at_once_are_created_and_destroyed_with_none_left(
    host: Host, kubectl: Kubectl, config: KubernetesConfig, new_spec: NewSpec
) -> None:
    """No node has room for them, so that what is tried is the API, and not how fast a node starts containers."""
    crowd = msgspec.structs.replace(
        config, provider_id=f"crowd-{secrets.token_hex(3)}", node_selector={"hodei.test/none": "true"}
    )
    handles: dict[str, Any] = {}

    async with host.connect(crowd) as provider:

        async def create(spec: WorkerSpec) -> None:
            handles[spec.worker_id] = await provider.create_worker(spec)

        async with anyio.create_task_group() as tasks:
            for _ in range(MANY):
                tasks.start_soon(create, new_spec(FOREVER))
        assert {info.worker_id for info in await provider.list_workers()} == set(handles)
        assert len({handle.pod_uid for handle in handles.values()}) == MANY

        async with anyio.create_task_group() as tasks:
            for handle in handles.values():
                tasks.start_soon(provider.destroy_worker, handle)
        assert await provider.list_workers() == []
    selector = f"hodei.io/provider-id={crowd.provider_id}"
    assert json.loads(kubectl("get", "pods", "--selector", selector, "--output", "json"))["items"] == []
