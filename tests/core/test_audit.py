"""The audit: what it finds at each step once it is connected."""

from __future__ import annotations

import pytest

from hodei_k8s_core.audit_report import AuditStatus
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.http import Response
from hodei_k8s_core.operations.audit import audit_of_bad_configuration
from hodei_k8s_core.permissions import Feature
from hodei_k8s_core.simulation.world import World
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from tests.core.audits import (
    CONFIG,
    FAILED,
    FORBIDDEN,
    ME,
    NAMESPACE,
    OK,
    POD,
    SKIPPED,
    VERSION,
    WARNING,
    WHO,
    YES,
    audited,
    auditing,
    statuses,
    step,
)
from tests.core.told import reply, status_reply, tell


def test_a_cluster_where_all_is_well() -> None:
    report = audited()
    assert set(statuses(report).values()) == {"ok"}
    assert report.is_sound
    assert report.failures == ()
    assert report.target == 'https://k8s.example:6443, as context "x" (/kube/config)'
    assert [one.detail for one in report.steps] == [
        report.target,
        "the name resolves",
        "the connection is made",
        "the server's certificate is trusted",
        "a Kubernetes API server answers",
        "the server takes us for me (groups: a, b)",
        "ci exists",
        "a worker's Pod is accepted (server-side dry run)",
        "may get pods/log in ci",
        "v1.36.3 (supported: 1.34 to 1.37)",
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (status_reply(404, "NotFound", 'namespaces "ci" not found', kind="namespaces"), "ci does not exist"),
        (reply({"kind": "Namespace", "status": {"phase": "Terminating"}}), "ci is being deleted"),
        (status_reply(500, "InternalError", "etcd"), "could not answer"),
        (reply(b"[]"), "not a Namespace"),
        (reply(b"\xff"), "not a Namespace"),
    ],
)
def test_a_namespace_that_is_not_in_order(answer: Response, words: str) -> None:
    report = audited(namespace=answer, pod=None)
    assert words in step(report, "namespace").detail
    assert statuses(report)["namespace"] == "failed"
    assert statuses(report)["pod"] == "skipped"
    assert statuses(report)["permission:logs:pods/log"] == "ok"


def test_a_namespace_that_may_not_be_read_is_looked_at_by_the_dry_run() -> None:
    missing = status_reply(404, "NotFound", 'namespaces "ci" not found', kind="namespaces")
    report = audited(namespace=status_reply(403, "Forbidden", f'namespaces "ci" {FORBIDDEN} get'), pod=missing)
    assert step(report, "namespace").status is WARNING
    assert step(report, "pod").status is FAILED
    assert "--create-namespace" in step(report, "pod").mend


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            status_reply(403, "Forbidden", 'pods "x" is forbidden: violates PodSecurity "restricted:latest"'),
            "the server said: 403 Forbidden: pods",
        ),
        (status_reply(403, "Forbidden", 'pods "x" is forbidden: exceeded quota: q'), "a quota of the namespace"),
        (status_reply(400, "", 'admission webhook "w" denied the request: no'), 'admission webhook "w"'),
    ],
)
def test_a_pod_that_is_not_accepted(answer: Response, words: str) -> None:
    report = audited(pod=answer)
    assert step(report, "pod").status is FAILED
    assert words in step(report, "pod").detail


def test_a_pod_that_is_accepted_with_a_warning() -> None:
    pod = reply({"kind": "Pod"}, 201, warning='299 - "would violate PodSecurity"')
    assert step(audited(pod=pod), "pod").status is WARNING
    assert step(audited(pod=pod), "pod").detail.endswith(": would violate PodSecurity")


def test_a_worker_of_the_hosts_own_is_tried_under_another_id() -> None:
    spec = WorkerSpec(worker_id="w1", image="registry.example/agent:7")
    script = [(WHO, ME), ("GET namespaces/ci", NAMESPACE), ("GET /version", VERSION), ("POST pods", POD)]
    told = tell(auditing(CONFIG, spec=spec, features=()), script)
    request = told.requests[3]
    assert request.parameter("dryRun") == "All"
    assert b"registry.example/agent:7" in request.body
    assert b'"hodei-worker-audit-0000000000"' in request.body
    assert b"w1" not in request.body


