"""What the tests of single commands share: a simulated cluster of typical workers, and the command line on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hodei_k8s_core.simulation import Behaviour, Cluster, image_cannot_be_pulled
from hodei_k8s_core.simulation.behaviour import Unschedulable
from hodei_k8s_transport.cli.app import app
from tests.transport.simulated_server import SimulatedServer

Run = Callable[..., Result]
BEHAVIOURS = {
    "service:1": Behaviour(),
    "job:1": Behaviour(exit_code=3, run=0.2),
    "never:1": Behaviour(fail=image_cannot_be_pulled("never:1")),
    "slow:1": Behaviour(pull=600.0),
    "homeless:1": Behaviour(fail=Unschedulable()),
}


def simulated() -> SimulatedServer:
    return SimulatedServer(Cluster(behaviours=BEHAVIOURS))


def command_line(server: SimulatedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`hodei("wait", "w1")`: a run in this process. Fails on what is not expected, and on a traceback."""
    for name in [name for name in os.environ if name.startswith("HODEI_K8S_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KUBECONFIG", str(server.write_kubeconfig(tmp_path / "config")))
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str, **variables: str) -> Result:
        result = CliRunner().invoke(app, arguments, env={f"HODEI_K8S_{key}": value for key, value in variables.items()})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    return run
