"""The command line as a process of its own: signals, pipes that nobody reads, lines as they come."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from hodei_k8s_core.simulation import Behaviour, Cluster, Rule, Stall
from hodei_k8s_core.simulation.faults import unavailable
from tests.transport.simulated_server import SimulatedServer

ROOT = Path(__file__).parents[2]
LIMIT = 60.0
CHATTY = Behaviour(logs=tuple((0.05 * number, f"line {number}") for number in range(400)), exit_code=0, run=20.0)
BEHAVIOURS = {"chatty:1": CHATTY, "stubborn:1": Behaviour(term=None)}
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer(Cluster(behaviours=BEHAVIOURS)) as running:
        yield running


@contextmanager
def inherited(number: signal.Signals, handler: Any) -> Iterator[None]:
    """Processes that are started meanwhile have that signal ignored, or not."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Also where the tests themselves run in the background of a script."""
    with inherited(signal.SIGINT, signal.default_int_handler):
        yield


@pytest.fixture
def start(server: SimulatedServer, tmp_path: Path) -> Iterator[Start]:
    """`start("run", "service:1")`: the command line as a process."""
    kubeconfig = server.write_kubeconfig(tmp_path / "config")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HODEI_K8S_")}
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "hodei_k8s_transport", "--kubeconfig", str(kubeconfig), *arguments],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LIMIT)
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    return process.returncode, out, err


