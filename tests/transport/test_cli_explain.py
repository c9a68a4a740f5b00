"""`hodei-k8s explain`: the state, the verdict with its evidence, and how long each phase took."""

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


def sections(text: str) -> list[str]:
    return text.rstrip("\n").split("\n\n")


def test_a_worker_that_is_well_has_a_timeline_and_a_bar_for_each_phase(hodei: Run) -> None:
    hodei("create", "service:1", "--id", "w1")
    assert hodei("wait", "w1").exit_code == 0
    result = hodei("explain", "w1")
    assert (result.exit_code, result.stderr) == (0, "")
    fields, timeline, chart = sections(result.stdout)
    assert "READY" in fields
    assert "verdict" not in result.stdout
    lines = timeline.splitlines()
    assert [line.split()[0] for line in (lines[0], lines[-1])] == ["created", "ready"]
    assert "UTC" in lines[0]
    assert lines[0].endswith("metadata.creationTimestamp")
    bars = {line.split()[0]: line for line in chart.splitlines()}
    assert {"ready", "run"} <= set(bars)
    assert all(set(line) & set("█▏") for name, line in bars.items() if name != "run")


def test_a_worker_in_trouble_has_its_verdict_with_evidence_and_the_phase_that_goes_on(hodei: Run) -> None:
    hodei("create", "never:1", "--id", "w1")
    hodei("wait", "w1", STARTUP_IMAGE_RETRIES="0")
    result = hodei("explain", "w1")
    assert result.exit_code == 0
    _, verdict, _, chart = sections(result.stdout)
    rows = dict(line.split(maxsplit=1) for line in verdict.splitlines())
    assert rows["verdict"].startswith("image_unavailable: ")
    assert rows["fault"].split() == ["of", "the", "image"]
    assert "never:1" in rows["evidence"]
    assert " … " in chart  # a phase goes on


def test_a_worker_that_no_node_takes_names_whose_fault_it_is(hodei: Run, server: SimulatedServer) -> None:
    hodei("create", "homeless:1", "--id", "w1")
    assert server.wait_until(lambda: "unschedulable" in hodei("explain", "w1").stdout)
    result = hodei("explain", "w1")
    assert "the capacity of the cluster" in result.stdout


def test_a_worker_that_failed_says_why_it_is_over(hodei: Run) -> None:
    hodei("create", "job:1", "--id", "w1")
    hodei("wait", "w1", "--for", "terminated")
    result = hodei("explain", "w1")
    assert result.exit_code == 0
    assert "exited" in result.stdout
    assert "it is over" in result.stdout


def test_for_a_program(hodei: Run) -> None:
    hodei("create", "never:1", "--id", "w1")
    hodei("wait", "w1", STARTUP_IMAGE_RETRIES="0")
    document = json.loads(hodei("explain", "w1", "--output", "json").stdout)
    assert document["state"] == "creating"
    assert document["verdict"]["category"] == "image_unavailable"
    assert document["verdict"]["blame"] == "image"
    assert document["verdict"]["evidence"]
    assert document["timeline"]["created"]["source"] == "metadata.creationTimestamp"
    assert "schedule" in document["durations"]


def test_a_worker_that_is_not_there_is_gone_and_no_failure(hodei: Run) -> None:
    result = hodei("explain", "w9")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Gone" in result.stdout
    document = json.loads(hodei("explain", "w9", "-o", "json").stdout)
    assert (document["state"], document["timeline"], document["durations"]) == ("terminated", None, {})


def test_an_id_that_none_can_have_is_one_line(hodei: Run) -> None:
    result = hodei("explain", "A_b")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "worker_id" in result.stderr


def test_without_permission_to_read_events_it_says_so(hodei: Run, server: SimulatedServer) -> None:
    server.cluster.denied = frozenset({("list", "events")})
    hodei("create", "homeless:1", "--id", "w1")
    assert server.wait_until(lambda: "unschedulable" in hodei("explain", "w1").stdout)
    result = hodei("explain", "w1")
    assert result.exit_code == 0
    assert "events: could not be read" in result.stdout
