"""`hodei-k8s list --watch`: a line for each change in a pipe, a live table on a terminal, an end at Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.simulation import Answer, Rule
from tests.core.simulation_requests import delete, patch
from tests.transport.cli_cases import Run, command_line, simulated
from tests.transport.simulated_server import SimulatedServer

ROOT = Path(__file__).parents[2]
LIMIT = 60.0


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with simulated() as running:
        yield running


@pytest.fixture
def hodei(server: SimulatedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return command_line(server, tmp_path, monkeypatch)


class Watching:
    """`list --watch`, or another command, as a process; `terminal`: the other end of its output, where that is one."""

    def __init__(
        self, *options: str, on_terminal: bool = False, command: tuple[str, ...] = ("list", "--watch")
    ) -> None:
        self.terminal, theirs = pty.openpty() if on_terminal else (-1, subprocess.PIPE)
        # A script that runs tests in the background ignores SIGINT, and so would its child.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hodei_k8s_transport", *command, *options],
                cwd=ROOT,
                env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
                stdin=subprocess.DEVNULL,
                stdout=theirs,
                stderr=subprocess.PIPE,
                text=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        if on_terminal:
            os.close(theirs)

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def lines_until(self, is_it: Callable[[str], bool]) -> list[str]:
        lines = [self.line()]
        while not is_it(lines[-1]):
            assert lines[-1], lines
            lines.append(self.line())
        return lines

    def screen_until(self, word: str) -> str:
        """What the terminal was sent until it shows `word`."""
        shown, deadline = "", time.monotonic() + LIMIT
        while word not in shown:
            assert time.monotonic() < deadline, shown
            if select.select([self.terminal], [], [], 0.1)[0]:
                shown += os.read(self.terminal, 65536).decode(errors="replace")
        return shown

    def interrupt(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGINT)
        _, told = self.process.communicate(timeout=LIMIT)
        assert "Traceback" not in told
        return self.process.returncode, told

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        if self.terminal >= 0:
            os.close(self.terminal)


Watch = Callable[..., Watching]


@pytest.fixture
def watch(hodei: Run) -> Iterator[Watch]:
    started: list[Watching] = []

    def start(*options: str, **more: Any) -> Watching:
        started.append(Watching(*options, **more))
        return started[-1]

    yield start
    for one in started:
        one.close()


def assign(server: SimulatedServer, worker_id: str, job: str) -> None:
    change: Any = {"metadata": {"annotations": {"hodei.io/job-id": job}}}
    with server.lock:
        server.cluster.handle(patch(f"hodei-worker-{worker_id}", change), server.now)


def test_in_a_pipe_each_change_is_a_line(hodei: Run, server: SimulatedServer, watch: Watch) -> None:
    hodei("create", "service:1", "--id", "w1")
    hodei("wait", "w1")
    watching = watch()
    assert watching.line().split()[:3] == ["CHANGE", "WORKER", "STATE"]
    assert watching.line().split()[:3] == ["ADDED", "w1", "READY"]
    assign(server, "w1", "job-7")
    changed = watching.line().split()
    assert changed[:3] == ["CHANGED", "w1", "BUSY"]
    assert "job-7" in changed
    with server.lock:
        server.cluster.handle(delete("hodei-worker-w1"), server.now)
    assert watching.lines_until(lambda line: line.startswith("GONE"))[-1].split()[1] == "w1"
    assert watching.interrupt() == (130, "")


def test_for_a_program_each_change_and_the_age_of_the_picture_is_a_document(hodei: Run, watch: Watch) -> None:
    hodei("create", "never:1", "--id", "w1")
    watching = watch("--output", "json")
    lines: list[str] = []
    while not ("image_unavailable" in "".join(lines) and '"health"' in "".join(lines)):
        lines += watching.lines_until(bool)
    documents = [json.loads(line) for line in lines]
    assert [one["health"]["freshness"] for one in documents if "health" in one] == ["synced"]
    changes = [one for one in documents if "change" in one]
    assert (changes[0]["change"], changes[0]["gone"]) == ("added", False)
    verdicts = [one["worker"]["verdict"] for one in changes]
    assert "image" in [verdict["blame"] for verdict in verdicts if verdict is not None]
    assert watching.interrupt()[0] == 130


def test_on_a_terminal_it_is_a_table_that_changes(hodei: Run, server: SimulatedServer, watch: Watch) -> None:
    hodei("create", "service:1", "--id", "w1")
    hodei("create", "never:1", "--id", "w2")
    hodei("wait", "w1")
    watching = watch(on_terminal=True)
    assert "1 CREATING, 1 READY" in watching.screen_until("image_unavailable")
    assign(server, "w1", "job-7")
    assert "1 BUSY" in watching.screen_until("job-7")
    assert watching.interrupt()[0] == 130


def test_top_has_the_screen_for_itself_and_gives_it_back(hodei: Run, server: SimulatedServer, watch: Watch) -> None:
    hodei("create", "never:1", "--id", "w1")
    watching = watch(on_terminal=True, command=("top",))
    shown = watching.screen_until("image_unavailable")
    assert "in hodei-workers at http://127.0.0.1:" in shown
    assert "\x1b[?1049h" in shown, "the alternate screen"
    code, told = watching.interrupt()
    assert (code, told) == (0, "")
    assert "\x1b[?1049l" in os.read(watching.terminal, 65536).decode()


def test_top_needs_a_terminal(hodei: Run) -> None:
    result = hodei("top")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "list --watch" in result.stderr


def test_no_workers_are_said_on_a_terminal(watch: Watch) -> None:
    watching = watch(on_terminal=True)
    watching.screen_until("No workers")
    assert watching.interrupt()[0] == 130


def test_what_cannot_begin_is_one_line(hodei: Run, server: SimulatedServer) -> None:
    server.cluster.denied = frozenset({("list", "pods")})
    result = hodei("list", "--watch")
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1


def test_a_break_is_told_beside_the_output_until_the_picture_is_whole_again(
    hodei: Run, server: SimulatedServer, watch: Watch
) -> None:
    hodei("create", "service:1", "--id", "w1")
    hodei("wait", "w1")
    server.plan.add(Rule("watch", "pods", Answer(503, b"{}")))
    watching = watch()
    assert watching.process.stderr is not None
    told = [watching.process.stderr.readline()]
    while told[-1] != "hodei-k8s: synced\n":
        assert told[-1].startswith("hodei-k8s: "), told
        told.append(watching.process.stderr.readline())
    assert len(told) > 1
    assert watching.interrupt()[0] == 130
