"""The setting `pod_template`: what a template may say, and what is a conflict, by its path."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.pod_template import PROTECTED
from hodei_k8s_core.errors import ConfigurationError

YAML = """
apiVersion: v1
kind: Pod
metadata:
  creationTimestamp: null
  labels: {team: build}
spec:
  restartPolicy: Never
  priorityClassName: low
  containers:
  - name: worker
    ports: [{containerPort: 80}]
status: {}
"""


def faults(template: Any) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        KubernetesConfig(pod_template=template)
    return {fault.field.removeprefix("pod_template."): fault.problem for fault in caught.value.faults}


def worker(**fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "worker", **fields}]}}


CONFLICTS = {
    "apiVersion": {"apiVersion": "v2"},
    "kind": {"kind": "Job"},
    "status": {"status": {"phase": "Running"}},
    "metadata.name": {"metadata": {"name": "x"}},
    "metadata.generateName": {"metadata": {"generateName": "x-"}},
    "metadata.namespace": {"metadata": {"namespace": "default"}},
    "metadata.uid": {"metadata": {"uid": "1"}},
    "metadata.managedFields": {"metadata": {"managedFields": [{"manager": "kubectl"}]}},
    'metadata.labels["app"]': {"metadata": {"labels": {"app": "x"}}},
    'metadata.labels["hodei.io/x"]': {"metadata": {"labels": {"hodei.io/x": "y"}}},
    'metadata.annotations["hodei.io/x"]': {"metadata": {"annotations": {"hodei.io/x": "y"}}},
    "spec.restartPolicy": {"spec": {"restartPolicy": "Always"}},
    "spec.activeDeadlineSeconds": {"spec": {"activeDeadlineSeconds": 5}},
    "spec.terminationGracePeriodSeconds": {"spec": {"terminationGracePeriodSeconds": 0}},
    "spec.serviceAccount": {"spec": {"serviceAccount": "x"}},
    "spec.ephemeralContainers": {"spec": {"ephemeralContainers": [{"name": "x"}]}},
    'spec.initContainers["worker"]': {"spec": {"initContainers": [{"name": "worker"}]}},
    'spec.containers["worker"].image': worker(image="x"),
    'spec.containers["worker"].restartPolicy': worker(restartPolicy="Always"),
    'spec.containers["worker"].env["HODEI_OTP_TOKEN"]': worker(env=[{"name": "A"}, {"name": "HODEI_OTP_TOKEN"}]),
}


@pytest.mark.parametrize("path", CONFLICTS)
def test_what_the_protocol_needs_is_a_conflict_that_names_the_path(path: str) -> None:
    assert list(faults(CONFLICTS[path])) == [path]


def test_every_protected_field_is_refused() -> None:
    for place, fields in PROTECTED.items():
        for name in fields:
            template: Any = {name: "wrong"}
            for part in reversed([] if not place else place.removesuffix('s["worker"]').split(".")):
                template = {"containers": [{"name": "worker", **template}]} if part == "container" else {part: template}
            assert f"{place}.{name}".removeprefix(".") in faults(template)


WRONG_TYPES = {
    "pod_template": "text",
    "metadata": {"metadata": []},
    "metadata.labels": {"metadata": {"labels": ["a"]}},
    'metadata.labels["a"]': {"metadata": {"labels": {"a": 1}}},
    "metadata.finalizers": {"metadata": {"finalizers": "a"}},
    "spec": {"spec": "x"},
    "spec.tolerations": {"spec": {"tolerations": {"key": "a"}}},
    "spec.nodeSelector": {"spec": {"nodeSelector": ["a"]}},
    "spec.containers": {"spec": {"containers": {"worker": {}}}},
    "spec.containers[0]": {"spec": {"containers": ["worker"]}},
    "spec.containers[1].name": {"spec": {"containers": [{"name": "a"}, {"image": "b"}]}},
    'spec.containers["worker"].env[0].name': worker(env=[{"value": "x"}]),
    'spec.containers["a"]': {"spec": {"containers": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}},
    'spec.containers["worker"].command': worker(command="sh"),
    'spec.containers["worker"].resources.limits': worker(resources={"limits": ["cpu"]}),
    'spec.containers["worker"].securityContext.capabilities.drop': worker(
        securityContext={"capabilities": {"drop": "ALL"}}
    ),
    'spec.affinity["nodeAfinity"]': {"spec": {"affinity": {"nodeAfinity": {}}}},
    "spce": {"spce": {}},
    "$patch": {"$patch": "replace"},
    "spec.volumes[0].$patch": {"spec": {"volumes": [{"name": "v", "$patch": "delete"}]}},
}


@pytest.mark.parametrize("path", WRONG_TYPES)
def test_a_wrong_type_is_a_fault_that_names_the_path(path: str) -> None:
    assert list(faults(WRONG_TYPES[path])) == [path]


def test_what_is_no_json_is_a_fault() -> None:
    assert "not bytes" in faults({"spec": {"new": b"x"}})["pod_template"]


def test_every_conflict_is_told_at_once() -> None:
    told = faults({"kind": "Job", "metadata": {"name": "x"}, **worker(image="x"), "what": 1})
    assert set(told) == {"kind", "metadata.name", 'spec.containers["worker"].image', "what"}
    assert "setting image" in told['spec.containers["worker"].image']


@pytest.mark.parametrize(
    "template",
    [
        {},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"restartPolicy": "Never"}, "status": {}},
        {"metadata": None, "spec": None},
        {"metadata": {"creationTimestamp": None, "managedFields": [], "finalizers": ["a/b"]}},
        {"spec": {"aFieldOfTomorrow": {"x": [1, None]}, "containers": [{"name": "worker", "tomorrow": 1}]}},
        worker(ports=[{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]),
        {"spec": {"containers": [{"name": "sidecar", "image": "x", "env": [{"name": "HODEI_OTP_TOKEN"}]}]}},
    ],
)
def test_a_template_that_leaves_the_protocol_alone_is_accepted(template: dict[str, Any]) -> None:
    KubernetesConfig(pod_template=template)


def test_it_comes_from_the_environment_as_yaml_or_json() -> None:
    config = KubernetesConfig.from_env({"HODEI_K8S_POD_TEMPLATE": YAML})
    assert config.pod_template is not None
    assert config.pod_template["metadata"] == {"labels": {"team": "build"}}
    assert KubernetesConfig.from_env(config.to_env()) == config
    json = '{"spec": {"priorityClassName":\t"low"}}'
    assert KubernetesConfig.from_env({"HODEI_K8S_POD_TEMPLATE": json}).pod_template == {
        "spec": {"priorityClassName": "low"}
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [("a: [", "is not YAML"), ('{"a": ', "is not JSON"), ("just text", "must be a Pod as a mapping")],
)
def test_what_cannot_be_read_is_a_fault(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        KubernetesConfig.from_env({"HODEI_K8S_POD_TEMPLATE": text})
    (fault,) = caught.value.faults
    assert fault.field == "pod_template (HODEI_K8S_POD_TEMPLATE)"
    assert problem in fault.problem


def test_it_shares_nothing_with_what_was_given() -> None:
    template: dict[str, Any] = {"spec": {"nodeSelector": {"a": "b"}}}
    config = KubernetesConfig(pod_template=template)
    template["spec"]["nodeSelector"]["c"] = "d"
    assert config.pod_template == {"spec": {"nodeSelector": {"a": "b"}}}
