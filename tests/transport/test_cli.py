"""The command line on a simulated cluster: what is printed where, the exit codes, and never a traceback."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.simulation import Behaviour, Cluster, LoseRequest, Rule, image_cannot_be_pulled
from hodei_k8s_transport.channels.recording.exchange_file import load_recording
from hodei_k8s_transport.channels.recording.replay_channel import ReplayChannel
from hodei_k8s_transport.cli.app import app
from hodei_k8s_transport.cli.commands.run import exit_code, how_it_ended
from hodei_k8s_transport.cli.output import age, plain
from hodei_k8s_transport.provider import KubernetesProvider
from tests.core.simulation_requests import patch
from tests.transport.simulated_server import SimulatedServer

SAYS_HELLO = Behaviour(logs=((0.0, "hello"), (0.0, "  [bold]as it is[/bold]")), exit_code=3, run=0.2)
BEHAVIOURS = {
    "hello:1": SAYS_HELLO,
    "never:1": Behaviour(fail=image_cannot_be_pulled("never:1")),
    "killed:1": Behaviour(exit_code=137, run=0.1, reason="OOMKilled"),
}
Run = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer(Cluster(behaviours=BEHAVIOURS)) as running:
        yield running


@pytest.fixture
def hodei(server: SimulatedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`hodei("list", "-o", "json")`: a run of the command line in this process. Fails on what is not expected."""
    for name in [name for name in __import__("os").environ if name.startswith("HODEI_K8S_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KUBECONFIG", str(server.write_kubeconfig(tmp_path / "config")))

    def run(*arguments: str, **variables: str) -> Result:
        result = CliRunner().invoke(app, arguments, env={f"HODEI_K8S_{key}": value for key, value in variables.items()})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    return run


def one_line(result: Result) -> str:
    """The only line on standard error of a command that failed as it should."""
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("hodei-k8s: ")
    return line


# --- run


def test_run_prints_the_log_says_why_it_ended_exits_with_its_code_and_leaves_nothing(
    hodei: Run, server: SimulatedServer
) -> None:
    result = hodei("run", "hello:1", "--id", "w1", "--", "sh", "-c", "echo hello; exit 3")
    assert result.exit_code == 3
    assert result.stdout == "hello\n  [bold]as it is[/bold]\n"
    assert "hodei-k8s: worker w1 created" in result.stderr
    assert result.stderr.splitlines()[-1] == "hodei-k8s: worker w1 exited with code 3"
    assert server.pods() == {}
    sent = msgspec.json.decode(next(one.body for one in server.requests if one.method == "POST"))
    assert sent["spec"]["containers"][0]["command"] == ["sh", "-c", "echo hello; exit 3"]


def test_run_tells_each_piece_of_news_once(hodei: Run) -> None:
    lines = hodei("run", "hello:1").stderr.splitlines()
    assert len(lines) == len(set(lines))


def test_run_and_keep_leaves_the_pod(hodei: Run, server: SimulatedServer) -> None:
    result = hodei("run", "hello:1", "--id", "w1", "--keep")
    assert result.exit_code == 3
    assert "its Pod is kept" in result.stderr
    assert list(server.pods()) == ["hodei-worker-w1"]


def test_run_for_a_program_is_one_document_a_line(hodei: Run) -> None:
    result = hodei("run", "hello:1", "--output", "json")
    documents = [json.loads(line) for line in result.stdout.splitlines()]
    kinds = [kind for document in documents for kind in document]
    assert kinds[0] == "handle"
    assert kinds[-1] == "worker"
    assert [one["log"]["message"] for one in documents if "log" in one] == ["hello", "  [bold]as it is[/bold]"]
    assert documents[-1]["worker"]["exit_code"] == 3


def test_run_in_a_namespace_that_is_missing_says_how_to_mend_it(hodei: Run) -> None:
    line = one_line(hodei("--namespace", "nowhere", "run", "hello:1"))
    assert "the namespace does not exist" in line
    assert "--create-namespace" in line


def test_run_creates_the_namespace_when_it_is_asked_to(hodei: Run, server: SimulatedServer) -> None:
    result = hodei("--namespace", "fresh", "run", "hello:1", "--create-namespace")
    assert result.exit_code == 3
    assert server.pods("fresh") == {}


def test_run_of_a_worker_that_was_killed_says_by_what(hodei: Run) -> None:
    result = hodei("run", "killed:1")
    assert result.exit_code == 137
    assert "exited with code 137 (SIGKILL): OOMKilled" in result.stderr


def test_run_of_a_worker_that_does_not_start_ends_in_time_and_leaves_nothing(
    hodei: Run, server: SimulatedServer
) -> None:
    result = hodei("run", "never:1", "--startup-timeout", "1")
    assert result.exit_code == 1
    assert "never:1" in result.stderr
    assert "did not start within 1 s" in result.stderr.splitlines()[-1]
    assert server.pods() == {}


def test_run_tells_the_phases_as_they_pass(hodei: Run) -> None:
    told = hodei("run", "hello:1", "--id", "w1").stderr.splitlines()
    phases = [re.sub(r" \(after \d+\.\d s\)", "", line) for line in told if "(after " in line]
    assert phases[0] == "hodei-k8s: worker w1 scheduled on lab-node"
    assert phases[-1] in ("hodei-k8s: worker w1 started", "hodei-k8s: worker w1 ready")
    assert told.index("hodei-k8s: worker w1 created") < told.index(
        next(line for line in told if "scheduled on" in line)
    )


def test_run_of_a_worker_that_never_starts_says_so_in_a_sentence_with_the_verdict(
    hodei: Run, server: SimulatedServer
) -> None:
    result = hodei("run", "never:1", "--id", "w1", STARTUP_IMAGE_RETRIES="0")
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("hodei-k8s: the worker w1 will not start: ")
    assert "never:1" in last
    assert re.search(r"^hodei-k8s: worker w1 in trouble: image_unavailable: ", result.stderr, re.MULTILINE)
    assert "fault of" in result.stderr
    assert server.pods() == {}


def test_every_fault_of_the_options_is_told_at_once(hodei: Run, server: SimulatedServer) -> None:
    options = ["--env", "X", "--env", "A=1", "--env", "A=2", "--label", "y", "--cpu", "lots", "--memory", "1q"]
    line = one_line(hodei("run", "", *options, "--id", "A_b", "--max-lifetime", "-1", GRACE_PERIOD="zero"))
    for field in ("--env", "A is given twice", "--label", "--cpu", "--memory", "image", "worker_id", "max_lifetime"):
        assert field in line
    assert "HODEI_K8S_GRACE_PERIOD" in line
    assert server.requests == []


def test_the_variables_of_a_worker_reach_its_pod(hodei: Run, server: SimulatedServer) -> None:
    hodei("create", "hello:1", "--env", "A=b=c", "--env", "EMPTY=", "--label", "team=ci", "--cpu", "500m")
    (pod,) = server.pods().values()
    container = pod["spec"]["containers"][0]
    variables = {one["name"]: one.get("value", "") for one in container["env"]}
    assert (variables["A"], variables["EMPTY"]) == ("b=c", "")
    assert pod["metadata"]["labels"]["team"] == "ci"
    assert container["resources"]["requests"]["cpu"] == "500m"


# --- create, status, list, logs, destroy


def test_create_prints_the_id_alone(hodei: Run, server: SimulatedServer) -> None:
    result = hodei("create", "service:1")
    assert re.fullmatch(r"[0-9a-f]{8}\n", result.stdout)
    assert result.stderr == ""
    assert list(server.pods()) == [f"hodei-worker-{result.stdout.strip()}"]


def test_create_for_a_program_prints_the_handle(hodei: Run) -> None:
    handle = json.loads(hodei("create", "service:1", "--id", "w1", "-o", "json").stdout)
    assert (handle["worker_id"], handle["provider_resource_id"]) == ("w1", "hodei-worker-w1")


def test_creating_twice_is_refused_in_one_line(hodei: Run) -> None:
    hodei("create", "service:1", "--id", "w1")
    assert "another call made it" in one_line(hodei("create", "service:1", "--id", "w1"))


def test_status_for_a_person(hodei: Run, server: SimulatedServer) -> None:
    hodei("create", "service:1", "--id", "w1")
    assert server.wait_until(lambda: "READY" in hodei("status", "w1").stdout)
    rows = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in hodei("status", "w1").stdout.splitlines())
    assert rows["Worker"] == "w1"
    assert rows["Pod"] == "hodei-workers/hodei-worker-w1"
    assert (rows["State"], rows["Image"], rows["Node"]) == ("READY", "service:1", "lab-node")
    assert "Exit code" not in rows
    assert "Restarts" not in rows


