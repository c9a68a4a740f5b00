"""A worker's Pod on a template: who wins, field by field."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest

from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.candidate import read_candidate
from hodei_k8s_core.capacity.pod_demand import requests_of
from hodei_k8s_core.capacity.requirements_pod import pod_for
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.spec.environment_source import WholeSecret
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.sidecar import Sidecar
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.worker_spec import EphemeralVolume
from tests.core.strategic_patches import case as generated

Json = dict[str, Any]
SPEC: Json = {"worker_id": "w1", "image": "job:1"}
DO_NOT_DISRUPT = "karpenter.sh/do-not-disrupt"


def pod(template: Json, *, spec: Json | None = None, **settings: Any) -> Json:
    return build_worker_pod(WorkerSpec(**{**SPEC, **(spec or {})}), KubernetesConfig(pod_template=template, **settings))


def worker_of(made: Json) -> Json:
    found: Json
    (found,) = [one for one in made["spec"]["containers"] if one["name"] == "worker"]
    return found


def worker(template: Json, *, spec: Json | None = None, **settings: Any) -> Json:
    """The worker's container, on a template that says this of it."""
    return worker_of(pod({"spec": {"containers": [{"name": "worker", **template}]}}, spec=spec, **settings))


def faults(template: Json, *, spec: Json | None = None, **settings: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        pod(template, spec=spec, **settings)
    return [fault.field.removeprefix("pod_template.spec.") for fault in caught.value.faults]


@pytest.mark.parametrize(
    "template", [{}, {"apiVersion": "v1", "kind": "Pod", "metadata": None, "spec": {}, "status": {}}]
)
def test_a_template_that_says_nothing_changes_nothing(template: Json) -> None:
    assert pod(template) == build_worker_pod(WorkerSpec(**SPEC), KubernetesConfig())


def test_what_nobody_foresaw_is_in_the_pod() -> None:
    template: Json = {
        "metadata": {"labels": {"team": "a"}, "finalizers": ["a/b"]},
        "spec": {
            "shareProcessNamespace": True,
            "volumes": [{"name": "huge", "emptyDir": {"medium": "HugePages"}}],
            "initContainers": [{"name": "certificates", "image": "c:1"}],
            "containers": [
                {"name": "proxy", "image": "p:1"},
                {
                    "name": "worker",
                    "ports": [{"containerPort": 80}],
                    "lifecycle": {"preStop": {"exec": {"command": ["bye"]}}},
                    "volumeMounts": [{"name": "huge", "mountPath": "/huge"}],
                },
            ],
        },
    }
    made = pod(template)
    assert made["metadata"]["labels"]["team"] == "a"
    assert made["metadata"]["finalizers"] == ["a/b"]
    assert made["spec"]["shareProcessNamespace"] is True
    assert made["spec"]["volumes"] == template["spec"]["volumes"]
    assert [one["name"] for one in made["spec"]["initContainers"]] == ["certificates"]
    assert [one["name"] for one in made["spec"]["containers"]] == ["proxy", "worker"]
    assert worker_of(made).items() >= template["spec"]["containers"][1].items()
    plain = build_worker_pod(WorkerSpec(**SPEC), KubernetesConfig())
    assert worker_of(made).items() >= worker_of(plain).items()
    assert "status" not in made


def test_labels_and_annotations_the_worker_then_the_configuration_then_the_template() -> None:
    said = {"a": "template", "b": "template", "c": "template"}
    made = pod(
        {"metadata": {"labels": said, "annotations": said}},
        spec={"labels": {"a": "spec"}, "annotations": {"a": "spec"}},
        labels={"a": "config", "b": "config"},
        annotations={"a": "config", "b": "config"},
    )
    wanted = {"a": "spec", "b": "config", "c": "template"}
    assert made["metadata"]["labels"].items() >= wanted.items()
    assert made["metadata"]["annotations"].items() >= wanted.items()
    assert made["metadata"]["labels"]["app"] == "hodei-worker"


def test_the_protection_from_disruption_is_a_default() -> None:
    template = {"metadata": {"annotations": {DO_NOT_DISRUPT: "false"}}}
    assert pod(template)["metadata"]["annotations"][DO_NOT_DISRUPT] == "false"
    made = pod(template, annotations={DO_NOT_DISRUPT: "true"})
    assert made["metadata"]["annotations"][DO_NOT_DISRUPT] == "true"


def test_the_token_and_the_service_links_are_defaults() -> None:
    made = pod({"spec": {"automountServiceAccountToken": True, "enableServiceLinks": True}})["spec"]
    assert (made["automountServiceAccountToken"], made["enableServiceLinks"]) == (True, True)
    plain = pod({})["spec"]
    assert (plain["automountServiceAccountToken"], plain["enableServiceLinks"]) == (False, False)


def test_the_configured_service_account_wins() -> None:
    template = {"spec": {"serviceAccountName": "template"}}
    assert pod(template)["spec"]["serviceAccountName"] == "template"
    assert pod(template, service_account="config")["spec"]["serviceAccountName"] == "config"


def test_node_selectors_are_merged_by_key() -> None:
    template = {"spec": {"nodeSelector": {"a": "template", "b": "template"}}}
    made = pod(template, spec={"node_selector": {"a": "spec"}}, node_selector={"c": "config"})
    assert made["spec"]["nodeSelector"] == {"a": "spec", "b": "template", "c": "config"}


def test_tolerations_of_both() -> None:
    one, other = {"key": "a", "operator": "Exists"}, {"key": "b", "operator": "Exists"}
    configured = [Toleration(key="b", operator="Exists"), Toleration(key="c", operator="Exists")]
    made = pod({"spec": {"tolerations": [one, other]}}, tolerations=configured)
    assert made["spec"]["tolerations"] == [one, other, {"key": "c", "operator": "Exists"}]


def rule(key: str) -> Json:
    return {"key": key, "operator": "Exists"}


REQUIRED, PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)


