"""The command line's own cluster: `run --simulated`, and `simulate`, which the real kubectl works against."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_transport.channels.recording.exchange_file import load_recording
from hodei_k8s_transport.cli.app import app
from hodei_k8s_transport.provider import KubernetesProvider

ROOT = Path(__file__).parents[2]
LIMIT = 15.0
needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl on the PATH")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No cluster and no setting is known."""
    for name in [name for name in os.environ if name.startswith("HODEI_K8S_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    monkeypatch.setenv("HOME", str(tmp_path))


def hodei(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize(
    ("arguments", "code", "printed"),
    [
        (("run", "--simulated", "--", "echo", "hello"), 0, "hello\n"),
        (("run", "--simulated", "busybox:1.36", "--", "sh", "-c", "echo hello; exit 3"), 3, "hello\n"),
        (("run", "--id", "x", "--simulated", "--env", "A=1", "--", "sh", "-c", "echo $A $HODEI_WORKER_ID"), 0, "1 x\n"),
        (("run", "--simulated", "--label", "simulation/behaviour=oom-killed", "--", "true"), 137, ""),
    ],
)
def test_a_worker_runs_without_a_cluster(arguments: tuple[str, ...], code: int, printed: str) -> None:
    result = hodei(*arguments)
    assert (result.exit_code, result.stdout) == (code, printed), result.output


def test_without_it_an_image_is_needed() -> None:
    result = hodei("run", "--", "echo")
    assert result.exit_code == 1  # `echo` is the image, and no cluster is known
    assert "no cluster to connect to" in result.output
    assert hodei("run", "--simulated").exit_code == 2


def test_what_is_simulated_can_be_recorded(tmp_path: Path) -> None:
    result = hodei("--record", str(tmp_path / "r"), "run", "--simulated", "--", "echo", "hello")
    assert (result.exit_code, result.stdout) == (0, "hello\n")
    assert load_recording(tmp_path / "r").exchanges


# --- simulate


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """`hodei-k8s simulate` in a process of its own, and the kubeconfig that it wrote."""
    kubeconfig = tmp_path / "config"
    words = [
        sys.executable,
        "-m",
        "hodei_k8s_transport",
        "simulate",
        "--port",
        "0",
        "--write-kubeconfig",
        str(kubeconfig),
    ]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith("a simulated cluster at http://127.0.0.1:")
        yield process, kubeconfig
    finally:
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=LIMIT)
        assert process.returncode == 130, told
        assert "the simulated cluster is gone" in told


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_the_command_line_works_against_it(
    serving: tuple[subprocess.Popen[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(serving[1]))
    result = hodei("run", "any:1", "--", "sh", "-c", "echo hello; exit 3")
    assert (result.exit_code, result.stdout) == (3, "hello\n"), result.output
    assert hodei("list").exit_code == 0
    assert hodei("doctor").exit_code == 0


def test_a_port_that_is_taken_is_told(serving: tuple[subprocess.Popen[str], Path]) -> None:
    server = json.loads(serving[1].read_text())["clusters"][0]["cluster"]["server"]
    result = hodei("simulate", "--port", server.rpartition(":")[2])
    assert result.exit_code == 1
    assert "--port" in result.output


DEMO = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "demo", "labels": {"app": "demo"}},
    "spec": {
        "restartPolicy": "Never",
        "containers": [
            {
                "name": "main",
                "image": "any",
                "command": ["sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.3; done"],
            }
        ],
    },
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_runs_there_ends_with_it(number: signal.Signals, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "config"
    words = [
        sys.executable,
        "-m",
        "hodei_k8s_transport",
        "simulate",
        "--port",
        "0",
        "--write-kubeconfig",
        str(kubeconfig),
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        process.stdout.readline()
        script = f"echo $$ > {tmp_path}/pid; while :; do sleep 0.05; done"
        config = KubernetesConfig(kubeconfig_path=str(kubeconfig))
        with KubernetesProvider.connect(config) as provider:
            spec = WorkerSpec(worker_id="a", image="x:1", server_address="h:1", command=["sh", "-c", script])
            provider.wait_for_worker(provider.create_worker(spec))
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip() != "")
        pid = int((tmp_path / "pid").read_text())
        process.send_signal(number)
        process.wait(LIMIT)
    until(lambda: is_gone(pid))


@needs_kubectl
def test_the_real_kubectl_works_against_it(serving: tuple[subprocess.Popen[str], Path], tmp_path: Path) -> None:
    environ = {**os.environ, "KUBECONFIG": str(serving[1]), "HOME": str(tmp_path)}
    manifest = tmp_path / "pod.json"
    manifest.write_text(json.dumps(DEMO))

    def kubectl(*words: str) -> str:
        done = subprocess.run(
            ["kubectl", *words], env=environ, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def phase() -> str:
        return kubectl("get", "pod", "demo", "--output", "jsonpath={.status.phase}")

    assert kubectl("get", "nodes").split()[5:7] == ["simulated-node", "Ready"]
    watch = subprocess.Popen(
        ["kubectl", "get", "pods", "--watch", "--no-headers"], env=environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert kubectl("create", "--filename", str(manifest)) == "pod/demo created\n"
        until(lambda: phase() != "Pending")
        assert kubectl("logs", "--follow", "demo") == "line 1\nline 2\nline 3\n"
        until(lambda: phase() == "Succeeded")
        described = kubectl("describe", "pod", "demo")
        assert "Successfully assigned default/demo to simulated-node" in described
        assert "Container started" in described
        assert kubectl("label", "pod", "demo", "x=y") == "pod/demo labeled\n"
        assert kubectl("get", "pods", "--selector", "x=y", "--no-headers").split()[:3] == ["demo", "0/1", "Completed"]
        assert kubectl("delete", "pod", "demo").startswith('pod "demo" deleted')
        assert kubectl("get", "pods", "--output", "name") == ""
    finally:
        watch.terminate()
        told, _ = watch.communicate(timeout=LIMIT)
    states = [line.split()[2] for line in told.splitlines()]
    assert [state for state in ("Pending", "ContainerCreating", "Running", "Completed") if state not in states] == []