def test_status_for_a_program(hodei: Run) -> None:
    hodei("create", "service:1", "--id", "w1")
    info = json.loads(hodei("status", "w1", "-o", "json").stdout)
    assert info["handle"]["worker_id"] == "w1"
    assert info["state"] in ("creating", "connecting", "ready")


def test_the_status_of_a_worker_that_is_not_there_is_terminated(hodei: Run) -> None:
    result = hodei("status", "w9")
    assert result.exit_code == 0
    assert "TERMINATED" in result.stdout
    assert "Gone" in result.stdout


def test_list_for_a_person_cuts_nothing(hodei: Run) -> None:
    long = "w" * 50
    for worker_id in (long, "w2"):
        hodei("create", "service:1", "--id", worker_id)
    header, *rows = hodei("list").stdout.splitlines()
    assert header.split() == ["WORKER", "STATE", "AGE", "RESTARTS", "EXIT", "JOB", "NODE", "REASON"]
    assert [row.split()[0] for row in rows] == ["w2", long]
    assert header.index("STATE") == rows[0].index(rows[0].split()[1])


def test_list_for_a_program(hodei: Run) -> None:
    assert hodei("list", "-o", "json").stdout == "[]\n"
    hodei("create", "service:1", "--id", "w1")
    assert [one["handle"]["worker_id"] for one in json.loads(hodei("list", "-o", "json").stdout)] == ["w1"]