def line_of(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def is_ready(server: SimulatedServer) -> Callable[[], bool]:
    def look() -> bool:
        return any(one["status"].get("phase") == "Running" for one in server.pods().values())

    return look


def asked(server: SimulatedServer, method: str) -> Callable[[], bool]:
    return lambda: any(request.method == method for request in server.requests)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_destroys_the_worker(start: Start, server: SimulatedServer, number: signal.Signals) -> None:
    process = start("run", "service:1", "--id", "w1")
    assert server.wait_until(is_ready(server), LIMIT)
    process.send_signal(number)
    code, out, err = end(process)
    assert (code, out) == (130, "")
    assert "exited with code 143" in err
    assert server.pods() == {}


def test_a_signal_that_the_caller_had_ignored_stays_ignored(start: Start, server: SimulatedServer) -> None:
    with inherited(signal.SIGHUP, signal.SIG_IGN):  # as nohup does
        process = start("run", "chatty:1", "--id", "w1")
    assert line_of(process.stdout) == "line 0\n"
    process.send_signal(signal.SIGHUP)
    for _ in range(5):
        assert line_of(process.stdout).startswith("line ")
    process.send_signal(signal.SIGTERM)
    assert end(process)[0] == 130
    assert server.pods() == {}


def test_a_signal_while_the_worker_is_created_destroys_it_too(start: Start, server: SimulatedServer) -> None:
    process = start("run", "service:1", "--id", "w1")
    assert server.wait_until(asked(server, "POST"), LIMIT)
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == 130
    assert server.pods() == {}


def test_a_second_signal_ends_it_with_the_shortest_grace_and_does_not_wait(
    start: Start, server: SimulatedServer
) -> None:
    process = start("run", "stubborn:1", "--id", "w1")
    assert server.wait_until(is_ready(server), LIMIT)
    process.send_signal(signal.SIGINT)
    assert server.wait_until(asked(server, "DELETE"), LIMIT)
    process.send_signal(signal.SIGINT)
    code, _, err = end(process)
    assert code == 130
    assert err.splitlines()[-1] == "hodei-k8s: interrupted; the worker w1 ends within 1 s"
    graces = [
        json.loads(request.body)["gracePeriodSeconds"] for request in server.requests if request.method == "DELETE"
    ]
    assert graces == [30, 1]
    assert server.wait_until(lambda: server.pods() == {}, LIMIT)


def test_a_second_signal_that_reaches_no_server_says_how_to_end_it(start: Start, server: SimulatedServer) -> None:
    process = start("run", "stubborn:1", "--id", "w1")
    assert server.wait_until(is_ready(server), LIMIT)
    process.send_signal(signal.SIGINT)
    assert server.wait_until(asked(server, "DELETE"), LIMIT)
    server.plan.add(Rule("delete", "pods", unavailable(), times=None))
    process.send_signal(signal.SIGINT)
    code, _, err = end(process)
    assert code == 130
    assert "hodei-k8s destroy w1" in err.splitlines()[-1]
    assert "hodei-worker-w1" in server.pods()


def test_a_second_signal_leaves_a_worker_that_is_to_be_kept(start: Start, server: SimulatedServer) -> None:
    process = start("run", "stubborn:1", "--id", "w1", "--keep")
    assert server.wait_until(is_ready(server), LIMIT)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == 130
    assert not asked(server, "DELETE")()


def test_a_second_signal_does_not_wait_for_a_request_that_hangs(start: Start, server: SimulatedServer) -> None:
    process = start("run", "service:1", "--id", "w1")
    assert server.wait_until(is_ready(server), LIMIT)
    server.plan.add(Rule("delete", "pods", Stall()))
    process.send_signal(signal.SIGINT)
    assert server.wait_until(asked(server, "DELETE"), LIMIT)
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == 130


def test_an_interrupted_create_says_that_the_worker_may_exist(start: Start, server: SimulatedServer) -> None:
    server.plan.add(Rule("create", "pods", Stall(acting=True)))
    process = start("create", "service:1", "--id", "w1")
    assert server.wait_until(asked(server, "POST"), LIMIT)
    process.send_signal(signal.SIGINT)
    code, out, err = end(process)
    assert (code, out) == (130, "")
    assert err.splitlines() == ["hodei-k8s: interrupted; the worker may exist: hodei-k8s destroy w1"]


def test_following_a_log_ends_at_ctrl_c(start: Start, server: SimulatedServer) -> None:
    assert end(start("create", "chatty:1", "--id", "w1"))[0] == 0
    process = start("logs", "w1", "--follow")
    assert line_of(process.stdout) == "line 0\n"
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == 130
    assert "hodei-worker-w1" in server.pods()


def test_following_the_logs_of_chosen_workers_ends_at_ctrl_c(start: Start, server: SimulatedServer) -> None:
    assert end(start("create", "chatty:1", "--id", "w1", "--label", "team=ci"))[0] == 0
    assert end(start("create", "chatty:1", "--id", "w2"))[0] == 0
    process = start("logs", "--follow", "--selector", "team=ci")
    assert {line_of(process.stdout).split()[0] for _ in range(20)} == {"w1"}
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == 130


def test_lines_come_as_they_are_written_into_a_pipe_too(start: Start, server: SimulatedServer) -> None:
    process = start("run", "chatty:1")
    assert line_of(process.stdout) == "line 0\n"
    assert process.poll() is None
    assert is_ready(server)()


def test_when_nobody_reads_a_run_any_more_its_worker_is_destroyed(start: Start, server: SimulatedServer) -> None:
    process = start("run", "chatty:1")
    assert line_of(process.stdout) == "line 0\n"
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    code, _, err = end(process)
    assert code == 141
    assert "exited with code 143" in err  # it was ended, and did not come to its end
    assert server.pods() == {}


@pytest.mark.parametrize("command", [["logs", "w1", "--follow"], ["list"], ["status", "w1"], ["health"]])
def test_a_pipe_that_nobody_reads_is_no_traceback(start: Start, command: list[str]) -> None:
    assert end(start("create", "chatty:1", "--id", "w1"))[0] == 0
    process = start(*command)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    assert end(process)[0] == 141


def test_an_encoding_that_lacks_a_character_is_no_traceback(
    start: Start, server: SimulatedServer, tmp_path: Path
) -> None:
    server.cluster = Cluster(behaviours={"check:1": Behaviour(logs=((0.0, "done ✓"),), exit_code=0, run=0.1)})
    environ = {**os.environ, "PYTHONIOENCODING": "latin-1", "KUBECONFIG": str(tmp_path / "config")}
    command = [sys.executable, "-m", "hodei_k8s_transport", "run", "check:1"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (done.returncode, done.stdout) == (0, "done \\u2713\n")


def test_without_typer_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['typer'] = None; from hodei_k8s_transport.cli import main; main()"
    done: Any = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 1
    assert "pip install 'hodei-k8s[cli]'" in done.stderr
    assert "Traceback" not in done.stderr