def test_what_both_affinities_demand_is_demanded() -> None:
    theirs: Json = {
        "nodeAffinity": {
            REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [rule("a")]}, {"matchExpressions": [rule("b")]}]},
            PREFERRED: [{"weight": 1, "preference": {"matchExpressions": [rule("p")]}}],
        },
        "podAffinity": {REQUIRED: [{"topologyKey": "zone"}]},
    }
    field = {"key": "metadata.name", "operator": "In", "values": ["n"]}
    ours: Json = {
        "nodeAffinity": {
            REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [rule("c")], "matchFields": [field]}]},
            PREFERRED: [{"weight": 2, "preference": {"matchExpressions": [rule("q")]}}],
        },
        "podAffinity": {REQUIRED: [{"topologyKey": "host"}]},
        "podAntiAffinity": {REQUIRED: [{"topologyKey": "rack"}]},
    }
    assert pod({"spec": {"affinity": theirs}}, affinity=ours)["spec"]["affinity"] == {
        "nodeAffinity": {
            REQUIRED: {
                "nodeSelectorTerms": [
                    {"matchExpressions": [rule("a"), rule("c")], "matchFields": [field]},
                    {"matchExpressions": [rule("b"), rule("c")], "matchFields": [field]},
                ]
            },
            PREFERRED: [*theirs["nodeAffinity"][PREFERRED], *ours["nodeAffinity"][PREFERRED]],
        },
        "podAffinity": {REQUIRED: [{"topologyKey": "zone"}, {"topologyKey": "host"}]},
        "podAntiAffinity": ours["podAntiAffinity"],
    }


