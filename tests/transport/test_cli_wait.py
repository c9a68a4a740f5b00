"""`hodei-k8s wait`: what is printed where, the exit codes, and who is not waited for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transport.cli_cases import Run, command_line, simulated
from tests.transport.simulated_server import SimulatedServer


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with simulated() as running:
        yield running


@pytest.fixture
def hodei(server: SimulatedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return command_line(server, tmp_path, monkeypatch)


def test_a_worker_that_gets_there(hodei: Run) -> None:
    hodei("create", "service:1", "--id", "w1")
    result = hodei("wait", "w1")
    assert (result.exit_code, result.stdout.split(), result.stderr) == (0, ["w1", "READY"], "")


@pytest.mark.parametrize("others", [[], ["w2"]])
def test_any_of_several_states_is_enough(hodei: Run, others: list[str]) -> None:
    for worker_id in ["w1", *others]:
        hodei("create", "job:1", "--id", worker_id)
    result = hodei("wait", "w1", *others, "--for", "busy", "--for", "Terminated")
    assert result.exit_code == 0
    assert result.stdout.split() == [word for worker_id in ["w1", *others] for word in (worker_id, "TERMINATED")]


@pytest.mark.parametrize("others", [[], ["w2"]])
def test_who_cannot_get_there_is_not_waited_for_and_told_with_the_verdict(hodei: Run, others: list[str]) -> None:
    hodei("create", "never:1", "--id", "w1")
    for worker_id in others:
        hodei("create", "service:1", "--id", worker_id)
    result = hodei("wait", "w1", *others, "--timeout", "5m", STARTUP_IMAGE_RETRIES="0")
    assert result.exit_code == 1
    assert result.stdout.split() == [word for worker_id in others for word in (worker_id, "READY")]
    (line,) = result.stderr.splitlines()
    assert line.startswith("hodei-k8s: the worker w1 will not be READY: ")
    assert "never:1" in line


def test_a_time_that_runs_out_is_told_with_what_is_known(hodei: Run) -> None:
    hodei("create", "slow:1", "--id", "w1")
    result = hodei("wait", "w1", "--timeout", "1s")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the worker w1 was not READY within 1 s; it is CREATING" in result.stderr


def test_a_worker_that_is_not_there_will_not_get_there(hodei: Run) -> None:
    result = hodei("wait", "w9")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("hodei-k8s: the worker w9 will not be READY: it is TERMINATED")


def test_a_worker_that_is_not_there_has_ended(hodei: Run) -> None:
    assert hodei("wait", "w9", "--for", "terminated").exit_code == 0


def test_for_a_program_one_document_of_all(hodei: Run) -> None:
    hodei("create", "never:1", "--id", "w1")
    hodei("create", "service:1", "--id", "w2")
    result = hodei("wait", "w1", "w2", "w1", "--timeout", "2m", "-o", "json", STARTUP_IMAGE_RETRIES="0")
    assert (result.exit_code, result.stderr) == (1, "")
    first, second = json.loads(result.stdout)
    assert (first["worker_id"], first["success"]) == ("w1", False)
    assert first["error"]["kind"] == "NotReady"
    assert first["error"]["verdict"]["category"] == "image_unavailable"
    assert (second["worker_id"], second["success"], second["error"]) == ("w2", True, None)
    assert second["worker"]["state"] == "ready"


@pytest.mark.parametrize("timeout", ["soon", "0", "-1"])
def test_a_wait_that_makes_no_sense_is_one_line(hodei: Run, timeout: str) -> None:
    result = hodei("wait", "w1", f"--timeout={timeout}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "timeout" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_what_does_not_exist_is_a_usage_error(hodei: Run) -> None:
    assert hodei("wait", "w1", "--for", "happy").exit_code == 2
    assert hodei("wait").exit_code == 2
