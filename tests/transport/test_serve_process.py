"""`hodei-k8s serve` as a process of its own: signals, logs, and a leader that the system stops for a while."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.simulation import Behaviour, Cluster
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_transport.provider import KubernetesProvider
from tests.transport.serving import config_for
from tests.transport.simulated_server import SimulatedServer

ROOT = Path(__file__).parents[2]
LIMIT = 60.0
BEHAVIOURS = {"job:1": Behaviour(exit_code=0, run=0.0), "service:1": Behaviour()}


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer(Cluster(behaviours=BEHAVIOURS)) as running:
        yield running


class Process:
    """One `serve`; what it logs is read as it comes."""

    def __init__(self, target: list[str], *arguments: str, **variables: str) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("HODEI_K8S_")}
        environ |= {"HODEI_K8S_RECONCILE_INTERVAL": "0.3", "HODEI_K8S_RECONCILE_MIN_AGE": "0", **variables}
        options = [*target, "serve", "--host", "127.0.0.1", "--port", "0"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hodei_k8s_transport", *options, *arguments],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self.lines)]

    def has_told(self, message: str) -> bool:
        return any(message in one["message"] for one in self.told)

    def page(self, path: str) -> str:
        port = next(one["port"] for one in self.told if one["message"] == "serving")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=LIMIT) as reply:
            return str(reply.read().decode())

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            self.lines.extend(iter(lines.readline, ""))


Start = Callable[..., Process]


@pytest.fixture
def start(server: SimulatedServer, tmp_path: Path) -> Iterator[Start]:
    kubeconfig = server.write_kubeconfig(tmp_path / "config")
    running: list[Process] = []

    def begin(*arguments: str, target: list[str] | None = None, **variables: str) -> Process:
        usual = ["--kubeconfig", str(kubeconfig), "--provider-id", "ci"]
        running.append(Process(usual if target is None else target, *arguments, **variables))
        return running[-1]

    yield begin
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_signal_ends_it_gracefully(server: SimulatedServer, start: Start, backend: str) -> None:
    process = start("--backend", backend)
    assert server.wait_until(lambda: process.has_told("this process leads"), LIMIT)
    assert process.page("/livez") == "ok\n"
    assert process.end(signal.SIGTERM if backend == "trio" else signal.SIGINT) == 0
    assert server.lease_holders == [""]
    assert server.open_connections == 0
    messages = [one["message"] for one in process.told]
    assert messages[0] == "serving"
    assert messages[-1] == "ended"
    assert all(one["level"] == "info" for one in process.told)


def test_a_leader_that_is_stopped_for_a_while_finds_another_in_its_place(
    server: SimulatedServer, start: Start, tmp_path: Path
) -> None:
    first = start("--identity", "first", "--lease-duration", "3")
    assert server.wait_until(lambda: first.has_told("this process leads"), LIMIT)
    second = start("--identity", "second", "--lease-duration", "3")
    assert server.wait_until(lambda: second.has_told("the watch is synced"), LIMIT)
    first.process.send_signal(signal.SIGSTOP)
    assert server.wait_until(lambda: second.has_told("this process leads"), LIMIT)
    first.process.send_signal(signal.SIGCONT)
    assert server.wait_until(lambda: first.has_told("does not lead any more"), LIMIT)
    config = config_for(server.write_kubeconfig(tmp_path / "config"))
    with KubernetesProvider.connect(config, environ={}) as provider:
        provider.create_worker(WorkerSpec(worker_id="stays", image="service:1"))
        provider.create_worker(WorkerSpec(worker_id="goes", image="job:1", ttl_after_completion=0.0))
    assert server.wait_until(lambda: "hodei-worker-goes" not in server.pods(), LIMIT)
    assert "hodei-worker-stays" in server.pods()
    assert [one.end() for one in (second, first)] == [0, 0]
    gone = [one["worker_id"] for process in (first, second) for one in process.told if "destroy" in one["message"]]
    assert gone == ["goes"]


def test_several_clusters_from_a_file(server: SimulatedServer, start: Start, tmp_path: Path) -> None:
    kubeconfig = server.write_kubeconfig(tmp_path / "config")
    own = f"kubeconfig_path: {kubeconfig}"
    (tmp_path / "c.yaml").write_text(f"clusters:\n- {{provider_id: a, {own}}}\n- {{provider_id: b, {own}}}\n")
    process = start(target=[], HODEI_K8S_CLUSTERS=str(tmp_path / "c.yaml"))
    assert server.wait_until(lambda: process.has_told("serving"), LIMIT)
    assert [one["provider_id"] for one in json.loads(process.page("/fleet"))["clusters"]] == ["a", "b"]
    assert process.end() == 0


def test_bad_settings_are_told_all_at_once(start: Start) -> None:
    process = start(HODEI_K8S_GRACE_PERIOD="-1", HODEI_K8S_NAMESPACE="Not A Name")
    assert process.process.wait(LIMIT) == 1
    process._reader.join(LIMIT)
    (line,) = process.lines
    assert "HODEI_K8S_GRACE_PERIOD" in line
    assert "HODEI_K8S_NAMESPACE" in line
