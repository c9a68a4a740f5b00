"""The environment from Secrets and ConfigMaps: single keys and whole ones."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.spec.environment_source import ConfigMapKey, SecretKey, WholeConfigMap, WholeSecret
from hodei_k8s_core.spec.worker_spec import WorkerSpec

KEY = SecretKey(secret="s", key="k")


def spec(**fields: Any) -> WorkerSpec:
    return WorkerSpec(worker_id="w1", image="i", **fields)


def worker_of(asked: WorkerSpec) -> dict[str, Any]:
    container = build_worker_pod(asked, KubernetesConfig())["spec"]["containers"][0]
    assert isinstance(container, dict)
    return container


def test_single_keys_follow_what_is_written() -> None:
    env = worker_of(
        spec(
            environment={"A": "$(B)"},
            environment_from={"B": KEY, "C": ConfigMapKey(config_map="c", key=".k_1", optional=True)},
        )
    )["env"]
    assert env[3:] == [
        {"name": "A", "value": "$$(B)"},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "c", "key": ".k_1", "optional": True}}},
    ]


def test_whole_ones() -> None:
    container = worker_of(
        spec(environment_sources=[WholeSecret(secret="s", prefix="S_"), WholeConfigMap(config_map="c", optional=True)])
    )
    assert container["envFrom"] == [
        {"prefix": "S_", "secretRef": {"name": "s"}},
        {"configMapRef": {"name": "c", "optional": True}},
    ]
    assert "envFrom" not in worker_of(spec())


def test_a_name_is_given_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        spec(environment={"A": "1", "B": "2"}, environment_from={"B": KEY})
    assert [str(fault) for fault in caught.value.faults] == [
        'spec.environment_from["B"]: this name is given in environment too'
    ]


def test_a_variable_of_hodei_stays_hodeis_even_past_the_validation() -> None:
    asked = spec(environment={"A": "1"})
    msgspec.structs.force_setattr(asked, "environment_from", {"HODEI_WORKER_ID": KEY, "A": KEY, "B": KEY})
    env = worker_of(asked)["env"]
    assert [variable["name"] for variable in env].count("HODEI_WORKER_ID") == 1
    assert {"name": "HODEI_WORKER_ID", "value": "w1"} in env
    assert [variable["name"] for variable in env if "valueFrom" in variable] == ["B"]


@pytest.mark.parametrize(
    ("make", "fields", "faulty"),
    [
        (SecretKey, {"secret": "", "key": "k"}, ["secret"]),
        (SecretKey, {"secret": "s", "key": "a/b", "optional": None}, ["key", "optional"]),
        (ConfigMapKey, {"config_map": "A", "key": ""}, ["config_map", "key"]),
        (WholeSecret, {"secret": "s", "prefix": "a="}, ["prefix"]),
        (WholeConfigMap, {"config_map": 3, "prefix": None}, ["config_map", "prefix"]),
    ],
)
def test_what_is_wrong(make: Any, fields: dict[str, Any], faulty: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(**fields)
    assert [fault.field for fault in caught.value.faults] == faulty
