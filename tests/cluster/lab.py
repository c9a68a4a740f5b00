"""kubectl, and the switches of a cluster whose parts a test may break."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "shared" / "cluster" / "cluster"
COMMAND_LIMIT = 180.0  # seconds: starting the API server again is the slowest


class Kubectl:
    """`kubectl("get", "pods")` gives what it prints, `.json(...)` the object. A failure fails the test."""

    def __init__(self, kubeconfig: Path, namespace: str | None = None) -> None:
        self._kubeconfig = kubeconfig
        self._namespace = namespace

    def in_namespace(self, namespace: str) -> Kubectl:
        return Kubectl(self._kubeconfig, namespace)

    def run(self, *args: str, stdin: str | None = None, limit: float = 60.0) -> subprocess.CompletedProcess[str]:
        """The outcome, whatever it is. `limit` in seconds."""
        namespace = ["--namespace", self._namespace] if self._namespace else []
        return subprocess.run(
            ["kubectl", *namespace, *args],
            input=stdin or "",
            env={**os.environ, "KUBECONFIG": str(self._kubeconfig)},
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )

    def __call__(self, *args: str, stdin: str | None = None, limit: float = 60.0) -> str:
        done = self.run(*args, stdin=stdin, limit=limit)
        if done.returncode:
            pytest.fail(f"kubectl {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout

    def json(self, *args: str) -> Any:
        return json.loads(self(*args, "--output", "json"))

    def apply(self, manifest: Any) -> str:
        return self("apply", "--filename", "-", stdin=json.dumps(manifest))


class Lab:
    """Breaks parts (etcd, apiserver, controller-manager, scheduler, containerd, kubelet) and mends them."""

    def __init__(self) -> None:
        self._touched: set[str] = set()

    def kill(self, part: str) -> None:
        """SIGKILL; `start` brings it back."""
        self._break("kill", part)

    def stop(self, part: str) -> None:
        """SIGTERM; `start` brings it back."""
        self._break("stop", part)

    def pause(self, part: str) -> None:
        """SIGSTOP: its connections stay open and go silent, until `resume`."""
        self._break("pause", part)

    def start(self, part: str) -> None:
        _switch("start", part)

    def resume(self, part: str) -> None:
        _switch("resume", part)

    def mend(self) -> None:
        """Everything that a test broke runs again."""
        for part in sorted(self._touched):
            done = subprocess.run([SCRIPT, "resume", part], capture_output=True, timeout=COMMAND_LIMIT, check=False)
            if done.returncode:  # not running
                _switch("start", part)
        self._touched.clear()

    def _break(self, verb: str, part: str) -> None:
        self._touched.add(part)
        _switch(verb, part)


def why_no_lab(kubeconfig: Path) -> str:
    """Why parts of this cluster cannot be broken here; empty when they can."""
    if not SCRIPT.exists():
        return "needs the switches of ../shared/cluster, which is not here"
    status = subprocess.run([SCRIPT, "status"], capture_output=True, timeout=COMMAND_LIMIT, check=False)
    if status.returncode:
        return "needs the cluster of ../shared/cluster, which does not run"
    if kubeconfig.resolve() != _kubeconfig_of_the_lab().resolve():
        return "needs the cluster of ../shared/cluster, and the current kubeconfig names another"
    return ""


def _kubeconfig_of_the_lab() -> Path:
    words = _switch("env").split()
    return Path(next(word.removeprefix("KUBECONFIG=") for word in words if word.startswith("KUBECONFIG=")))


def _switch(*args: str) -> str:
    return subprocess.run([SCRIPT, *args], capture_output=True, text=True, timeout=COMMAND_LIMIT, check=True).stdout