def test_an_empty_term_of_a_demand_selects_no_node() -> None:
    nothing: Json = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{}]}}}
    wanted = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [rule("c")]}]}}}
    assert pod({"spec": {"affinity": nothing}}, affinity=wanted)["spec"]["affinity"] == nothing
    assert pod({"spec": {"affinity": {"podAffinity": {}}}}, affinity=wanted)["spec"]["affinity"] == {
        **wanted,
        "podAffinity": {},
    }
    wish = {"nodeAffinity": {PREFERRED: [{"weight": 1, "preference": {"matchExpressions": [rule("p")]}}]}}
    joined = {"nodeAffinity": wanted["nodeAffinity"] | wish["nodeAffinity"]}
    assert pod({"spec": {"affinity": wish}}, affinity=wanted)["spec"]["affinity"] == joined


def test_on_any_template_the_protocol_holds() -> None:
    """Generated Pods as templates: each is refused by the configuration, or by the spec, or leaves what is ours."""
    spec = {"environment": {"A": "a"}, "volumes": [EphemeralVolume(name="mine", mount_path="/mine")]}
    plain = pod({}, spec=spec)
    ends: Counter[str] = Counter()
    strange: list[Fault] = []
    for seed in range(300):
        template, _ = generated(seed)
        template = {key: template.get(key) for key in ("metadata", "spec")}
        template["metadata"].pop("name")
        template["spec"] = {**(template["spec"] or {}), "restartPolicy": "Never", "ephemeralContainers": []}
        rename_worker(template["spec"])
        given = copy.deepcopy(template)
        try:
            config = KubernetesConfig(pod_template=template, security_profile=SecurityProfile.PRIVILEGED)
            made = build_worker_pod(WorkerSpec(**{**SPEC, **spec}), config)
        except ConfigurationError as error:
            ends["refused"] += 1
            strange += [fault for fault in error.faults if not fault.field.startswith("pod_template.")]
            continue
        ends["made"] += 1
        assert template == given
        assert made == build_worker_pod(WorkerSpec(**{**SPEC, **spec}), config)
        assert {name: made["metadata"][name] for name in ("name", "namespace")} == {
            name: plain["metadata"][name] for name in ("name", "namespace")
        }
        assert made["metadata"]["labels"].items() >= plain["metadata"]["labels"].items()
        for name in ("restartPolicy", "activeDeadlineSeconds", "terminationGracePeriodSeconds"):
            assert made["spec"][name] == plain["spec"][name]
        mine, own = worker_of(made), worker_of(plain)
        assert mine["image"] == own["image"]
        assert mine["env"][: len(own["env"])] == own["env"]
        assert len({variable["name"] for variable in mine["env"]}) == len(mine["env"])
        assert own["volumeMounts"][0] in mine["volumeMounts"]
    assert (strange, min(ends.values()) > 20) == ([], True), ends


def rename_worker(spec: Json) -> None:
    """The container `a` becomes the worker's."""
    for one in spec.get("containers", ()):
        if one["name"] == "a":
            one["name"] = "worker"
            one.pop("image", None)


# --- the worker's container


def test_a_worker_has_its_environment_and_the_templates() -> None:
    template = {
        "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}, {"name": "B", "value": "b"}]
    }
    env = worker(template, spec={"environment": {"A": "a"}})["env"]
    assert [variable["name"] for variable in env[:2]] == ["HODEI_WORKER_ID", "HODEI_SERVER_ADDRESS"]
    assert env[-2:] == [{"name": "A", "value": "a"}, {"name": "B", "value": "b"}]


def test_the_workers_own_sources_of_environment_come_last_and_win() -> None:
    theirs = [{"configMapRef": {"name": "m"}}]
    made = worker({"envFrom": theirs}, spec={"environment_sources": [WholeSecret(secret="s")]})
    assert made["envFrom"] == [*theirs, {"secretRef": {"name": "s"}}]


def test_a_workers_command_goes_without_the_templates_args() -> None:
    template = {"command": ["t"], "args": ["u"]}
    assert worker(template).items() >= template.items()
    made = worker(template, spec={"command": ["s"]})
    assert (made["command"], made.get("args")) == (["s"], None)
    made = worker(template, spec={"args": ["s"]})
    assert (made["command"], made["args"]) == (["t"], ["s"])


