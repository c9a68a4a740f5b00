"""The manifests in `deploy` say what the code says, and fit together."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from hodei_k8s_core.config import KubernetesConfig, flat_values
from hodei_k8s_core.config.environment import write_environment
from hodei_k8s_core.config.settings_config_map import settings_config_map
from hodei_k8s_core.labels import MANAGED
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.permissions import Feature, configured_features, rbac_manifests, role_rules
from hodei_k8s_core.provisioning.circuit import CircuitState
from hodei_k8s_core.reconcile.plan import ActionKind, ActionOutcome
from hodei_k8s_core.reconcile.plan_reconcile import check_provider_id
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_transport.access.refreshes import FILES, PLUGIN
from hodei_k8s_transport.cli.rbac_yaml import rbac_yaml
from hodei_k8s_transport.service.metrics import METRICS, Metric, MetricKind, Metrics
from hodei_k8s_transport.service.serve import ServeOptions
from hodei_k8s_transport.service.serve.pages import pages_of
from tests.architecture.network import Peer, reaches, selected

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = DEPLOY / "kubernetes"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONFIG = KubernetesConfig()
SYSTEM = "hodei-system"
GRANTED = configured_features(CONFIG) | {Feature.LEASES}
SET = {"namespace": CONFIG.namespace, "provider_id": CONFIG.namespace, "service_account": "hodei-worker"}
GRPC = 9090


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((MANIFESTS / name).read_text()))


def the(kind: str, name: str) -> dict[str, Any]:
    (found,) = (one for one in documents(name) if one["kind"] == kind)
    return found


DEPLOYMENT = the("Deployment", "deployment.yaml")
SERVE = DEPLOYMENT["spec"]["template"]
SETTINGS = the("ConfigMap", "configmap.yaml")["data"]


# --- permissions, namespaces, accounts


def test_the_permissions_are_those_of_the_table() -> None:
    text = (MANIFESTS / "rbac.yaml").read_text()
    manifests = rbac_manifests(CONFIG, GRANTED, account_namespace=SYSTEM)
    assert documents("rbac.yaml") == manifests
    assert text.endswith(rbac_yaml(manifests, GRANTED)), "with the reasons"


def test_the_readme_has_the_reason_of_each_rule() -> None:
    told = (MANIFESTS / "README.md").read_text()
    begin = told.index("| resource | verbs |")
    rows = told[begin : told.index("\n\n", begin)].splitlines()[2:]
    assert rows == [
        f"| `{rule.full_resource}` | {', '.join(rule.verbs)} | {'yes' if rule.is_required else 'no'} | {rule.reason} |"
        for rule in role_rules(GRANTED)
    ]


def test_the_namespaces_enforce_the_default_profile() -> None:
    workers, system = documents("namespace.yaml")
    assert (workers["metadata"]["name"], system["metadata"]["name"]) == (CONFIG.namespace, SYSTEM)
    for namespace in (workers, system):
        enforced = namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        assert enforced == CONFIG.security_profile.value


def test_the_account_does_not_live_among_the_workers() -> None:
    account = the("ServiceAccount", "rbac.yaml")["metadata"]
    assert account["namespace"] == SYSTEM != CONFIG.namespace
    assert SERVE["spec"]["serviceAccountName"] == account["name"]
    assert DEPLOYMENT["metadata"]["namespace"] == account["namespace"]


def test_the_workers_account_has_no_token_and_no_role() -> None:
    (account,) = documents("worker-account.yaml")
    assert account["automountServiceAccountToken"] is False
    assert account["metadata"] == {"name": SETTINGS["HODEI_K8S_SERVICE_ACCOUNT"], "namespace": CONFIG.namespace}
    subjects = the("RoleBinding", "rbac.yaml")["subjects"]
    assert [one["name"] for one in subjects] == ["hodei-k8s"]
    pod = worker()["spec"]
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == (account["metadata"]["name"], False)


def worker(**fields: Any) -> dict[str, Any]:
    """A worker's Pod, by the settings that are installed."""
    return build_worker_pod(WorkerSpec(worker_id="w1", image="agent:1", **fields), KubernetesConfig.from_env(SETTINGS))


