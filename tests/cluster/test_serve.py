"""`serve` on a real cluster: an elected leader by a real Lease, workers taken away when their time is over, metrics."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread
import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.reconcile_policy import ReconcilePolicy
from hodei_k8s_core.lease import LeasePolicy, lease_name
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from tests.cluster.lab import Kubectl
from tests.transport.serving import Served, serving

LIMIT = 90.0
FOREVER = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
LEASE = LeasePolicy(duration=10, renew_deadline=6.0, retry_period=0.5)


async def until_shown(served: Served, path: str, words: str) -> None:
    with anyio.fail_after(LIMIT):
        while words.encode() not in (await served.get(path))[1]:
            await anyio.sleep(0.2)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_expired_workers_go_and_the_lead_is_handed_over(
    backend: str, config: KubernetesConfig, kubeconfig: Path, kubectl: Kubectl, new_spec: Callable[..., WorkerSpec]
) -> None:
    ours = msgspec.structs.replace(
        config,
        provider_id=f"serve-{secrets.token_hex(3)}",
        kubeconfig_path=str(kubeconfig),
        reconcile=ReconcilePolicy(interval=600, min_age=0),
    )
    name = lease_name(ours.provider_id)

    def holder() -> str:
        return str(kubectl.json("get", "lease", name)["spec"].get("holderIdentity", ""))

    async def main() -> None:
        async with AsyncKubernetesProvider.connect(ours) as provider:
            stays = await provider.create_worker(new_spec(FOREVER))
            await provider.wait_for_worker(stays, timeout=LIMIT)
            async with serving(ours, identity="one", lease=LEASE) as one:
                await one.until_leading()
                assert await anyio.to_thread.run_sync(holder) == "one"
                goes = await provider.create_worker(new_spec("exit 3", ttl_after_completion=1.0))
                await until_shown(one, "/metrics", 'verdicts_total{blame="worker",category="exited"')
                await provider.wait_for_worker(goes, until=WorkerState.TERMINATED, timeout=LIMIT)
                with anyio.fail_after(LIMIT):
                    while await provider.find_worker(goes.worker_id) is not None:
                        await anyio.sleep(0.2)
                await until_shown(one, "/metrics", 'outcome="done"')
                async with serving(ours, identity="two", lease=LEASE) as two:
                    await two.until("/readyz", 200)
                    one.stop()
                    await one.over.wait()
                    await two.until_leading()
                    fleet = await two.fleet()
                    assert [worker["handle"]["worker_id"] for worker in fleet["workers"]] == [stays.worker_id]
            assert await anyio.to_thread.run_sync(holder) == ""
            await provider.destroy_worker(stays, grace_period=1)

    anyio.run(main, backend=backend)
    kubectl("delete", "lease", name)