def test_a_readiness_probe_is_taken_whole() -> None:
    template = {"readinessProbe": {"exec": {"command": ["x"]}, "periodSeconds": 3}}
    assert worker(template)["readinessProbe"] == template["readinessProbe"]
    probe = ReadinessProbe(tcp=80)
    assert worker(template, readiness_probe=probe)["readinessProbe"] == probe.to_manifest()


@pytest.mark.parametrize(
    ("template", "spec", "settings", "requests", "limits"),
    [
        ({}, {}, {}, {"cpu": "100m", "memory": "128Mi"}, {"cpu": "1", "memory": "512Mi"}),
        # A default yields, request and limit together.
        ({"requests": {"cpu": "2"}}, {}, {}, {"cpu": "2", "memory": "128Mi"}, {"memory": "512Mi"}),
        ({"limits": {"memory": "4Gi"}}, {}, {}, {"cpu": "100m"}, {"cpu": "1", "memory": "4Gi"}),
        # What is configured does not.
        (
            {"requests": {"cpu": "2"}, "limits": {"cpu": "3"}},
            {},
            {"default_cpu_limit": "4"},
            {"cpu": "100m", "memory": "128Mi"},
            {"cpu": "4", "memory": "512Mi"},
        ),
        ({"limits": {"cpu": "3"}}, {}, {"cpu_limit": False}, {"memory": "128Mi"}, {"memory": "512Mi"}),
        # What is asked for wins, and what only the template names stays.
        (
            {"requests": {"cpu": "2", "x/y": "1"}, "limits": {"x/y": "1"}},
            {"resources": ResourceRequirements(cpu_cores=3, memory_bytes=1024**3, disk_bytes=0)},
            {},
            {"cpu": "3", "memory": "1Gi", "x/y": "1"},
            {"cpu": "3", "memory": "1Gi", "x/y": "1"},
        ),
    ],
)
def test_resources(template: Json, spec: Json, settings: Json, requests: Json, limits: Json) -> None:
    made = worker({"resources": template}, spec=spec, **settings)["resources"]
    assert (made["requests"], made["limits"]) == (requests, limits)


def test_what_stays_empty_is_left_out_of_resources() -> None:
    template = {"requests": {"cpu": "2", "memory": "1Gi"}, "claims": [{"name": "c"}]}
    assert worker({"resources": template})["resources"] == template


# --- what both cannot have


def test_two_of_one_name_are_a_conflict() -> None:
    template = {
        "volumes": [{"name": "cache", "emptyDir": {}}, {"name": "other", "emptyDir": {}}],
        "initContainers": [{"name": "db", "image": "x"}],
        "containers": [{"name": "worker", "volumeMounts": [{"mountPath": "/c", "name": "other"}]}],
    }
    spec = {
        "volumes": [EphemeralVolume(name="cache", mount_path="/c")],
        "sidecars": [Sidecar(name="db", image="db:1")],
    }
    assert faults({"spec": template}, spec=spec) == [
        'volumes["cache"]',
        'initContainers["db"]',
        'containers["worker"].volumeMounts["/c"]',
    ]


# --- security


def context(**fields: Any) -> Json:
    return {"spec": {"containers": [{"name": "proxy", "image": "p", "securityContext": fields}]}}


FORBIDDEN = [
    ({"spec": {"hostNetwork": True}}, "hostNetwork", True),
    ({"spec": {"hostPID": True}}, "hostPID", True),
    (context(privileged=True), 'containers["proxy"].securityContext.privileged', True),
    (
        context(seccompProfile={"type": "Unconfined"}),
        'containers["proxy"].securityContext.seccompProfile.type',
        True,
    ),
    (context(allowPrivilegeEscalation=True), 'containers["proxy"].securityContext.allowPrivilegeEscalation', False),
    (context(runAsNonRoot=False), 'containers["proxy"].securityContext.runAsNonRoot', False),
    ({"spec": {"securityContext": {"runAsUser": 0}}}, "securityContext.runAsUser", False),
    (context(capabilities={"add": ["SYS_ADMIN"]}), 'containers["proxy"].securityContext.capabilities.add', False),
    (context(capabilities={"drop": ["KILL"]}), 'containers["proxy"].securityContext.capabilities.drop', False),
]


