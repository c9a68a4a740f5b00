"""`serve` against a simulated API server, on asyncio and trio: its pages, its reconciles, its election, its end."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import msgspec
import pytest

from hodei_k8s_core import observations as seen
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.http import Request
from hodei_k8s_core.lease import LeasePolicy
from hodei_k8s_core.reconcile.plan import ActionOutcome
from hodei_k8s_core.serving import reconcile_agenda
from hodei_k8s_core.serving.probes import Loop, stalled
from hodei_k8s_core.simulation import Answer, Behaviour, Cluster, Rule
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_transport.provider import KubernetesProvider
from hodei_k8s_transport.service.serve import ServeOptions, serve
from hodei_k8s_transport.service.serve.beats import Beats
from hodei_k8s_transport.service.serve.json_logs import JsonFormatter
from tests.transport.serving import LIMIT, config_for, serving
from tests.transport.sides import AsyncSide
from tests.transport.simulated_server import SimulatedServer

QUICKLY: dict[str, Any] = {"schedule": 0.0, "pull": 0.0, "start": 0.0, "ready": 0.0}
BEHAVIOURS = {"job:1": Behaviour(exit_code=0, run=0.0, **QUICKLY), "service:1": Behaviour(**QUICKLY)}
REFUSAL = Answer(503, msgspec.json.encode({"kind": "Status", "status": "Failure", "code": 503, "message": "no"}))


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile_agenda, "SETTLE", 0.02)
    monkeypatch.setattr(reconcile_agenda, "SHORTEST", 0.05)


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer(Cluster(behaviours=BEHAVIOURS)) as running:
        yield running


@pytest.fixture
def config(server: SimulatedServer, tmp_path: Path) -> KubernetesConfig:
    return config_for(server.write_kubeconfig(tmp_path / "config"))


def create(config: KubernetesConfig, *idents: str, image: str = "service:1", **spec: Any) -> None:
    with KubernetesProvider.connect(config, environ={}) as provider:
        for ident in idents:
            provider.create_worker(WorkerSpec(worker_id=ident, image=image, **spec))


def deletes(server: SimulatedServer) -> list[Request]:
    return [request for request in server.requests if request.method == "DELETE"]


async def until(condition: Any) -> None:
    with anyio.fail_after(LIMIT):
        while not condition():
            await anyio.sleep(0.01)


def test_the_pages(async_side: AsyncSide, config: KubernetesConfig, server: SimulatedServer) -> None:
    async def main() -> None:
        async with serving(config, identity="me") as served:
            await served.until("/readyz", 200)
            await served.until_leading()
            assert await served.get("/livez") == (200, b"ok\n")
            with anyio.fail_after(LIMIT):
                while not (await served.fleet())["last_reconcile"]:
                    await anyio.sleep(0.01)
            fleet = await served.fleet()
            assert [worker["handle"]["worker_id"] for worker in fleet["workers"]] == ["w1", "w2"]
            assert (fleet["provider_id"], fleet["holder"], fleet["watch"]["freshness"]) == ("ci", "me", "synced")
            assert fleet["last_reconcile"]["problem"] == ""
            text = (await served.get("/metrics"))[1].decode()
            assert 'hodei_k8s_leader{provider_id="ci"} 1.0' in text
            assert 'hodei_k8s_workers{provider_id="ci",state="ready"}' in text
            assert "process_resident_memory_bytes" in text

    create(config, "w1", "w2")
    async_side.run(main)
    assert server.wait_until(lambda: server.open_connections == 0)
    assert deletes(server) == []


def test_it_is_not_ready_before_the_workers_are_read(
    async_side: AsyncSide, config: KubernetesConfig, server: SimulatedServer
) -> None:
    server.plan.add(Rule("list", "pods", REFUSAL, times=1))

    async def main() -> None:
        async with serving(config) as served:
            status, why = await served.get("/readyz")
            assert (status, why) in [(503, b"ci: the workers have not been read yet\n"), (200, b"ok\n")]
            assert (await served.get("/livez"))[0] == 200

    async_side.run(main)


def test_a_watch_that_ends_for_good_is_begun_again(
    async_side: AsyncSide, config: KubernetesConfig, server: SimulatedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hodei_k8s_transport.service.serve import watched_cluster

    monkeypatch.setattr(watched_cluster, "PAUSE", 0.05)
    server.cluster.denied = frozenset({("list", "pods")})

    async def main() -> None:
        async with serving(config) as served:
            await until(lambda: len([r for r in server.requests if r.path.endswith("/pods")]) >= 3)
            assert await served.get("/readyz") == (503, b"ci: the workers have not been read yet\n")
            server.cluster.denied = frozenset()
            await served.until("/readyz", 200)

    async_side.run(main)


def test_a_worker_whose_time_is_over_goes_as_soon_as_that(
    async_side: AsyncSide, config: KubernetesConfig, server: SimulatedServer
) -> None:
    patient = msgspec.structs.replace(config, reconcile=msgspec.structs.replace(config.reconcile, interval=3600.0))

    async def main() -> None:
        async with serving(patient) as served:
            await served.until_leading()
            await anyio.to_thread.run_sync(lambda: create(config, "old", image="job:1", ttl_after_completion=1.0))
            await until(lambda: "hodei-worker-old" not in server.pods())
            await until(lambda: deletes(server))
            assert "hodei-worker-w1" in server.pods()

    create(config, "w1")
    async_side.run(main)


def test_a_plan_that_needs_consent_waits(
    async_side: AsyncSide, config: KubernetesConfig, server: SimulatedServer
) -> None:
    careful = msgspec.structs.replace(config.reconcile, free_removals=0, max_share=0.1, overdue=0)
    bold = msgspec.structs.replace(config, reconcile=careful)

    async def main() -> None:
        async with serving(bold) as served:
            with anyio.fail_after(LIMIT):
                while "more than 10% of them" not in str((await served.fleet())["last_reconcile"]):
                    await anyio.sleep(0.05)
            assert b'hodei_k8s_reconcile_consent_needed{provider_id="ci"} 1.0' in (await served.get("/metrics"))[1]

    create(config, "w1", "w2", image="service:1", idle_timeout=1.0)
    with KubernetesProvider.connect(config, environ={}) as provider:
        assert server.wait_until(lambda: all(one.state.name == "READY" for one in provider.list_workers()))
        for one in provider.list_workers():
            provider.assign_job(one.handle, "job")
            provider.release_job(one.handle)
    async_side.run(main)
    assert deletes(server) == []


def test_only_the_leader_reconciles_and_the_next_one_follows_at_once(
    async_side: AsyncSide, config: KubernetesConfig, server: SimulatedServer
) -> None:
    async def main() -> None:
        async with serving(config, identity="two") as second, serving(config, identity="one") as first:
            await until(lambda: server.lease_holders and server.lease_holders != [""])
            one_leads = server.lease_holders == ["one"]
            leader, other = (first, second) if one_leads else (second, first)
            await leader.until_leading()
            await other.until("/readyz", 200)
            with anyio.fail_after(LIMIT):
                while not (await leader.fleet())["last_reconcile"]:
                    await anyio.sleep(0.01)
            idle = await other.fleet()
            assert (idle["leads"], idle["last_reconcile"]) == (False, None)
            leader.stop()
            await leader.over.wait()
            await other.until_leading()
            other.stop()
            await other.over.wait()

    async_side.run(main)
    assert server.lease_holders == [""]


def test_who_only_observes_takes_no_part(
    async_side: AsyncSide, config: KubernetesConfig, server: SimulatedServer
) -> None:
    plain = msgspec.structs.replace(config, provider_id="kubernetes")

    async def main() -> None:
        async with serving(plain, reconciles=False) as served:
            await served.until("/readyz", 200)
            assert not (await served.fleet())["leads"]

    async_side.run(main)
    assert server.lease_holders == []


def test_a_stop_amid_a_reconcile_loses_no_work(
    async_side: AsyncSide, config: KubernetesConfig, server: SimulatedServer
) -> None:
    many = [f"w{number}" for number in range(60)]

    async def main() -> None:
        async with serving(config) as served:
            await until(lambda: len(deletes(server)) >= 3)
            served.stop()
            await served.over.wait()
        assert 3 <= len(deletes(server)) < len(many)
        last = server.requests[-1]
        assert (last.method, server.lease_holders) == ("PUT", [""]), "the lease is let go after all else"
        async with serving(config):
            await until(lambda: len({request.path for request in deletes(server)}) == len(many))

    create(config, *many, image="job:1", ttl_after_completion=0.0)
    assert server.wait_until(lambda: all(pod["status"]["phase"] == "Succeeded" for pod in server.pods().values()))
    async_side.run(main)
    assert len(deletes(server)) == len(many), "none was removed twice"


def test_a_leader_that_was_paused_and_resumed_does_no_harm(server: SimulatedServer, config: KubernetesConfig) -> None:
    """It had its plan, and was about to act; meanwhile another led, and a new worker took the place of the old one."""
    create(config, "w1", image="job:1", ttl_after_completion=0.0)
    connect = partial(KubernetesProvider.connect, config, environ={})
    short = LeasePolicy(duration=1, renew_deadline=0.8, retry_period=0.1)
    with connect() as paused, connect() as next_:
        assert server.wait_until(lambda: all(pod["status"]["phase"] == "Succeeded" for pod in server.pods().values()))
        assert server.wait_until(lambda: len(paused.plan_reconcile().removals) == 1)
        plan = paused.plan_reconcile()
        with paused.lead("paused", policy=short) as standings, next_.lead("next", policy=short) as others:
            mine = next(standings)
            theirs = next(others)
            while not theirs.until:
                theirs = next(others)
            assert [result.outcome for result in next_.apply_reconcile(plan)] == [ActionOutcome.DONE]
            assert server.wait_until(lambda: not server.pods())
            create(config, "w1")
            told = paused.apply_reconcile(plan, may_act=mine.is_ours)
            assert [result.outcome for result in told] == [ActionOutcome.SKIPPED]
            # And if it was paused between that question and its request:
            assert [result.outcome for result in paused.apply_reconcile(plan)] == [ActionOutcome.GONE]
        (pod,) = server.pods().values()
        assert "deletionTimestamp" not in pod["metadata"]


def test_every_fault_is_told_before_anything_is_sent(server: SimulatedServer, config: KubernetesConfig) -> None:
    plain = msgspec.structs.replace(config, provider_id="kubernetes")

    async def main(configs: list[KubernetesConfig]) -> None:
        with pytest.raises(ConfigurationError) as refused:
            await serve(configs, ServeOptions(host="127.0.0.1", port=0), environ={})
        faults.extend(str(fault) for fault in refused.value.faults)

    faults: list[str] = []
    anyio.run(main, [plain, plain])
    assert [fault for fault in faults if "two providers" in fault]
    assert len([fault for fault in faults if "is the default" in fault]) == 2
    anyio.run(main, [])
    assert faults[-1] == "clusters: there is none to serve"
    assert server.requests == []


def test_a_second_request_to_stop_ends_at_once(async_side: AsyncSide, config: KubernetesConfig) -> None:
    async def main() -> None:
        async with serving(config, stop_within=0.05) as served:
            served.stop()
            served.stop()
            await served.over.wait()

    async_side.run(main)


def test_loops_beat_by_what_their_operations_observe() -> None:
    now = [100.0]
    beats = Beats(KubernetesConfig(), monotonic=lambda: now[0])
    beats.observe(seen.WatchHeard("fleet"))
    assert beats.loops == {}, "it has not begun"
    for name in ("watch", "reconcile", "lead"):
        beats.beat(name)
    assert stalled(beats.loops, now[0] + 60.0) == ()
    now[0] += 10_000.0
    assert len(stalled(beats.loops, now[0])) == 3
    for observation in (
        seen.WatchReconnected("closed"),
        seen.StepStarted("lead", "x"),
        seen.StepStarted("create", "x"),
    ):
        beats.observe(observation)
    (late,) = stalled(beats.loops, now[0])
    assert late.startswith("reconcile has not moved for 10000 s")
    beats.observe(seen.StepStarted("reconcile", "list the Pods"))
    assert stalled(beats.loops, now[0]) == ()
    now[0] += 10_000.0
    for name in ("reconcile", "lead"):
        beats.end(name)
    assert len(stalled(beats.loops, now[0])) == 1


def test_a_process_whose_loops_stand_still_is_not_alive(
    async_side: AsyncSide, config: KubernetesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Beats, "loops", property(lambda _: {"watch": Loop(-1000.0, 1.0)}))

    async def main() -> None:
        async with serving(config) as served:
            status, why = await served.get("/livez")
            assert status == 503
            assert why.startswith(b"ci: watch has not moved for ")

    async_side.run(main)


def test_log_records_are_objects() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("test_log_records")
    logger.addHandler(handler)
    logger.warning("two\nlines %s", "here", extra={"fields": {"worker_id": "w1", "path": Path("x")}})
    try:
        raise ValueError("no")
    except ValueError:
        logger.exception("it failed")
    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["message"], first["level"], first["worker_id"], first["path"]) == (
        *("two\nlines here", "warning", "w1", "x"),
    )
    assert "ValueError: no" in second["error"]
