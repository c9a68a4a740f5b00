"""`NodePool`: what an autoscaler would add, valid when it is made."""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core.config.node_pool import NodePool, PoolTaint
from hodei_k8s_core.errors import ConfigurationError

FULL = NodePool(
    name="gpu",
    cpu="8",
    memory="32Gi",
    disk="100Gi",
    devices={"nvidia.com/gpu": "2"},
    labels={"pool": "gpu"},
    taints=(PoolTaint(key="gpu", value="yes", effect="NoExecute"),),
    architecture="arm64",
    pods=30,
    max_nodes=5,
)


@pytest.mark.parametrize("pool", [FULL, NodePool(name="a", cpu="1", memory="1Gi")])
def test_a_pool_goes_through_json_and_back(pool: NodePool) -> None:
    assert msgspec.json.decode(msgspec.json.encode(pool.to_dict()), type=NodePool) == pool


def test_what_is_as_by_default_is_not_written() -> None:
    assert NodePool(name="a", cpu="1", memory="1Gi").to_dict() == {"name": "a", "cpu": "1", "memory": "1Gi"}
    assert FULL.to_dict()["maxNodes"] == 5


def test_its_nodes_have_the_labels_that_every_node_has() -> None:
    assert FULL.node_labels == {"kubernetes.io/arch": "arm64", "kubernetes.io/os": "linux", "pool": "gpu"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", 3),
        ("cpu", "lots"),
        ("cpu", 3),
        ("memory", "-1"),
        ("disk", "1gb"),
        ("devices", ["x"]),
        ("devices", {"a b": "1"}),
        ("devices", {"a/b": "x"}),
        ("devices", {3: "1"}),
        ("labels", {"a b": "c"}),
        ("taints", [{"key": "a"}]),
        ("taints", None),
        ("taints", (PoolTaint(key="a b"), PoolTaint(key="a", value="b c"), PoolTaint(key="a", effect="Never"))),
        ("architecture", "a b"),
        ("pods", 0),
        ("max_nodes", 0),
    ],
)
def test_every_fault_names_its_field(field: str, value: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        msgspec.structs.replace(FULL, **{field: value})
    assert caught.value.faults
    assert all(fault.field.startswith(field) for fault in caught.value.faults)


def test_every_fault_of_a_taint_is_told() -> None:
    with pytest.raises(ConfigurationError) as caught:
        msgspec.structs.replace(FULL, taints=(PoolTaint(key="a"), PoolTaint(key="", value="b c", effect="x")))
    assert [fault.field for fault in caught.value.faults] == ["taints[1].key", "taints[1].value", "taints[1].effect"]