@pytest.mark.parametrize(("template", "path", "also_baseline"), FORBIDDEN, ids=[path for _, path, _ in FORBIDDEN])
def test_what_the_security_profile_forbids_is_a_conflict(template: Json, path: str, also_baseline: bool) -> None:
    assert faults(template) == [path]
    if also_baseline:
        assert faults(template, security_profile=SecurityProfile.BASELINE) == [path]
    else:
        pod(template, security_profile=SecurityProfile.BASELINE)
    pod(template, security_profile=SecurityProfile.PRIVILEGED)
    pod(template, spec={"security_profile": SecurityProfile.PRIVILEGED})


def test_the_templates_containers_pass_the_profile_too() -> None:
    demanded = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    template = context(readOnlyRootFilesystem=True, capabilities={"add": ["NET_BIND_SERVICE"]})
    template["spec"]["initContainers"] = [{"name": "certificates", "image": "c"}]
    made = pod(template)["spec"]
    assert made["initContainers"][0]["securityContext"] == demanded
    assert made["containers"][1]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    lax = pod(template, security_profile=SecurityProfile.PRIVILEGED)["spec"]
    assert "securityContext" not in lax["initContainers"][0]


def test_the_templates_security_context_stands_before_our_defaults() -> None:
    said = {"runAsUser": 7, "fsGroup": 8, "supplementalGroups": [9], "seccompProfile": {"type": "Localhost"}}
    made = pod({"spec": {"securityContext": said}})["spec"]["securityContext"]
    assert made == {"runAsNonRoot": True, **said}
    assert worker({"securityContext": {"readOnlyRootFilesystem": True}})["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_a_user_that_is_asked_for_wins() -> None:
    template = {
        "spec": {
            "securityContext": {"runAsUser": 7, "fsGroup": 8},
            "containers": [{"name": "worker", "securityContext": {"runAsUser": 6}}],
        }
    }
    made = pod(template)
    assert (made["spec"]["securityContext"]["runAsUser"], worker_of(made)["securityContext"]["runAsUser"]) == (7, 6)
    for spec, settings in (({"run_as_user": 5, "fs_group": 4}, {}), ({}, {"run_as_user": 5, "fs_group": 4})):
        made = pod(template, spec=spec, **settings)
        assert made["spec"]["securityContext"].items() >= {"runAsUser": 5, "fsGroup": 4}.items()
        assert "runAsUser" not in worker_of(made)["securityContext"]
    lax = pod(template, run_as_user=5, security_profile=SecurityProfile.BASELINE)
    assert lax["spec"]["securityContext"]["runAsUser"] == 7
    asked = pod(template, spec={"run_as_user": 5, "security_profile": SecurityProfile.PRIVILEGED})
    assert asked["spec"]["securityContext"]["runAsUser"] == 5
    assert worker_of(asked)["securityContext"] == {}


# --- capacity


def test_what_a_worker_demands_counts_the_template() -> None:
    template = {
        "spec": {
            "overhead": {"cpu": "250m"},
            "containers": [{"name": "proxy", "image": "p", "resources": {"requests": {"cpu": "500m"}}}],
        }
    }
    plain, config = KubernetesConfig(), KubernetesConfig(pod_template=template)
    added = demand(config) - demand(plain)
    assert added == 750 * 10**6


def demand(config: KubernetesConfig) -> int:
    """In thousand-millionths of a core."""
    return requests_of(read_candidate(pod_for(JobRequirements(), config)))["cpu"]
