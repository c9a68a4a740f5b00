"""Whether a node is one for a Pod: taints, selectors, affinity, as the scheduler reads them."""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core.capacity.node import Taint, parse_node_list
from hodei_k8s_core.capacity.node_match import NodeSelector, PodToleration, Requirement, unmet, untolerated
from hodei_k8s_core.errors import Internal
from tests.core.capacity_cases import node, taint


@pytest.mark.parametrize(
    ("toleration", "covers"),
    [
        (PodToleration("a", "Equal", "b", "NoSchedule"), True),
        (PodToleration("a", "", "b", "NoSchedule"), True),
        (PodToleration("a", "Equal", "b"), True),
        (PodToleration("a", "Exists"), True),
        (PodToleration(operator="Exists"), True),
        (PodToleration("a", "Equal", "c", "NoSchedule"), False),
        (PodToleration("a", "Equal", "b", "NoExecute"), False),
        (PodToleration("b", "Exists"), False),
        (PodToleration("a", "Lt", "b"), False),
    ],
)
def test_what_a_toleration_covers(toleration: PodToleration, covers: bool) -> None:
    assert toleration.covers(taint("a=b:NoSchedule")) is covers
    assert untolerated([taint("a=b:NoSchedule")], [toleration]) == ([] if covers else [taint("a=b:NoSchedule")])


def test_a_wish_keeps_nobody_away() -> None:
    assert node(taints=["a=b:PreferNoSchedule", "c:NoExecute"]).barriers == (Taint("c", "", "NoExecute"),)
    assert str(taint("a=b:NoSchedule")) == "a=b:NoSchedule"
    assert str(taint("a:NoSchedule")) == "a:NoSchedule"


def test_the_cluster_s_own_taints_pass() -> None:
    assert taint("node.kubernetes.io/not-ready:NoExecute").may_pass
    assert taint("node.cloudprovider.kubernetes.io/uninitialized:NoSchedule").may_pass
    assert not taint("ToBeDeletedByClusterAutoscaler:NoSchedule").may_pass


LABELS = {"disk": "fast", "generation": "7", "empty": ""}


@pytest.mark.parametrize(
    ("operator", "key", "values", "holds"),
    [
        ("In", "disk", ["slow", "fast"], True),
        ("In", "disk", ["slow"], False),
        ("In", "absent", [""], False),
        ("In", "empty", [""], True),
        ("NotIn", "disk", ["slow"], True),
        ("NotIn", "disk", ["fast"], False),
        ("NotIn", "absent", ["fast"], True),
        ("Exists", "empty", [], True),
        ("Exists", "absent", [], False),
        ("DoesNotExist", "absent", [], True),
        ("DoesNotExist", "disk", [], False),
        ("Gt", "generation", ["6"], True),
        ("Gt", "generation", ["7"], False),
        ("Gt", "generation", ["-8"], True),
        ("Lt", "generation", ["+8"], True),
        ("Lt", "generation", ["7"], False),
        ("Gt", "disk", ["6"], False),
        ("Gt", "absent", ["6"], False),
        ("Gt", "generation", ["6_0"], False),
        ("Gt", "generation", ["+-6"], False),
        ("Gt", "generation", ["1", "2"], False),
        ("Gt", "generation", ["9" * 20], False),
        ("Like", "disk", ["fast"], False),
    ],
)
def test_the_operators(operator: str, key: str, values: list[str], holds: bool) -> None:
    term = {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}
    found = unmet(node(labels=LABELS), {}, selector(term))
    assert (not found) is holds
    assert found == ([] if holds else [Requirement(key, operator, tuple(values))])


def selector(*terms: dict) -> NodeSelector:
    return msgspec.convert({"nodeSelectorTerms": list(terms)}, NodeSelector)


def test_the_node_selector_wants_every_label() -> None:
    assert unmet(node(labels=LABELS), {"disk": "fast", "empty": ""}, None) == []
    assert unmet(node(labels=LABELS), {"disk": "slow", "absent": ""}, None) == [
        Requirement("disk", "In", ("slow",)),
        Requirement("absent", "In", ("",)),
    ]


def test_one_term_must_hold_and_the_nearest_is_told() -> None:
    far = {"matchExpressions": [{"key": "x", "operator": "Exists"}, {"key": "y", "operator": "Exists"}]}
    near = {"matchExpressions": [{"key": "disk", "operator": "Exists"}, {"key": "z", "operator": "Exists"}]}
    met = {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}
    assert unmet(node(labels=LABELS), {}, selector(far, near)) == [Requirement("z", "Exists")]
    assert unmet(node(labels=LABELS), {}, selector(far, met)) == []
    # What the selector lacks already is not told twice.
    slow = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["slow"]}]}
    assert len(unmet(node(labels=LABELS), {"disk": "slow"}, selector(slow))) == 1


@pytest.mark.parametrize("terms", [[], [{}]])
def test_a_term_without_rules_selects_nothing(terms: list[dict]) -> None:
    assert unmet(node(), {}, selector(*terms))


def test_a_node_can_be_demanded_by_name() -> None:
    by_name = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}
    assert unmet(node("n1"), {}, selector(by_name)) == []
    assert [str(one) for one in unmet(node("n2"), {}, selector(by_name))] == ["metadata.name=n1"]


def test_a_requirement_for_people() -> None:
    assert str(Requirement("a", "NotIn", ("b", "c"))) == "a NotIn (b, c)"
    assert str(Requirement("a", "Exists")) == "a Exists"


NODES = b"""{"kind": "NodeList", "metadata": {"continue": "next"}, "items": [
 {"metadata": {"name": "a", "labels": {"x": "y"}, "annotations": {"much": "text"}},
  "spec": {"unschedulable": true, "taints": [{"key": "k", "effect": "NoSchedule", "timeAdded": "then"}]},
  "status": {"allocatable": {"cpu": "3920m", "pods": "110"}, "capacity": {"cpu": "4"}, "images": [{"names": ["i"]}],
   "conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "Unknown"}],
   "nodeInfo": {"containerRuntimeVersion": "containerd://2.0.1"}}},
 {"metadata": {"name": "b", "labels": null}, "status": {"capacity": {"cpu": "4"}}},
 {"metadata": {"name": "c"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}]}"""


def test_nodes_are_read() -> None:
    page = parse_node_list(NODES)
    first, second, third = page.items
    assert page.continue_token == "next"
    assert (first.name, first.labels, first.is_cordoned, first.is_ready) == ("a", {"x": "y"}, True, False)
    assert (first.allocatable, first.runtime) == ({"cpu": 3920, "pods": 110}, "containerd")
    assert (second.allocatable, second.is_ready) == ({"cpu": 4000}, None)
    assert third.is_ready is True
    assert parse_node_list(b'{"kind": "NodeList", "items": null}').items == ()
    with pytest.raises(Internal, match="not a NodeList but a PodList"):
        parse_node_list(b'{"kind": "PodList"}')
