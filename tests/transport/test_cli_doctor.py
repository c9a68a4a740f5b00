"""`hodei-k8s doctor` and `hodei-k8s rbac`: what is printed, the exit codes, and never a traceback."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.permissions import Feature, configured_features, rbac_manifests, role_rules
from hodei_k8s_transport import audit_access
from hodei_k8s_transport.cli.app import app
from tests.transport.simulated_server import SimulatedServer

Run = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer() as running:
        yield running


@pytest.fixture
def hodei(server: SimulatedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in [name for name in os.environ if name.startswith("HODEI_K8S_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KUBECONFIG", str(server.write_kubeconfig(tmp_path / "config")))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    return run


def line_of(result: Result, name: str) -> str:
    return next(line for line in result.stdout.splitlines() if f" {name} " in line)


def test_a_cluster_in_order(hodei: Run, server: SimulatedServer, tmp_path: Path) -> None:
    result = hodei("doctor")
    assert result.exit_code == 0
    assert line_of(result, "configuration").split() == [
        *("✓", "configuration", f"{server.url},", "as", "context", '"x"', f"({tmp_path}/config)")
    ]
    assert line_of(result, "tls").startswith("!")  # plain http
    assert line_of(result, "pod").startswith("✓")
    assert "✗" not in result.stdout
    assert server.pods() == {}


def test_a_permission_that_is_missing(hodei: Run, server: SimulatedServer) -> None:
    server.cluster.denied = frozenset({("delete", "pods"), ("patch", "pods")})
    result = hodei("doctor")
    assert result.exit_code == 1
    assert line_of(result, "permission:workers:pods").startswith("✗")
    assert "may not delete pods in hodei-workers" in result.stdout
    assert line_of(result, "permission:jobs:pods").startswith("!")
    assert "→ `hodei-k8s rbac` prints what to grant" in result.stdout


def test_what_a_feature_needs_is_asked_for_too(hodei: Run) -> None:
    assert "permission:nodes" not in hodei("doctor").stdout
    assert line_of(hodei("doctor", "--with", "nodes"), "permission:nodes:nodes").startswith("✓")


def test_as_json(hodei: Run) -> None:
    result = hodei("--namespace", "elsewhere", "doctor", "--output", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["sound"] is False
    steps = {step["name"]: step for step in report["steps"]}
    assert steps["namespace"]["status"] == "failed"
    assert "kubectl create namespace elsewhere" in steps["namespace"]["mend"]
    assert steps["pod"]["status"] == "skipped"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--context", "nope"), 'there is no context "nope"'),
        (("--kubeconfig", "/nonexistent/config"), "/nonexistent/config: does not exist"),
        (("--namespace", "No"), "namespace: 'No' must be lower-case"),
    ],
)
def test_settings_that_lead_nowhere_are_the_first_step(hodei: Run, arguments: tuple[str, ...], words: str) -> None:
    result = hodei(*arguments, "doctor")
    assert result.exit_code == 1
    assert result.stdout.startswith("✗  configuration")
    assert words in result.stdout
    assert {line[0] for line in result.stdout.splitlines()[2:] if line.strip()} == {"-"}


def test_an_image_that_is_none(hodei: Run) -> None:
    result = hodei("doctor", "--image", "a b")
    assert result.exit_code == 1
    assert "spec.image" in result.stderr


def test_the_worker_with_that_image_is_tried(hodei: Run, server: SimulatedServer) -> None:
    hodei("doctor", "--image", "registry.example/agent:7")
    (tried,) = [request for request in server.requests if request.parameter("dryRun")]
    assert b"registry.example/agent:7" in tried.body


def test_recorded(hodei: Run, tmp_path: Path) -> None:
    result = hodei("--record", str(tmp_path / "exchanges"), "doctor")
    assert result.exit_code == 0
    assert "selfsubjectreviews" in (tmp_path / "exchanges").read_text()


def test_rbac_prints_the_manifests_with_reasons(hodei: Run, server: SimulatedServer) -> None:
    result = hodei("--namespace", "ci", "rbac")
    config = KubernetesConfig(namespace="ci")
    features = configured_features(config)
    assert result.exit_code == 0
    assert list(yaml.safe_load_all(result.stdout)) == rbac_manifests(config, features)
    for rule in role_rules(features):
        assert f": {rule.reason}\n" in result.stdout
    assert "# jobs (optional): " in result.stdout
    assert server.requests == []


def test_rbac_for_more(hodei: Run) -> None:
    result = hodei("rbac", "--with", "nodes", "--service-account", "a", "--service-account-namespace", "ops")
    config = KubernetesConfig()
    features = configured_features(config) | {Feature.NODES}
    expected = rbac_manifests(config, features, account="a", account_namespace="ops")
    assert list(yaml.safe_load_all(result.stdout)) == expected
    assert [manifest["kind"] for manifest in expected][-2:] == ["ClusterRole", "ClusterRoleBinding"]


def test_rbac_with_settings_that_are_wrong(hodei: Run) -> None:
    result = hodei("--namespace", "No", "rbac")
    assert result.exit_code == 1
    assert result.stdout == ""


def test_an_audit_as_a_function(server: SimulatedServer, tmp_path: Path) -> None:
    environ = {"KUBECONFIG": str(server.write_kubeconfig(tmp_path / "config"))}
    assert audit_access(KubernetesConfig(), environ).is_sound
    report = audit_access(KubernetesConfig(context="nope"), environ)
    assert [step.name for step in report.failures] == ["configuration"]
    assert audit_access(KubernetesConfig(), environ, features=()).steps[-2].name == "pod"
