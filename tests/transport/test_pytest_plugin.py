"""The pytest plugin: the example of the README, run as it stands, and what the fixtures offer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import anyio
import pytest

from hodei_k8s_core.simulation import LoseRequest
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.provider import KubernetesProvider
from hodei_k8s_transport.testing.simulated_kubernetes import SimulatedKubernetes

ROOT = Path(__file__).parents[2]
PLUGIN = "hodei_k8s_transport.testing.pytest_plugin"
EXAMPLE = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)[3]
SPEC = WorkerSpec(worker_id="a", image="x:1", server_address="h:1")


def run_pytest(test: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A host's own test, with no other plugin than this one."""
    (folder / "test_host.py").write_text(test)
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "pytest", "-q", "-p", PLUGIN, "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    done = run_pytest(EXAMPLE, tmp_path)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_a_test_of_a_host_can_fail(tmp_path: Path) -> None:
    done = run_pytest(EXAMPLE.replace("oom-killed", "succeeds"), tmp_path)
    assert "1 failed, 1 passed" in done.stdout


def test_it_is_installed_with_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"hodei_k8s": PLUGIN}


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    program = f"import {PLUGIN}, sys; print('hodei_k8s_core.simulation' in sys.modules, 'httpx' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split()[0] == "False"


def test_what_a_test_can_say_and_see() -> None:
    kubernetes = SimulatedKubernetes()
    kubernetes.behave("x:1", "never-ready")
    kubernetes.fail("list", "pods", LoseRequest(), times=2)
    with KubernetesProvider.connect(kubernetes.config, channel=kubernetes.channel) as provider:
        handle = provider.create_worker(SPEC)
        kubernetes.advance(3600.0)
        assert provider.get_worker_status(handle) is WorkerState.CONNECTING
        assert len(provider.list_workers()) == 1
        assert [one.method for one in kubernetes.faulty_requests] == ["GET", "GET"]
        assert kubernetes.pod_names == ["hodei-worker-a"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_have_a_channel_too(backend: str) -> None:
    kubernetes = SimulatedKubernetes()

    async def main() -> None:
        channel = kubernetes.async_channel()
        async with AsyncKubernetesProvider.connect(kubernetes.config, channel=channel) as provider:
            handle = await provider.create_worker(SPEC)
            assert (await provider.wait_for_worker(handle)).state is WorkerState.READY

    anyio.run(main, backend=backend)