def test_a_worker_that_the_settings_do_not_allow() -> None:
    spec = WorkerSpec(worker_id="w", image="i", run_as_user=0)
    config = KubernetesConfig(namespace="ci", security_profile=SecurityProfile.RESTRICTED)
    script = [(WHO, ME), ("GET namespaces/ci", NAMESPACE), ("GET /version", VERSION)]
    report = tell(auditing(config, spec=spec, features=()), script).result
    assert [one.name for one in report.failures] == ["pod"]
    assert "run_as_user" in step(report, "pod").detail


@pytest.mark.parametrize(
    ("feature", "status"), [(Feature.LOGS, FAILED), (Feature.EVENTS, WARNING)], ids=["required", "optional"]
)
def test_a_permission_that_cannot_be_asked_for(feature: Feature, status: AuditStatus) -> None:
    for answer in (status_reply(403, "Forbidden", f"x {FORBIDDEN} create"), status_reply(500, "InternalError", "x")):
        report = audited(may=(answer,), features=(feature,))
        (asked,) = (one for one in report.steps if one.name.startswith("permission:"))
        assert asked.status is status
        assert "ask whether we may" in asked.detail


def test_an_answer_about_a_permission_that_makes_no_sense() -> None:
    assert step(audited(may=(reply({}),)), "permission:logs:pods/log").status is FAILED


def test_a_permission_in_the_whole_cluster() -> None:
    report = audited(may=(YES, reply({"status": {"allowed": False}})), features=(Feature.NODES,))
    assert step(report, "permission:nodes:nodes").status is OK
    assert "may not list pods in the whole cluster" in step(report, "permission:nodes:pods").detail


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (reply({"major": "1", "minor": "34+", "gitVersion": "v1.34.2-eks"}), OK, "v1.34.2-eks"),
        (reply({"major": "1", "minor": "37"}), OK, "1.37 (supported"),
        (reply({"major": "1", "minor": "33", "gitVersion": "v1.33.0"}), WARNING, "not among what is tested"),
        (reply({"major": "1", "minor": "38", "gitVersion": "v1.38.0"}), WARNING, "not among what is tested"),
        (reply({"major": "", "minor": ""}), WARNING, "cannot be read"),
        (reply({}), WARNING, "cannot be read"),
        (status_reply(403, "Forbidden", f"/version {FORBIDDEN} get path"), WARNING, "read the server's version"),
    ],
)
def test_the_servers_version(answer: Response, status: AuditStatus, words: str) -> None:
    report = audited(version=answer)
    assert step(report, "version").status is status
    assert words in step(report, "version").detail
    assert report.is_sound


def test_settings_with_which_nothing_can_be_opened() -> None:
    error = ConfigurationError("the context is not usable", [Fault("context", "there is none"), Fault("b", "c")])
    report = audit_of_bad_configuration(CONFIG, error)
    assert report.steps[0].status is FAILED
    assert report.steps[0].detail == "the context is not usable: context: there is none; b: c"
    assert report.steps[0].mend
    rest = report.steps[1:]
    assert {one.status for one in rest} == {SKIPPED}
    assert [one.name for one in rest][:6] == ["name", "tcp", "tls", "api", "authentication", "namespace"]
    assert rest[-1].name == "version"


def test_settings_that_are_none() -> None:
    report = audit_of_bad_configuration(None, ConfigurationError("no", mend="set KUBECONFIG"))
    assert (report.steps[0].detail, report.steps[0].mend) == ("no", "set KUBECONFIG")
    assert len(report.steps) == 6


def test_what_the_settings_turn_on_is_asked_for_and_nothing_is_left_behind() -> None:
    world = World()
    report = world.run(auditing(KubernetesConfig())).result
    asked = [one.name for one in report.steps if one.name.startswith("permission:")]
    assert asked == [
        "permission:workers:pods",
        "permission:logs:pods/log",
        "permission:jobs:pods",
        "permission:events:events",
        "permission:namespace:namespaces",
        "permission:limits:resourcequotas",
        "permission:limits:limitranges",
    ]
    assert report.is_sound
    assert not world.pods("hodei-workers")