def test_an_empty_list_says_so_beside_the_output(hodei: Run) -> None:
    result = hodei("list")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No workers.\n")


def test_what_comes_from_the_cluster_is_no_markup_and_commands_no_terminal(hodei: Run, server: SimulatedServer) -> None:
    hodei("create", "service:1", "--id", "w1")
    job = {"metadata": {"annotations": {"hodei.io/job-id": "[red]x[/red]\x1b[31m\ny"}}}
    with server.lock:
        server.cluster.handle(patch("hodei-worker-w1", job), server.now)
    for told in (hodei("list").stdout, hodei("status", "w1").stdout):
        assert "[red]x[/red]\ufffd[31m y" in told
        assert "\x1b" not in told


def test_logs_letter_for_letter(hodei: Run, server: SimulatedServer) -> None:
    hodei("create", "hello:1", "--id", "w1")
    assert server.wait_until(lambda: "TERMINATED" in hodei("status", "w1").stdout)
    assert hodei("logs", "w1").stdout == "hello\n  [bold]as it is[/bold]\n"
    assert hodei("logs", "w1", "--tail", "1").stdout == "  [bold]as it is[/bold]\n"
    assert hodei("logs", "w1", "--follow").stdout == "hello\n  [bold]as it is[/bold]\n"
    stamped = hodei("logs", "w1", "--timestamps").stdout.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00 hello", stamped[0])
    documents = [json.loads(line) for line in hodei("logs", "w1", "-o", "json").stdout.splitlines()]
    assert [one["message"] for one in documents] == ["hello", "  [bold]as it is[/bold]"]


