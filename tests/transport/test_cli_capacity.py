"""`hodei-k8s capabilities` and `hodei-k8s fits` on a simulated cluster."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hodei_k8s_transport.cli.app import app
from tests.transport.simulated_server import SimulatedServer

Run = Callable[..., Result]
AMD, ARM = "kubernetes.io/arch=amd64", "kubernetes.io/arch=arm64"


def node(name: str, cpu: str, *labels: str, **devices: str) -> dict[str, object]:
    pairs = dict(label.split("=") for label in labels)
    sizes = {"cpu": cpu, "memory": "8Gi", "ephemeral-storage": "20Gi", "pods": "10", **devices}
    return {"metadata": {"name": name, "labels": pairs}, "status": {"allocatable": sizes}}


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer() as running:
        running.cluster.add("nodes", node("a", "4", AMD, "topology.kubernetes.io/zone=z1"))
        running.cluster.add("nodes", node("b", "8", ARM, "nvidia.com/gpu.product=A100", **{"nvidia.com/gpu": "2"}))
        status = {"hard": {"requests.cpu": "20"}, "used": {"requests.cpu": "500m"}}
        quota = {"metadata": {"name": "team", "namespace": "hodei-workers"}, "status": status}
        running.cluster.add("resourcequotas", quota)
        running.cluster.add("storageclasses", {"metadata": {"name": "fast"}})
        running.cluster.add("runtimeclasses", {"metadata": {"name": "gvisor"}, "handler": "runsc"})
        running.cluster.add("priorityclasses", {"metadata": {"name": "low"}, "value": 1})
        yield running


@pytest.fixture
def hodei(server: SimulatedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in [name for name in os.environ if name.startswith("HODEI_K8S_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KUBECONFIG", str(server.write_kubeconfig(tmp_path / "config")))

    def run(*arguments: str, **variables: str) -> Result:
        result = CliRunner().invoke(app, arguments, env={f"HODEI_K8S_{key}": value for key, value in variables.items()})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def test_capabilities_as_a_table(hodei: Run) -> None:
    result = hodei("capabilities")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split("   ") for line in result.stdout.splitlines()]
    told = {line[0].strip(): line[-1].strip() for line in lines if line[0]}
    assert told["Largest worker now"] == "8 cpu, 8Gi, 2 nvidia.com/gpu"
    assert told["Head-room"] == "12 cpu, 16Gi, 2 nvidia.com/gpu"
    assert told["Regions"] == "z1"
    assert told["Storage classes"] == "fast"
    assert "4 cpu 8Gi amd64" in told
    assert "A100" in result.stdout
    assert [cell.strip() for cell in lines[-1] if cell.strip()] == ["team", "requests.cpu", "500m", "20"]


def test_capabilities_for_a_program(hodei: Run) -> None:
    found = json.loads(hodei("capabilities", "--output", "json").stdout)
    assert found["capabilities"]["max_resources"]["max_cpu_cores"] == 8
    assert found["groups"][0]["usable"] == 1


def test_a_declared_pool_is_shown_as_one(hodei: Run) -> None:
    result = hodei("capabilities", NODE_POOLS='[{"name": "big", "cpu": "64", "memory": "256Gi"}]')
    assert "big (a declared pool)" in result.stdout
    assert "Largest worker ever   20 cpu, 256Gi" in result.stdout  # the quota


def test_what_may_not_be_read_is_said(hodei: Run, server: SimulatedServer) -> None:
    server.cluster.denied = frozenset({("list", "nodes")})
    result = hodei("capabilities")
    assert result.exit_code == 0
    assert "Largest worker now    not known" in result.stdout
    assert "hodei-k8s: not known: nodes: not permitted" in result.stderr
    fits = hodei("fits")
    assert (fits.exit_code, fits.stdout.splitlines()[0]) == (1, "not known")


@pytest.mark.parametrize(
    ("options", "code", "answer", "why"),
    [
        ((), 0, "yes, now", ""),
        (("--cpu", "4", "--memory", "8Gi", "--gpu", "1", "--arch", "arm64"), 0, "yes, now", ""),
        (("--gpu", "1", "--gpu-type", "A100", "--confirm"), 0, "yes, now", ""),
        (("--cpu", "9"), 1, "no", "8 cpu 8Gi 2 nvidia.com/gpu arm64 (1 node): too little cpu: 9 wanted, 8 in all"),
        (("--arch", "arm"), 1, "no", "not the architecture arm"),
        (("--region", "z2", "--region", "z3"), 1, "no", "not the place topology.kubernetes.io/zone In (z2, z3)"),
        (("--capability", "docker"), 1, "no", "not the capability docker"),
        (("--label", "disk=fast"), 1, "no", "not the label disk=fast"),
        (("--cpu", "21"), 1, "no", "quota team has too little requests.cpu in all, short by 1"),
    ],
)
def test_whether_it_fits(hodei: Run, options: tuple[str, ...], code: int, answer: str, why: str) -> None:
    result = hodei("fits", *options)
    assert (result.exit_code, result.stdout.splitlines()[0], result.stderr) == (code, answer, "")
    assert why in result.stdout


def test_it_fits_on_a_node_to_come(hodei: Run) -> None:
    result = hodei("fits", "--cpu", "16", NODE_POOLS='[{"name": "big", "cpu": "64", "memory": "256Gi"}]')
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "yes, on a node that an autoscaler would add")


def test_the_answer_for_a_program(hodei: Run) -> None:
    result = hodei("fits", "--cpu", "9", "--output", "json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["fit"], len(found["explanation"])) == (1, "never", 2)
    assert found["groups"][0]["reasons"][0]["rule"] == "resource"


def test_pods_of_lower_priority_and_what_is_not_weighed_are_told(hodei: Run, server: SimulatedServer) -> None:
    resources = {"requests": {"cpu": "8"}}
    for name in ("a", "b"):
        spec = {"nodeName": name, "priority": -5, "containers": [{"name": "c", "resources": resources}]}
        server.cluster.add("pods", {"metadata": {"name": name, "namespace": "other"}, "spec": spec})
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "x"}]}}
    result = hodei("fits", AFFINITY=json.dumps(affinity))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].startswith("not now")
    assert "in place of Pods of lower priority" in result.stdout
    assert "not weighed: anti-affinity to other Pods" in result.stderr


def test_options_that_are_wrong_are_all_told(hodei: Run) -> None:
    result = hodei("fits", "--cpu", "lots", "--memory", "x", "--label", "a")
    assert result.exit_code == 1
    assert all(word in result.stderr for word in ("--cpu", "--memory", "--label"))


# --- the same words for a worker that is made


def test_where_a_worker_is_to_run_reaches_its_pod(hodei: Run, server: SimulatedServer) -> None:
    sizes = ["--disk", "3Gi", "--gpu", "2", "--gpu-type", "amd.com/gpu"]
    nodes = ["--arch", "arm64", "--capability", "docker", "--node-selector", "pool=ci", "--node-selector", "x="]
    taints = ["--toleration", "a=b:NoExecute", "--toleration", "c"]
    classes = ["--priority-class", "low", "--runtime-class", "gvisor"]
    result = hodei("create", "service:1", *sizes, *nodes, *taints, *classes)
    assert result.exit_code == 0, result.stderr
    (pod,) = server.pods().values()
    spec = pod["spec"]
    limits = spec["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": "1", "memory": "512Mi", "ephemeral-storage": "3Gi", "amd.com/gpu": "2"}
    assert spec["nodeSelector"] == {
        "pool": "ci",
        "x": "",
        "kubernetes.io/arch": "arm64",
        "capability.hodei.io/docker": "true",
    }
    assert [toleration["key"] for toleration in spec["tolerations"]] == ["a", "c", "kubernetes.io/arch", "amd.com/gpu"]
    assert (spec["priorityClassName"], spec["runtimeClassName"]) == ("low", "gvisor")


def test_every_fault_of_these_options_is_told_at_once(hodei: Run) -> None:
    wrong = ["--disk", "1q", "--node-selector", "pool", "--toleration", "a:Never", "--toleration", ",", "--gpu", "-1"]
    result = hodei("run", "service:1", *wrong, "--priority-class", "A_b")
    assert result.exit_code == 1
    for word in (
        "--disk",
        "--node-selector",
        "--toleration[0].effect",
        "--toleration: ",
        "gpu_count",
        "priority_class",
    ):
        assert word in result.stderr


def test_fits_counts_the_disk(hodei: Run) -> None:
    assert hodei("fits", "--disk", "19Gi").exit_code == 0
    assert hodei("fits", "--disk", "21Gi").exit_code == 1
