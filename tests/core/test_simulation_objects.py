"""What plain objects and namespaces do beside the recorded exchanges, and programs that run as containers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.http import Request
from hodei_k8s_core.simulation import Behaviour, Cluster
from hodei_k8s_core.simulation.wire import Json
from tests.core.simulation_requests import (
    MERGE_PATCH,
    NAMESPACE,
    PODS,
    ask,
    create,
    delete,
    get,
    log,
    pod,
    post,
    refusal,
)

V1 = f"/api/v1/namespaces/{NAMESPACE}"
HELD = {"metadata": {"name": "c", "finalizers": ["hodei.test/hold"]}}


def let_go(path: str) -> Request:
    return Request("PATCH", path, headers=MERGE_PATCH, body=b'{"metadata":{"finalizers":null}}')


def test_a_finalizer_holds_any_object() -> None:
    cluster = Cluster()
    ask(cluster, post(HELD, f"{V1}/configmaps"))
    path = f"{V1}/configmaps/c"
    held = ask(cluster, Request("DELETE", path))
    assert held["metadata"]["deletionGracePeriodSeconds"] == 0
    assert ask(cluster, Request("DELETE", path)) == held
    ask(cluster, let_go(path))
    assert refusal(cluster, get(path))[0] == 404


def test_a_dry_run_changes_nothing() -> None:
    cluster = Cluster()
    path = f"{V1}/configmaps"
    before = cluster.store.version
    ask(cluster, Request("POST", path, (("dryRun", "All"),), body=msgspec.json.encode(HELD)))
    assert cluster.store.version == before
    made = ask(cluster, post(HELD, path))
    changed = ask(
        cluster, Request("PUT", f"{path}/c", (("dryRun", "All"),), body=b'{"metadata":{"name":"c"},"data":{}}')
    )
    assert "finalizers" not in changed["metadata"]
    assert ask(cluster, get(f"{path}/c")) == made


def test_a_namespace_goes_when_all_in_it_has_gone() -> None:
    cluster = Cluster()
    ask(cluster, post(HELD, f"{V1}/configmaps"))
    ask(cluster, post({"metadata": {"name": "s"}}, f"{V1}/secrets"))
    ask(cluster, create())
    cluster.advance(5.0)
    path = f"/api/v1/namespaces/{NAMESPACE}"
    for now in (5.0, 6.0):
        assert ask(cluster, Request("DELETE", path), now)["status"]["phase"] == "Terminating"
    cluster.advance(60.0)
    assert cluster.pods(NAMESPACE) == {}
    assert refusal(cluster, get(f"{V1}/secrets/s"), 60.0)[0] == 404
    assert ask(cluster, get(path), 60.0)["metadata"]["deletionTimestamp"]
    ask(cluster, let_go(f"{V1}/configmaps/c"), 60.0)
    assert refusal(cluster, get(path), 70.0)[0] == 404


def test_a_body_in_the_binary_form_is_told_apart() -> None:
    told = Request("POST", f"{V1}/configmaps", body=b"k8s\x00\x0a\x0f")
    assert refusal(Cluster(), told) == (415, "UnsupportedMediaType", "the simulated API server reads JSON only")


def test_a_limit_on_claims_says_nothing_to_pods() -> None:
    cluster = Cluster()
    limits = [{"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}]
    ask(cluster, post({"metadata": {"name": "l"}, "spec": {"limits": limits}}, f"{V1}/limitranges"))
    assert "annotations" not in ask(cluster, create())["metadata"]


def test_a_strategic_patch_that_makes_no_sense_is_refused() -> None:
    cluster = Cluster()
    ask(cluster, create())
    content = (("content-type", "application/strategic-merge-patch+json"),)
    told = Request("PATCH", f"{PODS}/a", headers=content, body=b'{"spec":{"$patch":"sideways"}}')
    assert refusal(cluster, told)[:2] == (400, "BadRequest")


# --- programs


class Program:
    """Starts `Told`, and remembers them."""

    def __init__(self) -> None:
        self.started: list[tuple[Json, str]] = []
        self.process = Told()

    def start(self, pod: Json, container: str) -> Told:
        self.started.append((pod, container))
        return self.process


class Told:
    """A process that does as it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.code: int | None = None
        self.signals: list[str] = []

    def poll(self) -> tuple[list[str], int | None]:
        lines, self.lines = self.lines, []
        return lines, self.code

    def stop(self) -> None:
        self.signals.append("TERM")

    def kill(self) -> None:
        self.signals.append("KILL")


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
def running(program: Program) -> Cluster:
    cluster = Cluster(behaviours=lambda _: Behaviour(program=program))
    ask(cluster, create())
    cluster.advance(2.0)
    return cluster


def text(cluster: Cluster, now: float) -> Any:
    return cluster.handle(log(), now).body  # type: ignore[union-attr] # a log that is not followed is a whole reply


def test_a_program_runs_as_a_container(program: Program, running: Cluster) -> None:
    ((told, container),) = program.started
    assert (told["metadata"]["name"], container) == ("a", "worker")
    program.process.lines = ["one", "two"]
    assert text(running, 3.0) == b"one\ntwo\n"
    program.process.lines, program.process.code = ["three"], 4
    status = ask(running, get(f"{PODS}/a"), 5.0)["status"]
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 4
    assert text(running, 6.0) == b"one\ntwo\nthree\n"
    assert program.process.signals == []


def test_a_program_is_stopped_and_at_last_killed(program: Program, running: Cluster) -> None:
    ask(running, delete(gracePeriodSeconds=5), 3.0)
    running.advance(4.0)
    assert program.process.signals == ["TERM"]
    running.advance(9.0)
    assert program.process.signals == ["TERM", "KILL"]
    program.process.code = 137
    running.advance(10.0)
    running.advance(12.0)
    assert running.pods(NAMESPACE) == {}


def test_a_program_that_heeds_is_not_killed(program: Program, running: Cluster) -> None:
    ask(running, delete(gracePeriodSeconds=5), 3.0)
    program.process.code = 0
    running.advance(4.0)
    running.advance(20.0)
    assert running.pods(NAMESPACE) == {}
    assert "KILL" in program.process.signals[1:]  # whatever is left of it, when its record goes


def test_a_program_whose_record_is_removed_is_killed(program: Program, running: Cluster) -> None:
    ask(running, delete(gracePeriodSeconds=0), 3.0)
    assert program.process.signals == ["KILL"]


def test_two_containers_can_be_evicted_but_once() -> None:
    spec = pod(spec={"containers": [{"name": name, "image": "x"} for name in ("a", "b")]})
    cluster = Cluster(behaviours=lambda _: Behaviour(run=1, evicted="low on memory"))
    ask(cluster, post(spec))
    cluster.advance(10.0)
    assert cluster.pods(NAMESPACE)["a"]["status"]["reason"] == "Evicted"


def test_what_runs_ends_with_the_cluster(program: Program, running: Cluster) -> None:
    ask(running, create("b", image="other:1"))
    running.close()
    assert program.process.signals == ["KILL"]
