"""`hodei-k8s reconcile`: a plan to look at, and its application."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hodei_k8s_core.simulation import Behaviour, Cluster, Rule, server_error
from hodei_k8s_transport.cli.app import app
from tests.core.operation_cases import NAMESPACE
from tests.transport.simulated_server import SimulatedServer

Run = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer(Cluster(behaviours={"job:1": Behaviour()})) as running:
        yield running


@pytest.fixture
def hodei(server: SimulatedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Under a provider id of its own, and with workers that are old enough at once."""
    monkeypatch.setenv("KUBECONFIG", str(server.write_kubeconfig(tmp_path / "config")))
    monkeypatch.setenv("HODEI_K8S_RECONCILE_MIN_AGE", "0")
    monkeypatch.setenv("HODEI_K8S_PROVIDER_ID", "tests")

    def run(*arguments: str, **variables: str) -> Result:
        result = CliRunner().invoke(app, arguments, env={f"HODEI_K8S_{key}": value for key, value in variables.items()})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    for ident in ("w1", "w2"):
        assert run("create", "job:1", "--id", ident).exit_code == 0
    return run


def left(server: SimulatedServer) -> list[str]:
    pods = server.cluster.pods(NAMESPACE)
    return sorted(name for name, pod in pods.items() if "deletionTimestamp" not in pod["metadata"])


def test_a_dry_run_changes_nothing(hodei: Run, server: SimulatedServer) -> None:
    result = hodei("reconcile", "--dry-run", "--wanted", "w1")
    assert result.exit_code == 0
    head, row = result.stdout.splitlines()
    assert head.split() == ["ACTION", "WORKER", "RESOURCE", "REASON"]
    assert row.split(maxsplit=4) == ["destroy", "orphan", "w2", "pods", "nobody wants this worker"]
    assert len(left(server)) == 2


def test_orphans_go(hodei: Run, server: SimulatedServer) -> None:
    result = hodei("reconcile", "--wanted", "w1", "--output", "json")
    assert result.exit_code == 0
    (told,) = json.loads(result.stdout)["results"]
    assert (told["action"]["worker_id"], told["outcome"]) == ("w2", "done")
    assert left(server) == ["hodei-worker-w1"]


def test_without_a_word_on_what_is_wanted_nothing_is_an_orphan(hodei: Run, server: SimulatedServer) -> None:
    result = hodei("reconcile")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2 workers, and nothing to do" in result.stderr
    assert len(left(server)) == 2


def test_a_plan_that_ends_too_many_asks_first(hodei: Run, server: SimulatedServer) -> None:
    refused = hodei("reconcile", "--none-wanted", RECONCILE_FREE_REMOVALS="0")
    assert refused.exit_code == 1
    assert "2 of 2 workers" in refused.stderr
    assert len(left(server)) == 2
    shown = hodei("reconcile", "--none-wanted", "--dry-run", RECONCILE_FREE_REMOVALS="0")
    assert "needs --yes" in shown.stderr
    assert hodei("reconcile", "--none-wanted", "--yes", RECONCILE_FREE_REMOVALS="0").exit_code == 0
    assert left(server) == []


def test_what_fails_is_told(hodei: Run, server: SimulatedServer) -> None:
    server.plan.add(Rule("delete", "pods", server_error(), times=None))
    result = hodei("reconcile", "--none-wanted", RETRY_MAX_ATTEMPTS="1")
    assert result.exit_code == 1
    assert "failed" in result.stdout
    assert len(left(server)) == 2


def test_the_default_provider_id_is_refused(hodei: Run) -> None:
    result = hodei("reconcile", "--dry-run", PROVIDER_ID="kubernetes")
    assert result.exit_code == 1
    assert "provider_id" in result.stderr