# --- settings


def test_the_config_map_is_made_from_the_table_of_settings() -> None:
    assert (MANIFESTS / "configmap.yaml").read_text() == settings_config_map("hodei-k8s", SYSTEM, SET)


def test_what_is_set_is_valid_and_serve_takes_it() -> None:
    config = KubernetesConfig.from_env(SETTINGS)
    assert {name: flat_values(config)[name] for name in SET} == SET
    check_provider_id(config.provider_id)


def test_every_setting_is_there_with_its_default_behind_a_comment() -> None:
    text = re.sub("^  # (?=HODEI_)", "  ", (MANIFESTS / "configmap.yaml").read_text(), flags=re.MULTILINE)
    data = yaml.safe_load(text)["data"]
    values = {name: value for name, value in flat_values(CONFIG).items() if value is not None}
    assert {name: value for name, value in data.items() if value} == {
        name: value for name, value in write_environment(values | SET).items() if value
    }
    assert flat_values(KubernetesConfig.from_env(data)) == flat_values(CONFIG) | SET


# --- the process


def test_serve_has_its_settings_its_name_and_its_port() -> None:
    (container,) = SERVE["spec"]["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": the("ConfigMap", "configmap.yaml")["metadata"]["name"]}}]
    assert [one["name"] for one in container["env"]] == ["POD_NAME"]
    assert container["args"][0] == "serve"
    port = int(container["args"][container["args"].index("--port") + 1])
    assert container["ports"] == [{"name": "http", "containerPort": port}]
    assert container["image"] == f"{PROJECT['name']}:{PROJECT['version']}"


def test_the_probes_ask_for_pages_that_there_are() -> None:
    (container,) = SERVE["spec"]["containers"]
    probes = {name: container[name]["httpGet"] for name in ("livenessProbe", "readinessProbe")}
    assert {name: asked["path"] for name, asked in probes.items()} == {
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
    }
    assert {asked["port"] for asked in probes.values()} == {"http"}
    assert {asked["path"] for asked in probes.values()} <= pages_of([], CollectorRegistry(), bool).keys()


def test_the_kubelet_waits_longer_than_serve_takes_to_end() -> None:
    assert SERVE["spec"]["terminationGracePeriodSeconds"] > ServeOptions().stop_within


def test_serve_is_restricted() -> None:
    """What the Pod Security Standard demands, and a root that is read-only."""
    spec = SERVE["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"].keys() == {"requests", "limits"}
    assert all(volume.keys() == {"name", "emptyDir"} for volume in spec["volumes"])


def test_one_of_two_stays_when_nodes_are_drained() -> None:
    budget = the("PodDisruptionBudget", "deployment.yaml")
    assert (DEPLOYMENT["spec"]["replicas"], budget["spec"]["minAvailable"]) == (2, 1)
    assert budget["metadata"]["namespace"] == DEPLOYMENT["metadata"]["namespace"]
    for selector in (DEPLOYMENT["spec"]["selector"], budget["spec"]["selector"]):
        assert selector["matchLabels"].items() <= SERVE["metadata"]["labels"].items()


def test_the_image_runs_the_command_as_the_user_of_the_deployment() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    (user,) = re.findall(r"^USER (\d+:\d+)$", text, re.MULTILINE)
    security = SERVE["spec"]["securityContext"]
    assert user == f"{security['runAsUser']}:{security['runAsGroup']}"
    (command,) = re.findall(r'^ENTRYPOINT \["(.+)"\]$', text, re.MULTILINE)
    assert command in PROJECT["scripts"]
    (extras,) = re.findall(r"pip install .*'\.\[(.+)\]'", text)
    assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()
    copied = [name for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE) for name in line.split()]
    assert {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]} <= set(copied)
    assert all((ROOT / name).exists() for name in copied)


# --- network policies

