"""Tolerations by the API server's own rules (ValidateTolerations)."""

from __future__ import annotations

import pytest

from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.spec.toleration import Toleration

VALID = [
    ({"key": "gpu", "operator": "Exists"}, {"key": "gpu", "operator": "Exists"}),
    ({"operator": "Exists"}, {"operator": "Exists"}),
    ({"key": "a/b"}, {"key": "a/b", "operator": "Equal"}),
    (
        {"key": "a", "value": "b", "effect": "NoSchedule"},
        {"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"},
    ),
    (
        {"key": "a", "operator": "Exists", "effect": "NoExecute", "toleration_seconds": 0},
        {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0},
    ),
    # The API server takes a negative number, and evicts at once.
    (
        {"key": "a", "effect": "NoExecute", "toleration_seconds": -1},
        {"key": "a", "operator": "Equal", "effect": "NoExecute", "tolerationSeconds": -1},
    ),
    ({"key": "a", "effect": "PreferNoSchedule"}, {"key": "a", "operator": "Equal", "effect": "PreferNoSchedule"}),
]
INVALID = [
    ({}, ["operator"]),
    ({"value": "x"}, ["operator"]),
    ({"key": "-a"}, ["key"]),
    ({"key": "a", "operator": "exists"}, ["operator"]),
    ({"key": "a", "operator": ""}, ["operator"]),
    ({"key": "a", "operator": "Exists", "value": "x"}, ["value"]),
    ({"key": "a", "value": "not a value"}, ["value"]),
    ({"key": "a", "effect": "NoRun"}, ["effect"]),
    ({"key": "a", "effect": "NoSchedule", "toleration_seconds": 5}, ["effect"]),
    ({"key": "a", "toleration_seconds": 5}, ["effect"]),
    ({"key": 1, "operator": None, "value": b"", "effect": 2.5}, ["effect", "key", "operator", "value"]),
    ({"key": "a", "effect": "NoExecute", "toleration_seconds": 1.5}, ["toleration_seconds"]),
    ({"key": "a", "effect": "NoExecute", "toleration_seconds": True}, ["toleration_seconds"]),
    ({"key": "_", "value": "_", "effect": "_"}, ["effect", "key", "value"]),
]


@pytest.mark.parametrize(("fields", "manifest"), VALID)
def test_a_valid_toleration_becomes_a_pods(fields, manifest):
    assert Toleration(**fields).to_manifest() == manifest


@pytest.mark.parametrize(("fields", "faulty"), INVALID)
def test_every_fault_of_an_invalid_one_is_told(fields, faulty):
    with pytest.raises(ConfigurationError) as caught:
        Toleration(**fields)
    assert sorted(fault.field for fault in caught.value.faults) == faulty


def test_toleration_builder():
    built = Toleration.builder().key("gpu").exists().effect("NoExecute").toleration_seconds(60).build()
    assert built == Toleration(key="gpu", operator="Exists", effect="NoExecute", toleration_seconds=60)
    assert Toleration.builder().key("a").operator("Equal").value("b").build() == Toleration(key="a", value="b")


def test_the_builder_reports_every_fault():
    with pytest.raises(ConfigurationError) as caught:
        Toleration.builder().key("a b").effect("x").build()
    assert [fault.field for fault in caught.value.faults] == ["key", "effect"]
