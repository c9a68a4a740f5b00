"""Affinity by the API server's own rules, each fault with its place."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.spec.affinity import PREFERRED, REQUIRED, affinity_faults


def nodes(*terms: Any, wishes: Any = ()) -> dict[str, Any]:
    required = {REQUIRED: {"nodeSelectorTerms": list(terms)}} if terms else {}
    return {"nodeAffinity": {**required, PREFERRED: list(wishes)}}


def rules(*expressions: dict[str, Any]) -> dict[str, Any]:
    return {"matchExpressions": list(expressions)}


def rule(operator: str, *values: Any, key: str = "a") -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


def pods(kind: str = "podAffinity", **term: Any) -> dict[str, Any]:
    return {kind: {REQUIRED: [{"topologyKey": "zone", **term}]}}


RIGHT: list[Any] = [
    None,
    {},
    {"nodeAffinity": {}, "podAffinity": {}, "podAntiAffinity": None},
    nodes({}),
    nodes(rules(rule("In", "b", ""), rule("Exists"), rule("Gt", "5"), rule("NotIn", "x", key="a.b/c"))),
    nodes({"matchFields": [rule("In", "node-1.x", key="metadata.name")]}),
    nodes(wishes=[{"weight": 1}, {"weight": 100, "preference": rules(rule("In", "no label's value"))}]),
    pods(labelSelector={}, namespaceSelector={"matchLabels": {"a": "b"}}, namespaces=["ci"]),
    pods("podAntiAffinity", labelSelector={"matchExpressions": [rule("DoesNotExist")]}, matchLabelKeys=["a"]),
    {"podAffinity": {PREFERRED: [{"weight": 5, "podAffinityTerm": {"topologyKey": "a/b"}}]}},
]

WISHED = f'affinity["podAffinity"].{PREFERRED}[0]'
FIRST = f'affinity["nodeAffinity"].{REQUIRED}.nodeSelectorTerms[0]'
WISH = f'affinity["nodeAffinity"].{PREFERRED}[0]'
POD = f'affinity["podAffinity"].{REQUIRED}[0]'


WRONG: list[tuple[Any, list[str]]] = [
    ([], ["affinity"]),
    ("x", ["affinity"]),
    ({"nodeAfinity": {}}, ['affinity["nodeAfinity"]']),
    ({"nodeAffinity": {"required": {}}}, ['affinity["nodeAffinity"].manifest']),
    ({"nodeAffinity": {1: 2}}, ['affinity["nodeAffinity"].manifest']),
    ({"nodeAffinity": {REQUIRED: {}}}, ['affinity["nodeAffinity"].manifest']),
    (
        {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}},
        [f'affinity["nodeAffinity"].{REQUIRED}.nodeSelectorTerms'],
    ),
    (nodes(rules({"key": "a"})), ['affinity["nodeAffinity"].manifest']),
    (nodes(rules(rule("in", "b"))), [f"{FIRST}.matchExpressions[0].operator"]),
    (nodes(rules(rule("In"))), [f"{FIRST}.matchExpressions[0].values"]),
    (nodes(rules(rule("Exists", "b"))), [f"{FIRST}.matchExpressions[0].values"]),
    (nodes(rules(rule("Lt", "1", "2"))), [f"{FIRST}.matchExpressions[0].values"]),
    (nodes(rules(rule("In", "b", "b c"))), [f"{FIRST}.matchExpressions[0].values[1]"]),
    (nodes(rules(rule("In", "b", key="-"))), [f"{FIRST}.matchExpressions[0].key"]),
    (nodes({"matchFields": [rule("In", "b")]}), [f"{FIRST}.matchFields[0].key"]),
    (
        nodes({"matchFields": [rule("Exists", "B", key="metadata.name")]}),
        [f"{FIRST}.matchFields[0].operator", f"{FIRST}.matchFields[0].values[0]"],
    ),
    (nodes({"matchFields": [rule("In", "a", "b", key="metadata.name")]}), [f"{FIRST}.matchFields[0].values"]),
    (nodes(wishes=[{"weight": 0}]), [f"{WISH}.weight"]),
    (
        nodes(wishes=[{"weight": 101, "preference": rules(rule("In"))}]),
        [f"{WISH}.weight", f"{WISH}.preference.matchExpressions[0].values"],
    ),
    ({"podAffinity": {REQUIRED: [{}]}}, ['affinity["podAffinity"].manifest']),
    (pods(topologyKey=""), [f"{POD}.topologyKey"]),
    (pods(labelSelector={"matchLabels": {"a": "b c"}}), [f'{POD}.labelSelector.matchLabels["a"]']),
    (
        pods(labelSelector={"matchExpressions": [rule("Gt", "1")]}),
        [f"{POD}.labelSelector.matchExpressions[0].operator"],
    ),
    (pods(namespaceSelector={"matchLabels": {"-": ""}}), [f'{POD}.namespaceSelector.matchLabels["-"]']),
    (pods(namespaces=["a.b"]), [f"{POD}.namespaces[0]"]),
    (pods(matchLabelKeys=["a"]), [f"{POD}.matchLabelKeys"]),
    (
        pods(labelSelector={}, matchLabelKeys=["a", "-"], mismatchLabelKeys=["a"]),
        [f"{POD}.matchLabelKeys[1]", f"{POD}.matchLabelKeys[0]"],
    ),
    (
        {"podAffinity": {PREFERRED: [{"weight": 0, "podAffinityTerm": {"topologyKey": ""}}]}},
        [f"{WISHED}.weight", f"{WISHED}.podAffinityTerm.topologyKey"],
    ),
]


@pytest.mark.parametrize("affinity", RIGHT)
def test_what_is_right(affinity: Any) -> None:
    assert affinity_faults("affinity", affinity) == []


@pytest.mark.parametrize(("affinity", "fields"), WRONG)
def test_what_is_wrong_has_its_place(affinity: Any, fields: list[str]) -> None:
    assert [fault.field for fault in affinity_faults("affinity", affinity)] == fields


@pytest.mark.parametrize("text", ["\0", "\ud800"])
def test_what_json_or_a_container_cannot_carry(text: str) -> None:
    """The API server takes it in a wish: such a label is nowhere."""
    (fault,) = affinity_faults("affinity", nodes(wishes=[{"weight": 1, "preference": rules(rule("In", text))}]))
    assert fault.field == f"{WISH}.preference.matchExpressions[0].values[0]"
