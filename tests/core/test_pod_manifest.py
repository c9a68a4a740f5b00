"""Spec and configuration -> Pod."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.manifest import build_worker_pod, encode_worker_pod
from hodei_k8s_core.pod import parse_pod
from hodei_k8s_core.secret import Secret
from hodei_k8s_core.spec.readiness_probe import HttpProbe, ReadinessProbe
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.worker_spec import (
    EphemeralVolume,
    ResourceRequirements,
    WorkerSpec,
)

DEFAULTS = KubernetesConfig()
RESTRICTED, BASELINE, PRIVILEGED = SecurityProfile.RESTRICTED, SecurityProfile.BASELINE, SecurityProfile.PRIVILEGED


def spec(**fields: Any) -> WorkerSpec:
    return WorkerSpec(**{"worker_id": "w1", "image": "registry/worker:1", "server_address": "hodei:9090", **fields})


def pod_of(config: KubernetesConfig = DEFAULTS, **fields: Any) -> dict[str, Any]:
    return build_worker_pod(spec(**fields), config)


def worker_of(config: KubernetesConfig = DEFAULTS, **fields: Any) -> dict[str, Any]:
    (container,) = pod_of(config, **fields)["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def environment_of(**fields: Any) -> list[tuple[str, str]]:
    return [(variable["name"], variable["value"]) for variable in worker_of(**fields)["env"]]


def test_the_whole_pod_of_a_plain_worker() -> None:
    assert build_worker_pod(spec(otp_token="otp"), DEFAULTS, creation_token="token-1") == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "hodei-worker-w1",
            "namespace": "hodei-workers",
            "labels": {
                "app": "hodei-worker",
                "hodei.io/worker-id": "w1",
                "hodei.io/managed": "true",
                "hodei.io/provider-id": "kubernetes",
            },
            "annotations": {
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
                "karpenter.sh/do-not-disrupt": "true",
                "hodei.io/idle-timeout": "300",
                "hodei.io/ttl-after-completion": "300",
                "hodei.io/creation-token": "token-1",
            },
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": 3600,
            "terminationGracePeriodSeconds": 30,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "worker",
                    "image": "registry/worker:1",
                    "env": [
                        {"name": "HODEI_WORKER_ID", "value": "w1"},
                        {"name": "HODEI_SERVER_ADDRESS", "value": "hodei:9090"},
                        {"name": "HODEI_OTP_TOKEN", "value": "otp"},
                        {"name": "HODEI_WORKER_MODE", "value": "ephemeral"},
                    ],
                    "resources": {
                        "requests": {"cpu": "100m", "memory": "128Mi"},
                        "limits": {"cpu": "1", "memory": "512Mi"},
                    },
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }


def test_every_setting_of_the_configuration_arrives() -> None:
    config = KubernetesConfig(
        namespace="ci",
        provider_id="east",
        service_account="agent",
        image_pull_secrets=["registry", "mirror"],
        labels={"team": "build"},
        annotations={"example.com/note": "n"},
        node_selector={"pool": "ci"},
        tolerations=[Toleration(key="ci", operator="Exists", effect="NoSchedule")],
        affinity={"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        default_cpu_request="250m",
        default_memory_request="1Gi",
        default_cpu_limit="2",
        default_memory_limit="2Gi",
        readiness_probe=ReadinessProbe(tcp=8080),
        grace_period=9.5,
        ttl_seconds_after_finished=60,
    )
    pod = pod_of(config)
    meta, pod_spec = pod["metadata"], pod["spec"]
    assert meta["namespace"] == "ci"
    assert (meta["labels"]["team"], meta["labels"]["hodei.io/provider-id"]) == ("build", "east")
    assert meta["annotations"]["example.com/note"] == "n"
    assert meta["annotations"]["hodei.io/ttl-after-completion"] == "60"
    assert pod_spec["serviceAccountName"] == "agent"
    assert pod_spec["imagePullSecrets"] == [{"name": "registry"}, {"name": "mirror"}]
    assert pod_spec["nodeSelector"] == {"pool": "ci"}
    assert pod_spec["tolerations"] == [{"key": "ci", "operator": "Exists", "effect": "NoSchedule"}]
    assert pod_spec["affinity"] == {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
    assert pod_spec["terminationGracePeriodSeconds"] == 10
    container = pod_spec["containers"][0]
    assert container["readinessProbe"]["tcpSocket"] == {"port": 8080}
    assert container["resources"] == {
        "requests": {"cpu": "250m", "memory": "1Gi"},
        "limits": {"cpu": "2", "memory": "2Gi"},
    }


def test_every_field_of_the_spec_arrives() -> None:
    container = worker_of(
        KubernetesConfig(readiness_probe=ReadinessProbe(tcp=1)),
        image="i:2",
        command=["sh", "-c"],
        args=["true"],
        image_pull_policy="Never",
        readiness_probe=ReadinessProbe(http=HttpProbe(path="/ready", port=80)),
    )
    assert (container["image"], container["imagePullPolicy"]) == ("i:2", "Never")
    assert (container["command"], container["args"]) == (["sh", "-c"], ["true"])
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert "tcpSocket" not in container["readinessProbe"]


# --- labels and annotations


def test_the_spec_goes_before_the_configuration_and_hodei_before_both() -> None:
    config = KubernetesConfig(labels={"a": "config", "b": "config"}, annotations={"a": "config", "b": "config"})
    meta = pod_of(config, labels={"b": "spec"}, annotations={"b": "spec"})["metadata"]
    assert (meta["labels"]["a"], meta["labels"]["b"]) == ("config", "spec")
    assert (meta["annotations"]["a"], meta["annotations"]["b"]) == ("config", "spec")


def test_what_is_hodeis_cannot_be_overridden_even_past_the_validation() -> None:
    forged_labels = {"app": "x", "hodei.io/worker-id": "x", "hodei.io/managed": "false", "hodei.io/other": "x"}
    forged_notes = {"hodei.io/job-id": "x", "hodei.io/idle-timeout": "x", "sub.hodei.io/creation-token": "x"}
    asked, config = spec(), KubernetesConfig()
    for holder in (asked, config):
        msgspec.structs.force_setattr(holder, "labels", forged_labels)
        msgspec.structs.force_setattr(holder, "annotations", forged_notes)
    meta = build_worker_pod(asked, config)["metadata"]
    plain = build_worker_pod(spec(), KubernetesConfig())["metadata"]
    assert meta == plain


def test_disruption_is_allowed_where_the_configuration_says_so() -> None:
    annotations = pod_of(KubernetesConfig(protect_from_disruption=False))["metadata"]["annotations"]
    assert annotations == {"hodei.io/idle-timeout": "300", "hodei.io/ttl-after-completion": "300"}


def test_a_user_may_allow_the_disruption_of_one_worker() -> None:
    annotations = pod_of(annotations={"karpenter.sh/do-not-disrupt": "false"})["metadata"]["annotations"]
    assert annotations["karpenter.sh/do-not-disrupt"] == "false"
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0"), (0.5, "0.5"), (1e7, "10000000"), (60.0, "60")])
def test_times_are_written_as_plain_numbers(seconds: float, text: str) -> None:
    annotations = pod_of(idle_timeout=seconds, ttl_after_completion=seconds)["metadata"]["annotations"]
    assert annotations["hodei.io/idle-timeout"] == annotations["hodei.io/ttl-after-completion"] == text


@pytest.mark.parametrize(("lifetime", "seconds"), [(1, 1), (1.01, 2), (3600.0, 3600)])
def test_the_lifetime_is_rounded_up(lifetime: float, seconds: int) -> None:
    assert pod_of(max_lifetime=lifetime)["spec"]["activeDeadlineSeconds"] == seconds


# --- environment and its escaping


def test_without_an_otp_there_is_no_variable_for_it() -> None:
    assert environment_of() == [
        ("HODEI_WORKER_ID", "w1"),
        ("HODEI_SERVER_ADDRESS", "hodei:9090"),
        ("HODEI_WORKER_MODE", "ephemeral"),
    ]


def test_the_workers_own_variables_follow_in_their_order() -> None:
    variables = environment_of(environment={"Z": "1", "A": "2"}, otp_token=Secret("o"))
    assert [name for name, _ in variables[4:]] == ["Z", "A"]


def test_a_variable_of_hodei_stays_hodeis_even_past_the_validation() -> None:
    asked = spec(otp_token="real")
    msgspec.structs.force_setattr(asked, "environment", {"HODEI_OTP_TOKEN": "forged", "HODEI_WORKER_MODE": "x"})
    msgspec.structs.force_setattr(asked, "otp_token", "real")
    env = build_worker_pod(asked, DEFAULTS)["spec"]["containers"][0]["env"]
    assert [variable["name"] for variable in env].count("HODEI_OTP_TOKEN") == 1
    assert {"name": "HODEI_OTP_TOKEN", "value": "real"} in env
    assert {"name": "HODEI_WORKER_MODE", "value": "ephemeral"} in env


# --- the same in, the same out

NODE_AFFINITY: dict[str, Any] = {
    "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}
}


def test_equal_inputs_give_equal_bytes() -> None:
    one = encode_worker_pod(spec(labels={"a": "1", "b": "2"}, otp_token="o"), DEFAULTS, creation_token="t")
    other = encode_worker_pod(spec(labels={"b": "2", "a": "1"}, otp_token="o"), DEFAULTS, creation_token="t")
    assert one == other
    assert json.loads(one) == build_worker_pod(
        spec(labels={"a": "1", "b": "2"}, otp_token="o"), DEFAULTS, creation_token="t"
    )


def scribbled(value: Any) -> None:
    """Change every mapping and list of a manifest."""
    for part in list(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()):
        scribbled(part)
    if isinstance(value, dict):
        value["scribble"] = 1
    elif isinstance(value, list):
        value.append("scribble")


def test_the_dict_is_the_callers_own() -> None:
    config = KubernetesConfig(
        node_selector={"pool": "ci"},
        affinity=NODE_AFFINITY,
        readiness_probe=ReadinessProbe(exec=["true"]),
        tolerations=[Toleration(key="a", operator="Exists")],
    )
    asked = spec(
        resources=ResourceRequirements(), volumes=[EphemeralVolume(name="v")], command=["a"], labels={"l": "1"}
    )
    before = encode_worker_pod(asked, config)
    scribbled(build_worker_pod(asked, config))
    assert encode_worker_pod(asked, config) == before


def test_the_pod_reads_back_as_the_worker() -> None:
    pod = parse_pod(encode_worker_pod(spec(), DEFAULTS, creation_token="token-1"))
    assert (pod.worker_id, pod.creation_token) == ("w1", "token-1")
    assert pod.spec.containers[0].image == "registry/worker:1"
    assert pod.spec.restart_policy == "Never"


def test_no_error_and_no_repr_shows_the_otp() -> None:
    asked = spec(otp_token="s3cr3t", run_as_user=0)
    assert "s3cr3t" not in repr(asked)
    with pytest.raises(ConfigurationError) as caught:
        build_worker_pod(asked, DEFAULTS)
    assert "s3cr3t" not in str(caught.value)