def test_logs_of_a_worker_that_is_not_there_are_one_line_of_failure(hodei: Run) -> None:
    assert "w9" in one_line(hodei("logs", "w9"))


def test_the_log_of_a_run_that_is_over_cannot_be_followed(hodei: Run, server: SimulatedServer) -> None:
    assert "--previous" in one_line(hodei("logs", "w1", "--follow", "--previous"))
    assert server.requests == []


def test_destroy_returns_when_it_is_gone_and_can_be_repeated(hodei: Run, server: SimulatedServer) -> None:
    hodei("create", "service:1", "--id", "w1")
    assert hodei("destroy", "w1", "--grace-period", "1").stdout == "w1 is gone\n"
    assert server.pods() == {}
    again = hodei("destroy", "w1", "-o", "json")
    assert (again.exit_code, json.loads(again.stdout)) == (0, {"worker_id": "w1", "state": "gone"})


def test_of_several_workers_each_is_tried(hodei: Run, server: SimulatedServer) -> None:
    for worker_id in ("w1", "w2"):
        hodei("create", "service:1", "--id", worker_id)
    with server.lock:
        held = patch("hodei-worker-w1", {"metadata": {"finalizers": ["example.com/hold"]}})
        server.cluster.handle(held, server.now)
    result = hodei("destroy", "w1", "w2", "A_b", "--grace-period", "1", DESTROY_TIMEOUT="0.5")
    assert result.exit_code == 1
    assert result.stdout == "w2 is gone\n"
    first, second = result.stderr.splitlines()
    assert "held by its finalizers: example.com/hold" in first
    assert "worker_id" in second
    assert list(server.pods()) == ["hodei-worker-w1"]


def test_a_grace_period_of_nothing_is_refused_and_force_is_named(hodei: Run, server: SimulatedServer) -> None:
    result = hodei("destroy", "w1", "--grace-period", "0")
    assert result.exit_code == 1
    assert "force" in result.stderr
    assert server.requests == []


def test_destroy_by_force_removes_the_record(hodei: Run, server: SimulatedServer) -> None:
    hodei("create", "service:1", "--id", "w1")
    assert hodei("destroy", "w1", "--force").exit_code == 0
    assert server.pods() == {}


# --- health, and failures that every command can meet


def test_health_of_a_cluster_that_answers(hodei: Run) -> None:
    assert re.fullmatch(r"healthy \(\d+ ms\)\n", hodei("health").stdout)
    assert json.loads(hodei("health", "-o", "json").stdout)["health"] == "healthy"


def test_health_without_a_permission_is_degraded(hodei: Run, server: SimulatedServer) -> None:
    server.cluster.denied = frozenset({("list", "pods")})
    result = hodei("health")
    assert result.exit_code == 0
    assert result.stdout.startswith("degraded")


def test_health_of_nothing_is_an_exit_code(hodei: Run, server: SimulatedServer) -> None:
    result = hodei("--namespace", "nowhere", "health")
    assert result.exit_code == 1
    assert result.stdout.startswith("unhealthy: the namespace nowhere does not exist")


def test_a_server_that_cannot_be_reached_is_one_line(hodei: Run, server: SimulatedServer) -> None:
    server.plan.add(Rule("", "", LoseRequest(), times=None))
    line = one_line(hodei("list", RETRY_MAX_ATTEMPTS="1"))
    assert "could not be reached" in line


def test_a_kubeconfig_that_is_not_there_is_one_line(hodei: Run) -> None:
    assert "/nowhere/config" in one_line(hodei("--kubeconfig", "/nowhere/config", "list"))


def test_a_context_that_is_not_there_is_one_line(hodei: Run) -> None:
    assert "staging" in one_line(hodei("--context", "staging", "list"))


