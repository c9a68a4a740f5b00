"""The tests against a real API server: on with HODEI_K8S_TEST=1, in a namespace that the session makes and deletes.

They need `kubectl` on the PATH, a kubeconfig, and the images localhost/worker:1 and :2 (busybox) on the node.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.spec import WorkerSpec
from tests.cluster.hosts import HOSTS, Host
from tests.cluster.lab import Kubectl, Lab, why_no_lab

HERE = Path(__file__).parent
SWITCH = "HODEI_K8S_TEST"
IMAGE = "localhost/worker:1"
PROVIDER_ID = "cluster-tests"
NAMESPACE_LIMIT = 120  # seconds until a namespace with everything in it is gone


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    off = pytest.mark.skip(reason=f"needs a real cluster: set {SWITCH}=1")
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.cluster)
            if os.environ.get(SWITCH) != "1":
                item.add_marker(off)


@pytest.fixture(scope="session")
def kubeconfig() -> Path:
    """The current one. With the switch on, its absence is a failure, not a reason to skip."""
    path = Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    if not path.is_file():
        pytest.fail(f"{SWITCH}=1 needs a kubeconfig; {path} is not there (KUBECONFIG names another)")
    if shutil.which("kubectl") is None:
        pytest.fail(f"{SWITCH}=1 needs kubectl on the PATH")
    return path


@pytest.fixture(scope="session")
def namespace(kubeconfig: Path) -> Iterator[str]:
    """A namespace of this session's own, deleted at its end."""
    name = f"hodei-test-{secrets.token_hex(4)}"
    kubectl = Kubectl(kubeconfig)
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        _wait_for_account(kubectl.in_namespace(name))
        yield name
    finally:
        kubectl("delete", "namespace", name, f"--timeout={NAMESPACE_LIMIT}s", limit=NAMESPACE_LIMIT + 10)


def _wait_for_account(kubectl: Kubectl) -> None:
    """Until then every Pod is refused."""
    until = time.monotonic() + 30
    while kubectl.run("get", "serviceaccount", "default").returncode:
        assert time.monotonic() < until, "the namespace got no default service account"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def kubectl(kubeconfig: Path, namespace: str) -> Kubectl:
    """`kubectl(...)` in the session's namespace."""
    return Kubectl(kubeconfig, namespace)


@pytest.fixture
def lab(kubeconfig: Path) -> Iterator[Lab]:
    """Breaks parts of the cluster; what a test broke is mended after it."""
    if reason := why_no_lab(kubeconfig):
        pytest.skip(reason)
    switches = Lab()
    try:
        yield switches
    finally:
        switches.mend()


@pytest.fixture(scope="session")
def config(namespace: str) -> KubernetesConfig:
    return KubernetesConfig(namespace=namespace, provider_id=PROVIDER_ID)


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest, config: KubernetesConfig) -> Host:
    """Each of the three hosts in turn."""
    return Host(request.param, config)


@pytest.fixture
def anyio_backend(host: Host) -> str:
    """The event loop of a test; that of `sync` only waits for its threads."""
    return "trio" if host.kind == "trio" else "asyncio"


@pytest.fixture
def new_spec() -> Callable[..., WorkerSpec]:
    """`new_spec("echo hello")`: a worker that runs a shell script; other fields as given."""

    def make(script: str, **fields: Any) -> WorkerSpec:
        defaults: dict[str, Any] = {
            "worker_id": f"w-{secrets.token_hex(5)}",
            "image": IMAGE,
            "server_address": "hodei.test:9090",
        }
        return WorkerSpec(**{**defaults, "command": ["sh", "-c", script], **fields})

    return make
