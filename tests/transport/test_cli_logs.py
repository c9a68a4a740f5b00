"""`hodei-k8s logs` on a simulated cluster: every option, of one worker and of several, for people and programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hodei_k8s_core.simulation import Behaviour, Cluster
from hodei_k8s_transport.cli.app import app
from tests.transport.simulated_server import SimulatedServer

MIXED = Behaviour(
    logs=(
        (0.0, "INFO: starting"),
        (0.0, "ERROR: broken"),
        (0.0, "  at line 1"),
        (0.0, '{"level": "warn", "msg": "low"}'),
        (0.1, "done"),
    ),
    exit_code=0,
    run=0.2,
)
BEHAVIOURS = {
    "mixed:1": MIXED,
    "left:1": Behaviour(logs=((0.0, "left 1"), (0.2, "left 2")), exit_code=0, run=0.3),
    "right:1": Behaviour(logs=((0.1, "right 1"), (0.3, "\x1b[31mright 2")), exit_code=0, run=0.4),
}
Run = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer(Cluster(behaviours=BEHAVIOURS)) as running:
        yield running


@pytest.fixture
def hodei(server: SimulatedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`hodei("logs", "w1")`: a run of the command line in this process."""
    monkeypatch.setenv("KUBECONFIG", str(server.write_kubeconfig(tmp_path / "config")))

    def run(*arguments: str, **variables: str) -> Result:
        result = CliRunner().invoke(app, arguments, env=variables)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    return run


def ended(hodei: Run, server: SimulatedServer, **images: str) -> None:
    """A worker of each image, at its end."""
    for ident, image in images.items():
        assert hodei("create", image, "--id", ident, "--label", f"team={ident}").exit_code == 0
    names = {f"hodei-worker-{ident}" for ident in images}
    assert server.wait_until(lambda: all(server.pods()[name]["status"]["phase"] == "Succeeded" for name in names))


def test_only_lines_that_are_bad_enough_and_what_belongs_to_them(hodei: Run, server: SimulatedServer) -> None:
    ended(hodei, server, w1="mixed:1")
    told = hodei("logs", "w1", "--level", "error").stdout.splitlines()
    assert told == ["ERROR: broken", "  at line 1"]
    told = hodei("logs", "w1", "--level", "WARN", "--follow").stdout.splitlines()
    assert told == ["ERROR: broken", "  at line 1", '{"level": "warn", "msg": "low"}']


def test_an_object_a_line_with_a_cursor_that_a_new_process_goes_on_from(hodei: Run, server: SimulatedServer) -> None:
    ended(hodei, server, w1="mixed:1")
    lines = [json.loads(line) for line in hodei("logs", "w1", "--follow", "--output", "json").stdout.splitlines()]
    assert [line["message"] for line in lines] == [text for _, text in MIXED.logs]
    assert {line["worker"] for line in lines} == {"w1"}
    assert lines[1]["level"] == "ERROR"
    rest = hodei("logs", "w1", "--follow", "--since", lines[2]["cursor"]).stdout.splitlines()
    assert rest == [text for _, text in MIXED.logs[3:]]


def test_since_a_time(hodei: Run, server: SimulatedServer) -> None:
    ended(hodei, server, w1="left:1")
    assert hodei("logs", "w1", "--since", "900d").stdout.splitlines() == ["left 1", "left 2"]
    assert hodei("logs", "w1", "--since", "2100-01-01T00:00:00Z").stdout == ""


def test_the_last_lines_and_their_times(hodei: Run, server: SimulatedServer) -> None:
    ended(hodei, server, w1="left:1")
    (line,) = hodei("logs", "w1", "--tail", "1", "--timestamps", "--follow").stdout.splitlines()
    stamp, text = line.split(" ", 1)
    assert (text, stamp[10], stamp[-6:]) == ("left 2", "T", "+00:00")


@pytest.mark.parametrize("follow", [[], ["--follow"]], ids=["as they are", "followed"])
def test_several_workers_each_with_its_name(hodei: Run, server: SimulatedServer, follow: list[str]) -> None:
    ended(hodei, server, w1="left:1", longer="right:1")
    result = hodei("logs", "w1", "longer", *follow)
    assert result.exit_code == 0
    assert sorted(result.stdout.splitlines()) == [
        "longer | \x1b[31mright 2",
        "longer | right 1",
        "w1     | left 1",
        "w1     | left 2",
    ]


def test_names_have_colours_on_a_terminal_unless_nobody_wants_any(hodei: Run, server: SimulatedServer) -> None:
    ended(hodei, server, w1="left:1", w2="right:1")
    coloured = hodei("logs", "w1", "w2", FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b[36mw1 | \x1b[0mleft 1" in coloured.stdout.splitlines()
    assert "\x1b[33mw2 | \x1b[0m\x1b[31mright 2\x1b[0m" in coloured.stdout.splitlines()  # its red ends with its line
    plain = hodei("logs", "w1", "w2", FORCE_COLOR="1", NO_COLOR="1", TERM="xterm-256color")
    assert "w1 | left 1" in plain.stdout.splitlines()


def test_of_all_workers_those_that_cannot_be_read_are_told(hodei: Run, server: SimulatedServer) -> None:
    ended(hodei, server, w1="left:1")
    result = hodei("logs", "w1", "nobody")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["w1     | left 1", "w1     | left 2"]
    assert "nobody" in result.stderr
    assert hodei("logs").stdout.splitlines() == ["w1 | left 1", "w1 | left 2"]


@pytest.mark.parametrize(
    ("options", "option"),
    [
        (["w1", "--follow", "--previous"], "--previous"),
        (["w1", "--tail", "-1"], "--tail"),
        (["w1", "--since", "soon"], "--since"),
        (["w1", "--since", "v1_x_0__0_0_0___"], "--since"),
        (["w1", "w2", "--follow", "--since", "v1_x_0__0_0_0___"], "--since"),
        (["w1", "--follow", "--selector", "team=ci"], "--selector"),
        ([""], "WORKER"),
    ],
)
def test_options_that_make_no_sense_together(
    hodei: Run, server: SimulatedServer, options: list[str], option: str
) -> None:
    result = hodei("logs", *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert option in result.stderr
    assert server.requests == []


def test_the_run_before_a_restart(hodei: Run, server: SimulatedServer) -> None:
    ended(hodei, server, w1="left:1")
    result = hodei("logs", "w1", "--previous")
    assert (result.exit_code, result.stdout) == (0, "")  # there was none


def test_as_they_are_of_the_workers_with_some_labels(hodei: Run, server: SimulatedServer) -> None:
    ended(hodei, server, l="left:1", r="right:1")
    assert hodei("logs", "--selector", "team=l", "--tail", "1").stdout == "l | left 2\n"
    assert hodei("logs", "-l", "team=none").stdout == ""
