"""What changes under providers that are at work: their token ends, or the API server does."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import OutcomeUnknown
from hodei_k8s_core.labels import PROVIDER_ID
from hodei_k8s_core.spec import WorkerSpec
from tests.cluster.accounts import Accounts
from tests.cluster.hosts import HOSTS
from tests.cluster.lab import Kubectl, Lab
from tests.cluster.load import TASKS, load_on_all_hosts

AGENT = "hodei-agent-under-load"
CACHE = 10.0  # seconds for which an API server believes a token without looking (kube-apiserver's default)
OUTAGE = 2.0  # seconds without an API server, its start not counted
DEADLINE = 30.0
MARGIN = 5.0  # seconds by which a call may miss its deadline on a busy machine


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory, kubectl: Kubectl, config: KubernetesConfig) -> Accounts:
    made = Accounts(tmp_path_factory.mktemp("load"), kubectl, config)
    made.permitted(AGENT)
    return made


def test_a_token_file_rotates_while_requests_run(accounts: Accounts, kubectl: Kubectl, tmp_path: Path) -> None:
    """The old token is refused from some moment on, and no call fails: the file is read again, at once."""
    first, second = accounts.secret(), accounts.secret()
    old = accounts.token(AGENT, bound_to_secret=first)
    path = tmp_path / "token"
    path.write_text(old)
    environ = accounts.environ({"tokenFile": str(path)})

    async def list_workers(provider: Any, _ident: str) -> Any:
        return await provider.list_workers()

    with load_on_all_hosts({"list": list_workers}, accounts.config, environ=environ) as load:
        time.sleep(1)
        path.write_text(accounts.token(AGENT, bound_to_secret=second))
        kubectl("delete", "secret", first)
        until = time.monotonic() + CACHE + 5
        by_old = Kubectl(Path(accounts.environ({"token": old})["KUBECONFIG"]))
        while by_old.run("auth", "whoami").returncode == 0:
            assert time.monotonic() < until, "the token of a deleted Secret is still accepted"
            time.sleep(0.5)
        time.sleep(1.5)
    assert len(load.done) > len(HOSTS) * TASKS * CACHE / 2
    assert [done.error for done in load.done if done.error is not None] == []


@pytest.fixture
def crowd(config: KubernetesConfig, kubectl: Kubectl) -> Iterator[KubernetesConfig]:
    """Settings under which no worker finds a node; what is left is deleted."""
    provider_id = f"crowd-{secrets.token_hex(4)}"
    yield msgspec.structs.replace(
        config,
        provider_id=provider_id,
        node_selector={"hodei.test/nowhere": "yes"},
        creation_timeout=DEADLINE,
        destroy_timeout=DEADLINE,
        operation_timeout=DEADLINE,
        request_timeout=5.0,
    )
    selector = f"{PROVIDER_ID}={provider_id}"
    kubectl("delete", "pods", "--selector", selector, "--grace-period=0", "--force", "--wait=false")


def test_the_api_server_restarts_under_load(crowd: KubernetesConfig, kubectl: Kubectl, lab: Lab) -> None:
    """Every call succeeds after retries, or fails with a clear error inside its deadline; nothing is created twice."""

    async def create(provider: Any, ident: str) -> Any:
        spec = WorkerSpec(worker_id=ident, image="localhost/worker:1")
        return await provider.create_worker(spec)

    async def create_and_destroy(provider: Any, ident: str) -> Any:
        spec = WorkerSpec(worker_id=f"{ident}-x", image="localhost/worker:1")
        handle = await provider.create_worker(spec)
        await provider.destroy_worker(handle)
        return handle

    async def list_workers(provider: Any, _ident: str) -> Any:
        return await provider.list_workers()

    calls = {"create": create, "create and destroy": create_and_destroy, "list": list_workers}
    with load_on_all_hosts(calls, crowd) as load:
        time.sleep(1.5)
        lab.kill("apiserver")
        killed = time.monotonic()
        time.sleep(OUTAGE)
        lab.start("apiserver")
        back = time.monotonic()
        time.sleep(3)
    held_up = [done for done in load.done if done.began < back and done.began + done.seconds > killed]
    assert len(held_up) >= len(HOSTS) * TASKS, "the outage was not under load"
    assert any(done.seconds > OUTAGE for done in held_up)
    assert any(done.began > back and done.error is None for done in load.done)

    for done in load.done:
        limit = DEADLINE * (2 if done.kind == "create and destroy" else 1)
        assert done.seconds < limit + MARGIN, done.kind
        if done.error is not None:
            assert done.error.target, repr(done.error)
            assert done.error.attempts > 0, repr(done.error)

    pods = kubectl.json("get", "pods", "--selector", f"{PROVIDER_ID}={crowd.provider_id}")["items"]
    there = {pod["metadata"]["labels"]["hodei.io/worker-id"]: pod["metadata"]["uid"] for pod in pods}
    created = {done.ident: done.result.pod_uid for done in load.done if done.kind == "create" and done.error is None}
    in_doubt = {done.ident for done in load.done if isinstance(done.error, OutcomeUnknown)}
    failed_half_way = {f"{done.ident}-x" for done in load.done if done.kind == "create and destroy" and done.error}
    assert created.items() <= there.items()
    assert there.keys() <= created.keys() | in_doubt | failed_half_way
    succeeded = sum(done.error is None for done in held_up)
    print(f"{len(load.done)} calls, {len(held_up)} held up, {succeeded} of these succeeded")
