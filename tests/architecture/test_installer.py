"""`install.sh` with a kubectl that writes down what it is asked, and answers as the test says the cluster is."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.lease import lease_name
from tests.architecture.network import Peer, reaches

SCRIPT = Path(__file__).parents[2] / "deploy" / "kubernetes" / "install.sh"
KUBECTL = """#!/usr/bin/env bash
printf '%q ' "$@" >>"$NOTES/calls"
echo >>"$NOTES/calls"
[[ "$*" != *"--filename -"* ]] || cat >>"$NOTES/given"
while IFS='|' read -r asked answer code; do
    if [[ "$*" == $asked ]]; then
        printf '%b' "$answer"
        exit "${code:-0}"
    fi
done <"$NOTES/answers"
"""
FRESH = {"get namespace * --ignore-not-found*": ""}
INSTALLED = {
    "get configmap hodei-k8s * --ignore-not-found*": "configmap/hodei-k8s",
    "get configmap hodei-k8s *HODEI_K8S_NAMESPACE}": "hodei-workers",
    "get configmap hodei-k8s *HODEI_K8S_PROVIDER_ID}": "eu",
    "get namespace * --ignore-not-found*": "namespace/there",
    "get deployment hodei-k8s *": "deployment/hodei-k8s",
}


class Ran:
    def __init__(self, done: subprocess.CompletedProcess[str], notes: Path) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr
        self.calls = [shlex.split(line) for line in lines(notes / "calls")]
        self.given = [one for one in yaml.safe_load_all("\n".join(lines(notes / "given"))) if one]

    def of(self, *words: str) -> list[list[str]]:
        """The calls that begin so."""
        return [call for call in self.calls if call[: len(words)] == list(words)]

    @property
    def changes(self) -> list[list[str]]:
        return [call for call in self.calls if call[0] not in ("get", "version")]


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    return tmp_path


def install(notes: Path, *options: str, answers: Mapping[str, str] = FRESH) -> Ran:
    """`answers`: by the pattern of what is asked; with `|1` behind it the exit code."""
    (notes / "answers").write_text("".join(f"{asked}|{answer}\n" for asked, answer in answers.items()))
    for name in ("calls", "given"):
        (notes / name).unlink(missing_ok=True)
    bash = shutil.which("bash")
    assert bash is not None
    environ = {"PATH": f"{notes / 'bin'}:{os.environ['PATH']}", "NOTES": str(notes)}
    done = subprocess.run([bash, str(SCRIPT), *options], env=environ, capture_output=True, text=True, timeout=30)
    return Ran(done, notes)


def printed(*options: str) -> list[dict[str, Any]]:
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, str(SCRIPT), "--print", *options], capture_output=True, text=True, timeout=30, check=True
    )
    return list(yaml.safe_load_all(done.stdout))


def manifests() -> list[dict[str, Any]]:
    found = [one for path in SCRIPT.parent.glob("*.yaml") for one in yaml.safe_load_all(path.read_text())]
    return [one for one in found if one["kind"] != "Kustomization"]


def by_name(documents: Sequence[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["kind"], one["metadata"]["name"]): one for one in documents}


# --- the manifests that it makes


def test_by_default_they_are_those_of_the_folder() -> None:
    assert by_name(printed()) == by_name(manifests())


def test_it_finds_the_manifests_from_wherever_it_is_called() -> None:
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, SCRIPT.name, "--print"], cwd=SCRIPT.parent, capture_output=True, timeout=30, check=True
    )
    assert by_name(list(yaml.safe_load_all(done.stdout))) == by_name(manifests())


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck")
def test_shellcheck_finds_nothing() -> None:
    done = subprocess.run(["shellcheck", str(SCRIPT)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_names_are_put_everywhere_even_if_one_contains_the_other() -> None:
    made = printed(
        "--namespace", "hodei-system-ci", "--system-namespace", "hodei-workers-system", "--provider-id", "eu"
    )
    text = yaml.safe_dump_all(made)
    assert "@" not in text
    assert {one["metadata"].get("namespace") for one in made} == {None, "hodei-system-ci", "hodei-workers-system"}
    (subject,) = by_name(made)["RoleBinding", "hodei-k8s"]["subjects"]
    assert subject["namespace"] == "hodei-workers-system"
    config = KubernetesConfig.from_env(by_name(made)["ConfigMap", "hodei-k8s"]["data"])
    assert (config.namespace, config.provider_id) == ("hodei-system-ci", "eu")


def test_the_provider_id_is_the_namespace_of_the_workers_unless_it_is_said() -> None:
    assert by_name(printed("--namespace", "ci"))["ConfigMap", "hodei-k8s"]["data"]["HODEI_K8S_PROVIDER_ID"] == "ci"


def test_the_image_and_the_port_are_put_in() -> None:
    made = by_name(printed("--image", "registry.example:5000/h:2@sha256:0a", "--grpc-port", "50051"))
    (container,) = made["Deployment", "hodei-k8s"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example:5000/h:2@sha256:0a"
    (rule,) = made["NetworkPolicy", "hodei-allow-control-plane"]["spec"]["egress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 50051}]


# --- what it does in a cluster


def test_a_first_run_makes_the_namespaces_applies_waits_and_asks_the_audit(notes: Path) -> None:
    ran = install(
        notes, answers={"get namespace hodei-system --ignore*": "", "get namespace hodei-workers --ignore*": ""}
    )
    assert ran.code == 1, "nothing can be labelled in a cluster where nothing is ever made"
    assert "the namespace hodei-system does not exist" in ran.err
    answers = {"get namespace hodei-workers --ignore*": "", "get namespace hodei-system *": "namespace/hodei-system"}
    ran = install(notes, answers=answers)
    assert ran.code == 0, ran.err
    assert ran.of("create", "namespace") == [["create", "namespace", "hodei-workers", "--save-config"]]
    assert ran.of("annotate", "namespace", "hodei-workers")
    assert by_name(ran.given) == by_name(manifests())
    assert ran.calls[-2][:3] == ["rollout", "status", "deployment/hodei-k8s"]
    assert ran.calls[-1][-4:] == ["hodei-k8s", "doctor", "--with", "leases"]


def test_a_second_run_makes_no_namespace_and_restarts_nothing(notes: Path) -> None:
    ran = install(notes, answers={**INSTALLED, "apply *": "configmap/hodei-k8s unchanged"})
    assert ran.code == 0, ran.err
    assert not ran.of("create")
    assert not ran.of("annotate")
    assert not ran.of("rollout", "restart")
    settings = by_name(ran.given)["ConfigMap", "hodei-k8s"]["data"]
    assert settings["HODEI_K8S_PROVIDER_ID"] == "eu", "the one that its workers have"


def test_settings_that_changed_restart_serve(notes: Path) -> None:
    ran = install(notes, answers={**INSTALLED, "apply *": "configmap/hodei-k8s configured"})
    assert ran.of("rollout", "restart", "deployment/hodei-k8s")


def test_the_labels_that_it_sets_open_the_policies(notes: Path) -> None:
    ran = install(
        notes,
        *("--namespace", "ci", "--control-plane-namespace", "hodei", "--monitoring-namespace", "prometheus"),
        answers={"get namespace *": "namespace/there"},
    )
    assert ran.code == 0, ran.err
    labels = {call[2]: dict([call[3].split("=")]) for call in ran.of("label", "namespace")}
    policies = [one for one in ran.given if one["kind"] == "NetworkPolicy"]
    worker = Peer(namespace="ci", pod={"hodei.io/managed": "true"})
    serve = Peer(namespace="hodei-system", pod={"app.kubernetes.io/name": "hodei-k8s"})
    control_plane, monitoring = (Peer(namespace=name, labels=labels[name]) for name in ("hodei", "prometheus"))
    assert reaches(policies, worker, control_plane, 9090, "TCP")
    assert reaches(policies, monitoring, serve, 8080, "TCP")
    assert not reaches(policies, worker, monitoring, 9090, "TCP")
    assert not reaches(policies, control_plane, serve, 8080, "TCP")


def test_the_cluster_is_the_one_that_is_named(notes: Path) -> None:
    ran = install(notes, "--context", "eu", "--kubeconfig", "a file", "--dry-run", answers={})
    assert all(call[:2] == ["--context=eu", "--kubeconfig=a file"] for call in ran.calls)


@pytest.mark.parametrize(("answers", "how"), [(FRESH, "client"), (INSTALLED, "server")])
def test_a_dry_run_changes_nothing(notes: Path, answers: Mapping[str, str], how: str) -> None:
    ran = install(notes, "--dry-run", answers=answers)
    assert ran.code == 0, ran.err
    assert ran.changes == [["apply", "--validate=strict", f"--dry-run={how}", "--filename", "-"]]


def test_what_is_not_ready_is_said_with_what_is_known(notes: Path) -> None:
    ran = install(notes, answers={**INSTALLED, "rollout status *": "|1", "get pods *": "hodei-k8s-1 ImagePullBackOff"})
    assert ran.code == 1
    assert "ImagePullBackOff" in ran.err
    assert "serve did not become ready within 180s" in ran.err


def test_what_the_audit_finds_fails_the_installation(notes: Path) -> None:
    ran = install(notes, answers={**INSTALLED, "exec *": "pods/log: not permitted|1"})
    assert ran.code == 1
    assert "the audit found what is named above" in ran.err


# --- taking it away


def test_workers_keep_it_from_being_taken_away(notes: Path) -> None:
    there = {**INSTALLED, "get pods *": "pod/w1\\npod/w2\\n"}
    ran = install(notes, "--uninstall", answers=there)
    assert ran.code == 1
    assert "there are workers in hodei-workers, which would end: pod/w1 pod/w2" in ran.err
    assert ran.changes == []
    assert install(notes, "--uninstall", "--with-workers", answers=there).of("delete", "pods")


def test_it_deletes_what_it_made_and_no_namespace_that_was_there_before(notes: Path) -> None:
    leases = [lease_name("eu"), lease_name("eu-2"), "somebodys"]
    answers = {
        **INSTALLED,
        "get namespace hodei-system --output*": "true",
        "get leases *": "".join(f"lease.coordination.k8s.io/{name}\\n" for name in leases),
        "get namespaces --selector control-plane*": "namespace/hodei-system\\nnamespace/hodei\\n",
    }
    ran = install(notes, "--uninstall", answers=answers)
    assert ran.code == 0, ran.err
    without = {key: one for key, one in by_name(manifests()).items() if one["kind"] != "Namespace"}
    assert by_name(ran.given) == without | {
        key: one for key, one in by_name(ran.given).items() if key[0] == "ConfigMap"
    }
    assert ran.of("delete", "namespace") == [["delete", "namespace", "hodei-system"]]
    assert "the namespace hodei-workers was there before, and stays" in ran.err
    assert [call[-1] for call in ran.calls if call[0] == "delete" and "lease" in call[-1]] == [
        f"lease.coordination.k8s.io/{lease_name('eu')}"
    ]
    assert ["label", "namespace/hodei", "control-plane.hodei.io/hodei-workers-"] in ran.calls


def test_a_namespace_in_which_others_run_stays(notes: Path) -> None:
    answers = {
        **INSTALLED,
        "get namespace * --output*": "true",
        "get pods,* --namespace hodei-system *": "deployment.apps/hodei\\npod/hodei-1\\n",
    }
    ran = install(notes, "--uninstall", answers=answers)
    assert ran.code == 0, ran.err
    assert ran.of("delete", "namespace") == [["delete", "namespace", "hodei-workers"]]
    assert "the namespace hodei-system stays, since others run in it: deployment.apps/hodei pod/hodei-1" in ran.err


@pytest.mark.parametrize("provider_id", ["eu", "EU.west_1", "a..b", "x-", "9"])
def test_the_lease_of_every_provider_id_is_found(notes: Path, provider_id: str) -> None:
    lease = f"lease.coordination.k8s.io/{lease_name(provider_id)}"
    answers = {**INSTALLED, "get configmap hodei-k8s *HODEI_K8S_PROVIDER_ID}": provider_id, "get leases *": lease}
    assert install(notes, "--uninstall", answers=answers).of("delete", "--namespace", "hodei-workers", lease)


# --- what it refuses


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--namespace", "Not_One"), "'Not_One' is no name of a namespace"),
        (("--namespace", "a" * 64), "is no name of a namespace"),
        (("--namespace",), "--namespace is not known, or needs a value"),
        (("--what", "1"), "--what is not known"),
        (("install",), "install is no option"),
        (("--namespace", "a", "--system-namespace", "a"), "the workers need another namespace than serve"),
        (("--grpc-port", "65536"), "'65536' is no port"),
        (("--provider-id", "kubernetes"), "is the default of every installation"),
        (("--provider-id", "a b"), "'a b' is no provider id"),
        (("--image", 'x"; y'), "is no name of an image"),
        (("--dry-run", "--uninstall"), "--uninstall and --dry-run exclude each other"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    notes: Path, options: tuple[str, ...], problem: str
) -> None:
    ran = install(notes, *options)
    assert (ran.code, ran.calls) == (1, [])
    assert problem in ran.err


def test_another_installations_namespace_is_refused(notes: Path) -> None:
    ran = install(notes, "--namespace", "ci", answers=INSTALLED)
    assert ran.code == 1
    assert "the installation in hodei-system is that of the workers in hodei-workers" in ran.err
    assert ran.changes == []


def test_a_cluster_that_cannot_be_reached_is_said(notes: Path) -> None:
    ran = install(notes, answers={"version *": "|1"})
    assert ran.code == 1
    assert "the cluster cannot be reached" in ran.err
    assert ran.changes == []


def test_a_control_plane_that_is_nowhere_is_said(notes: Path) -> None:
    there = {**INSTALLED, "get namespace nowhere *": ""}
    for options in ((), ("--dry-run",)):
        ran = install(notes, "--control-plane-namespace", "nowhere", *options, answers=dict(reversed(there.items())))
        assert ran.code == 1
        assert "the namespace nowhere does not exist" in ran.err
