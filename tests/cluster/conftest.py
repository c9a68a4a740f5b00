"""The tests against an API server: on with HODEI_K8S_TEST=1, in a namespace that the session makes and deletes.

They need `kubectl` on the PATH, a kubeconfig, and the images localhost/worker:1 and :2 (busybox) on the node. With
HODEI_K8S_TEST=simulated those that need no kubelet, no TLS and no accounts run, unchanged, against the simulated API
server; with HODEI_K8S_TEST=1,simulated all run, and those twice.
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
from hodei_k8s_transport.simulation import SimulatedServer, playground
from tests.cluster.hosts import HOSTS, Host
from tests.cluster.lab import Kubectl, Lab, why_no_lab

HERE = Path(__file__).parent
SWITCH = "HODEI_K8S_TEST"
IMAGE = "localhost/worker:1"
PROVIDER_ID = "cluster-tests"
NAMESPACE_LIMIT = 120  # seconds until a namespace with everything in it is gone


REAL, SIMULATED = "real", "simulated"
CHOSEN = [{"1": REAL}.get(word, word) for word in os.environ.get(SWITCH, "").split(",") if word]
ON_SIMULATED = {"test_workers", "test_whole_life", "test_command_line", "test_capabilities", "test_admission_judges"}
ON_SIMULATED |= {"test_conformance", "test_scheduler_judges"}
NEEDS_A_REAL_ONE = {
    "test_a_create_whose_reply_is_lost_adopts_its_own_pod": "the proxy that severs speaks TLS",
    "test_the_states_of_a_life_in_their_order": "a kubelet runs readiness probes",
    "test_a_permission_that_is_missing_is_said": "there are no accounts and no roles",
    "test_the_scheduler_takes_away_what_we_say_it_may": "the simulated scheduler does not preempt",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    off = pytest.mark.skip(reason=f"needs a real cluster: set {SWITCH}=1")
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.cluster)
            if not CHOSEN:
                item.add_marker(off)
            elif (why := _why_not_simulated(item)) is not None:
                item.add_marker(pytest.mark.skip(reason=why))


def _why_not_simulated(item: pytest.Item) -> str | None:
    """Why a test cannot run on the simulated API server, if it was to."""
    which = getattr(getattr(item, "callspec", None), "params", {}).get("kubeconfig")
    if which is None and REAL not in CHOSEN:
        return "brings a cluster of its own"
    if which != SIMULATED:
        return None
    if item.path.stem not in ON_SIMULATED:
        return "needs a kubelet, TLS or accounts"
    return NEEDS_A_REAL_ONE.get(getattr(item, "originalname", item.name))


@pytest.fixture(scope="session", params=CHOSEN or [REAL])
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The current one, or that of a simulated API server. With the switch on, its absence is a failure."""
    if shutil.which("kubectl") is None:
        pytest.fail(f"{SWITCH}={os.environ[SWITCH]} needs kubectl on the PATH")
    if request.param == REAL:
        path = Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
        if not path.is_file():
            pytest.fail(f"{SWITCH}=1 needs a kubeconfig; {path} is not there (KUBECONFIG names another)")
        yield path
        return
    with SimulatedServer(playground()) as server, pytest.MonkeyPatch.context() as patch:
        path = server.write_kubeconfig(tmp_path_factory.mktemp("simulated") / "config")
        patch.setenv("KUBECONFIG", str(path))
        yield path


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
