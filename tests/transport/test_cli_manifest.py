"""`hodei-k8s manifest`, and the profiles and templates of the command line, on a simulated cluster."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from hodei_k8s_core.spec.sidecar import Sidecar
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.worker_spec import Architecture
from hodei_k8s_core.yaml_text import parse_yaml
from hodei_k8s_transport.cli.app import app
from hodei_k8s_transport.cli.commands import create, manifest
from hodei_k8s_transport.cli.manifest_yaml import manifest_yaml, without_secrets
from tests.transport.simulated_server import SimulatedServer

Run = Callable[..., Result]
PROFILES = '{"gpu": {"image": "agent:gpu", "node_selector": {"pool": "gpu"}}}'
TEMPLATE = """
spec:
  containers:
  - {name: proxy, image: 'p:1'}
"""


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer() as running:
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


def test_a_manifest_is_what_would_be_sent_and_asks_no_cluster(hodei: Run, server: SimulatedServer) -> None:
    arguments = ("job:1", "--id", "w1", "--env", "A=y", "--", "sh", "-c", "echo")
    printed = hodei("manifest", *arguments)
    assert (printed.exit_code, printed.stderr) == (0, "")
    assert server.requests == []
    spec = WorkerSpec(worker_id="w1", image="job:1", environment={"A": "y"}, command=["sh", "-c", "echo"])
    assert parse_yaml(printed.stdout.encode()) == build_worker_pod(spec, KubernetesConfig())
    assert json.loads(hodei("manifest", "-o", "json", *arguments).stdout) == build_worker_pod(spec, KubernetesConfig())


def test_it_has_every_option_of_a_create(hodei: Run) -> None:
    of_manifest, of_create = (signature(one.command).parameters for one in (manifest, create))
    others = {"create_namespace", "output"}
    assert [(name, of_manifest[name].default) for name in of_create if name not in others] == [
        (name, parameter.default) for name, parameter in of_create.items() if name not in others
    ]
    placed = ("--gpu", "1", "--arch", "arm64", "--disk", "2Gi", "--node-selector", "a=b", "--toleration", "c")
    more = (
        "--capability",
        "docker",
        "--priority-class",
        "low",
        "--runtime-class",
        "gvisor",
        "--gpu-type",
        "amd.com/gpu",
    )
    spec = WorkerSpec(
        worker_id="w1",
        image="job:1",
        resources=ResourceRequirements(disk_bytes=2 * 1024**3, gpu_count=1, gpu_type="amd.com/gpu"),
        architecture=Architecture.ARM64,
        node_selector={"a": "b"},
        tolerations=[Toleration(key="c", operator="Exists")],
        required_capabilities=["docker"],
        priority_class="low",
        runtime_class="gvisor",
    )
    printed = hodei("manifest", "job:1", "--id", "w1", *placed, *more, "-o", "json").stdout
    assert json.loads(printed) == build_worker_pod(spec, KubernetesConfig())


def test_a_profile_is_selected_by_name(hodei: Run) -> None:
    pod = yaml.safe_load(hodei("manifest", "-", "--profile", "gpu", PROFILES=PROFILES).stdout)
    assert pod["spec"]["containers"][0]["image"] == "agent:gpu"
    assert pod["spec"]["nodeSelector"] == {"pool": "gpu"}
    failed = hodei("manifest", "-", "--profile", "cpu", PROFILES=PROFILES)
    assert failed.exit_code == 1
    assert "there is no 'cpu'; there are: gpu" in failed.stderr
    assert "spec.image: must not be empty" in hodei("manifest", "-").stderr


def test_the_security_profile_has_an_option_of_its_own(hodei: Run) -> None:
    pod = yaml.safe_load(hodei("manifest", "job:1", "--security-profile", "privileged").stdout)
    assert "securityContext" not in pod["spec"]


def test_create_and_fits_take_the_profile_too(hodei: Run, server: SimulatedServer) -> None:
    assert hodei("create", "-", "--id", "w1", "--profile", "gpu", PROFILES=PROFILES).exit_code == 0
    assert server.pods()["hodei-worker-w1"]["spec"]["nodeSelector"] == {"pool": "gpu"}
    server.cluster.add("nodes", {"metadata": {"name": "a"}, "status": {"allocatable": {"cpu": "4", "pods": "9"}}})
    assert "gpu" in hodei("fits", "--profile", "gpu", PROFILES=PROFILES).stdout


def test_the_template_may_be_a_file(hodei: Run, tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(TEMPLATE)
    pod = yaml.safe_load(hodei("manifest", "job:1", POD_TEMPLATE_FILE=str(file)).stdout)
    assert [one["name"] for one in pod["spec"]["containers"]] == ["worker", "proxy"]
    failed = hodei("manifest", "job:1", POD_TEMPLATE_FILE=str(tmp_path / "none"))
    assert failed.exit_code == 1
    assert "HODEI_K8S_POD_TEMPLATE_FILE: cannot be read: No such file" in failed.stderr


def test_what_a_server_would_store(hodei: Run, server: SimulatedServer) -> None:
    printed = hodei("manifest", "job:1", "--id", "w1", "--dry-run", "server")
    assert (printed.exit_code, printed.stderr) == (0, "")
    pod = yaml.safe_load(printed.stdout)
    assert pod["metadata"]["name"] == "hodei-worker-w1"
    assert pod["metadata"]["uid"]
    assert server.pods() == {}
    (asked,) = server.requests
    assert (asked.parameter("dryRun"), asked.parameter("fieldValidation")) == ("All", "Strict")


def test_the_servers_reason_when_it_refuses(hodei: Run) -> None:
    failed = hodei("--namespace", "nowhere", "manifest", "job:1", "--dry-run", "server")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert 'namespaces "nowhere" not found' in failed.stderr


def test_an_otp_is_never_shown() -> None:
    spec = WorkerSpec(
        worker_id="w1",
        image="job:1",
        otp_token="hunter2",
        environment={"A": "b"},
        sidecars=[Sidecar(name="db", image="db:1", environment={"C": "d"})],
    )
    pod = build_worker_pod(spec, KubernetesConfig())
    assert "hunter2" not in manifest_yaml(without_secrets(pod))
    env = without_secrets(pod)["spec"]["containers"][0]["env"]
    assert {"name": "HODEI_OTP_TOKEN", "value": "(redacted)"} in env
    assert {"name": "A", "value": "b"} in env
    referenced = {"name": "HODEI_OTP_TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    pod["spec"]["containers"] = [{"name": "worker", "env": [referenced]}, {"name": "other"}]
    assert without_secrets(pod)["spec"]["containers"] == pod["spec"]["containers"]


@pytest.mark.parametrize(
    "text",
    [
        "y",
        "N",
        "on",
        "1e3",
        "0o7",
        "1_000",
        "12:30",
        "2026-11-24",
        "~",
        "null",
        "",
        " ",
        "a: b",
        "- a",
        "#",
        "a\nb\n",
        "é",
        "\u2028",
        "\x07",
        "'",
        '"',
        "<<",
        "=",
        "{}",
        "[a",
        "&a",
        "*a",
        "!x",
        "%",
        "@",
        "\t",
        "a #b",
    ],
)
def test_texts_read_back_as_they_were(text: str) -> None:
    written = manifest_yaml({"value": text, text or "key": [text]})
    assert parse_yaml(written.encode()) == {"value": text, text or "key": [text]}