@pytest.mark.parametrize("command", [["list"], ["health"], ["status", "w"], ["logs", "w"], ["destroy", "w"]])
def test_bad_settings_are_one_line_with_every_fault(hodei: Run, command: list[str]) -> None:
    result = hodei("--namespace", "A_b", *command, REQUEST_TIMEOUT="soon", NAMESPCE="x")
    line = one_line(result)
    for word in ("HODEI_K8S_REQUEST_TIMEOUT", "HODEI_K8S_NAMESPCE"):
        assert word in line


def test_options_stand_over_the_environment(hodei: Run, server: SimulatedServer) -> None:
    hodei("--provider-id", "other", "create", "service:1", "--id", "w1", PROVIDER_ID="mine")
    assert server.pods()["hodei-worker-w1"]["metadata"]["labels"]["hodei.io/provider-id"] == "other"


def test_a_wrong_option_is_a_usage_error(hodei: Run) -> None:
    result = hodei("list", "--bogus")
    assert result.exit_code == 2
    assert "--bogus" in result.stderr


# --- recording


def test_what_was_recorded_can_be_replayed_and_holds_no_secret(hodei: Run, tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    result = hodei("--record", str(path), "create", "service:1", "--id", "w1", "--env", "PASSWORD=geheim-1234")
    assert result.exit_code == 0
    assert "geheim-1234" not in path.read_text()
    hodei("--record", str(path), "list")
    with KubernetesProvider.connect(KubernetesConfig(), channel=ReplayChannel(load_recording(path))) as provider:
        assert [info.worker_id for info in provider.list_workers()] == ["w1"]


def test_a_recording_that_cannot_be_written_is_one_line(hodei: Run, tmp_path: Path) -> None:
    assert "--record" in one_line(hodei("--record", str(tmp_path / "no" / "file"), "list"))


# --- the rest


@pytest.mark.parametrize("command", ["run", "create", "status", "logs", "list", "destroy", "health", ""])
def test_help_has_an_example(hodei: Run, command: str) -> None:
    result = hodei(*command.split(), "--help")
    assert result.exit_code == 0
    assert "hodei-k8s" in result.stdout
    assert "Example" in result.stdout


def test_the_version(hodei: Run) -> None:
    result = hodei("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("hodei-k8s ")


@pytest.mark.parametrize(
    ("seconds", "told"), [(None, ""), (-5, "0s"), (119, "119s"), (120, "2m"), (7200, "2h"), (172_800, "2d")]
)
def test_ages(seconds: float | None, told: str) -> None:
    assert age(None if seconds is None else 1000.0 - seconds, 1000.0) == told


def test_control_characters_are_seen_and_not_obeyed() -> None:
    assert plain("a\x1b]0;title\x07b\r\n  c é") == "a\ufffd]0;title\ufffdb c é"


def ended(**fields: Any) -> Any:
    from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState

    handle = WorkerHandle(worker_id="w1", provider_resource_id="p", provider_id="k", created_at=0.0)
    return WorkerInfo(handle=handle, state=WorkerState.TERMINATED, **fields)


@pytest.mark.parametrize(
    ("fields", "told", "code"),
    [
        ({"exit_code": 0, "reason": "Completed"}, "exited with code 0", 0),
        ({"exit_code": 3, "reason": "Error"}, "exited with code 3", 3),
        ({"exit_code": 143, "signal": "SIGTERM"}, "exited with code 143 (SIGTERM)", 143),
        ({"exit_code": 256}, "exited with code 256", 0),
        ({"reason": "Gone", "message": "no Pod"}, "ended before it ran: Gone no Pod", 1),
        ({"exit_code": 1, "termination_message": "disk\nfull"}, "exited with code 1: disk full", 1),
    ],
)
def test_how_it_ended(fields: dict[str, Any], told: str, code: int) -> None:
    assert (how_it_ended(ended(**fields)), exit_code(ended(**fields))) == (told, code)