POLICIES = documents("network-policy.yaml")
NAMESPACES = {one["metadata"]["name"]: one["metadata"]["labels"] for one in documents("namespace.yaml")}
DNS = Peer(namespace="kube-system", pod={"k8s-app": "kube-dns"})
CONTROL_PLANE = Peer(namespace=SYSTEM, labels=NAMESPACES[SYSTEM], pod={"app": "hodei"})
WORKER = worker()
ASKING = worker(labels={"api-server-access": "allowed"})


def of(pod: dict[str, Any]) -> Peer:
    name = pod["metadata"].get("namespace", SYSTEM)
    return Peer(namespace=name, labels=NAMESPACES[name], pod=pod["metadata"]["labels"])


def test_every_policy_is_for_pods_that_there_are() -> None:
    pods = [of(WORKER), of(ASKING), of(SERVE)]
    for policy in POLICIES:
        assert any(selected(policy, pod) for pod in pods), policy["metadata"]["name"]
    assert MANAGED in WORKER["metadata"]["labels"]


@pytest.mark.parametrize(
    ("target", "port", "protocol", "may"),
    [
        (DNS, 53, "UDP", True),
        (DNS, 53, "TCP", True),
        (DNS, 443, "TCP", False),
        (Peer(namespace="kube-system", pod={"k8s-app": "metrics-server"}), 53, "UDP", False),
        (Peer(ip="169.254.20.10"), 53, "UDP", True),
        (CONTROL_PLANE, GRPC, "TCP", True),
        (CONTROL_PLANE, 8080, "TCP", False),
        (Peer(namespace="elsewhere"), GRPC, "TCP", False),
        (of(WORKER), GRPC, "TCP", False),
        (of(WORKER), 443, "TCP", False),
        (Peer(ip="140.82.121.4"), 443, "TCP", True),
        (Peer(ip="2606:50c0:8000::153"), 443, "TCP", True),
        (Peer(ip="140.82.121.4"), 22, "TCP", False),
        (Peer(ip="140.82.121.4"), 443, "UDP", False),
        (Peer(ip="169.254.169.254"), 443, "TCP", False),
        (Peer(ip="169.254.169.254"), 80, "TCP", False),
        (Peer(ip="10.96.0.1"), 443, "TCP", False),
        (Peer(ip="192.168.3.7"), 6443, "TCP", False),
        (Peer(ip="fd00::1"), 443, "TCP", False),
    ],
)
def test_where_a_worker_may_connect_to(target: Peer, port: int, protocol: str, may: bool) -> None:
    assert reaches(POLICIES, of(WORKER), target, port, protocol) is may


@pytest.mark.parametrize(
    ("ip", "port", "may"),
    [
        ("10.96.0.1", 443, True),
        ("192.168.3.7", 6443, True),
        ("fd00::1", 6443, True),
        ("169.254.169.254", 443, False),
        ("192.168.3.7", 10250, False),
    ],
)
def test_a_worker_that_asks_for_it_may_connect_to_the_api_server(ip: str, port: int, may: bool) -> None:
    assert reaches(POLICIES, of(ASKING), Peer(ip=ip), port, "TCP") is may


def test_only_who_monitors_may_ask_serve() -> None:
    monitoring = Peer(namespace="monitoring", labels={f"monitoring.hodei.io/{SYSTEM}": "true"})
    assert reaches(POLICIES, monitoring, of(SERVE), 8080, "TCP")
    assert not reaches(POLICIES, Peer(namespace="monitoring"), of(SERVE), 8080, "TCP")
    assert not reaches(POLICIES, of(WORKER), of(SERVE), 8080, "TCP")


# --- monitoring

SUFFIXES = {MetricKind.HISTOGRAM: ("_bucket", "_sum", "_count")}
EXPORTED: dict[str, Metric] = {m.name + suffix: m for m in METRICS for suffix in SUFFIXES.get(m.kind, ("",))}
VALUES: dict[tuple[str, str], set[str]] = {
    ("hodei_k8s_pods_failed_total", "stage"): {"create", "run"},
    ("hodei_k8s_reconcile_planned_actions", "kind"): {kind.value for kind in ActionKind},
    ("hodei_k8s_reconcile_actions_total", "kind"): {kind.value for kind in ActionKind},
    ("hodei_k8s_reconcile_actions_total", "outcome"): {outcome.value for outcome in ActionOutcome},
    ("hodei_k8s_circuit_state", "state"): {state.value for state in CircuitState},
    ("hodei_k8s_credential_refreshes_total", "source"): {FILES, PLUGIN},
    ("hodei_k8s_credential_refreshes_total", "outcome"): {"succeeded", "failed"},
}
"""The values of labels that rules and panels select by."""
OF_PROMETHEUS = {"job", "instance", "le"}


