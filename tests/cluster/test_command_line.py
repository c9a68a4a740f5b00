"""`hodei-k8s` as a process of its own, against the real cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.conftest import IMAGE, PROVIDER_ID
from tests.cluster.lab import Kubectl

ROOT = Path(__file__).parents[2]
LIMIT = 60.0
Popen = subprocess.Popen[str]


@pytest.fixture
def hodei(kubeconfig: Path, namespace: str) -> Callable[..., Popen]:
    """`hodei("run", IMAGE)`: the command line, with its output in pipes."""
    settings = {"HODEI_K8S_NAMESPACE": namespace, "HODEI_K8S_PROVIDER_ID": PROVIDER_ID, "KUBECONFIG": str(kubeconfig)}

    def start(*arguments: str) -> Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "hodei_k8s_transport", *arguments],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def end(process: Popen) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LIMIT)
    assert "Traceback" not in err
    return process.returncode, out, err


def pods_of(kubectl: Kubectl, worker_id: str) -> int:
    return len(kubectl.json("get", "pods", "--selector", f"hodei.io/worker-id={worker_id}")["items"])


def test_run_prints_hello_says_why_it_ended_exits_3_and_leaves_no_pod(
    hodei: Callable[..., Popen], kubectl: Kubectl
) -> None:
    code, out, err = end(hodei("run", IMAGE, "--id", "cli-run", "--", "sh", "-c", "echo hello; exit 3"))
    assert (code, out) == (3, "hello\n"), err
    assert err.splitlines()[-1] == "hodei-k8s: worker cli-run exited with code 3"
    assert pods_of(kubectl, "cli-run") == 0


def test_a_signal_destroys_the_worker(hodei: Callable[..., Popen], kubectl: Kubectl) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done"
    process = hodei("run", IMAGE, "--id", "cli-int", "--", "sh", "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)  # as Ctrl-C, but heard in the background of a script too
    code, _, err = end(process)
    assert code == 130, err
    assert pods_of(kubectl, "cli-int") == 0


def test_a_worker_from_create_to_destroy(hodei: Callable[..., Popen], kubectl: Kubectl) -> None:
    script = "echo one; echo two; trap 'exit 0' TERM; while :; do sleep 0.1; done"
    code, out, err = end(hodei("create", IMAGE, "--id", "cli-life", "--", "sh", "-c", script))
    assert (code, out) == (0, "cli-life\n"), err
    kubectl("wait", "--for=condition=Ready", "pod/hodei-worker-cli-life", "--timeout=60s", limit=70)
    assert json.loads(end(hodei("status", "cli-life", "--output", "json"))[1])["state"] == "ready"
    assert "cli-life" in end(hodei("list"))[1]
    assert end(hodei("logs", "cli-life"))[1] == "one\ntwo\n"
    assert end(hodei("destroy", "cli-life", "--grace-period", "2"))[:2] == (0, "cli-life is gone\n")
    assert pods_of(kubectl, "cli-life") == 0
    assert end(hodei("destroy", "cli-life"))[0] == 0


def test_health(hodei: Callable[..., Popen]) -> None:
    code, out, _ = end(hodei("health", "--output", "json"))
    assert code == 0
    assert json.loads(out)["health"] in ("healthy", "degraded")