def test_the_table_of_metrics_is_what_is_exported() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    families = {family.name + ("_total" if family.type == "counter" else "") for family in registry.collect()}
    assert families == {metric.name for metric in METRICS}


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "monitoring" / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    board: dict[str, Any] = json.loads((DEPLOY / "monitoring" / "dashboard.json").read_text())
    return board


def expressions() -> Iterator[str]:
    for rule in alerts():
        yield rule["expr"]
    for panel in dashboard()["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))


EXPRESSIONS = list(expressions())


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_names_what_is_exported(expression: str) -> None:
    names = re.findall(r"\bhodei_k8s_\w+", expression)
    assert names
    assert [name for name in names if name not in EXPORTED] == []
    for name, matchers in re.findall(r"\b(hodei_k8s_\w+)\{([^}]*)\}", expression):
        for label, text in re.findall(r'(\w+)\s*(?:=~|!=|!~|=)\s*"([^"]*)"', matchers):
            assert label in EXPORTED[name].label_names
            if not text.startswith("$"):
                assert set(text.split("|")) <= VALUES[name, label]
    labels = {label for name in names for label in EXPORTED[name].label_names} | OF_PROMETHEUS
    for grouping in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
        assert {label.strip() for label in grouping.split(",")} <= labels


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {EXPORTED[name].name for text in EXPRESSIONS for name in re.findall(r"\bhodei_k8s_\w+", text)}
    assert shown == {metric.name for metric in METRICS}


def test_a_histogram_is_read_in_its_buckets() -> None:
    """A limit that is between two bounds would be judged by interpolation."""
    (slow,) = (rule for rule in alerts() if rule["alert"] == "HodeiK8sSlowStarts")
    limit = float(slow["expr"].rpartition(">")[2])
    assert limit in EXPORTED["hodei_k8s_pod_startup_duration_seconds_bucket"].buckets


def test_every_alert_is_tested_and_explained() -> None:
    tested = (DEPLOY / "monitoring" / "alerts-test.yaml").read_text()
    told = (DEPLOY / "monitoring" / "README.md").read_text()
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names))
    for name in names:
        assert f'alertname="{name}"' in tested
        assert f"`{name}`" in told


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool, of Prometheus")
def test_the_alerts_fire_when_they_should() -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", "alerts-test.yaml"],
        cwd=DEPLOY / "monitoring",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_labels_of_a_legend_are_in_its_expression() -> None:
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            names = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
            groups = re.findall(r"\bby \(([^)]*)\)", target["expr"])
            kept = {label.strip() for label in groups[0].split(",")} if groups else None
            (metric, *_) = re.findall(r"\bhodei_k8s_\w+", target["expr"])
            assert set(names) <= (kept or {*EXPORTED[metric].label_names, *OF_PROMETHEUS}), panel["title"]


def test_no_panels_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in dashboard()["panels"]]
    assert len(ids) == len(set(ids))


# --- the folder itself


def test_the_kustomization_has_every_manifest() -> None:
    resources = documents("kustomization.yaml")[0]["resources"]
    assert sorted(resources) == sorted(
        path.name for path in MANIFESTS.glob("*.yaml") if path.name != "kustomization.yaml"
    )


@pytest.mark.parametrize("folder", ["kubernetes", "monitoring"])
def test_every_file_is_in_the_readme(folder: str) -> None:
    told = (DEPLOY / folder / "README.md").read_text()
    assert not [
        path.name for path in (DEPLOY / folder).iterdir() if f"`{path.name}`" not in told and path.suffix != ".md"
    ]
