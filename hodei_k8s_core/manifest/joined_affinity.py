"""Two affinities, of which both hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hodei_k8s_core.spec.affinity import AFFINITIES, PREFERRED, REQUIRED

_NODES = AFFINITIES[0]
_RULES = ("matchExpressions", "matchFields")


def joined_affinity(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """What both demand is demanded, what either wishes is wished; a new one."""
    found = {name: (first[name], second[name]) for name in AFFINITIES if first.get(name) and second.get(name)}
    return {**first, **second} | {name: _joined(name, *both) for name, both in found.items()}


def _joined(name: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    joined = {**first, **second}
    if first.get(PREFERRED) and second.get(PREFERRED):
        joined[PREFERRED] = [*first[PREFERRED], *second[PREFERRED]]
    if first.get(REQUIRED) and second.get(REQUIRED):
        both = (first[REQUIRED], second[REQUIRED])
        joined[REQUIRED] = _node_terms(*both) if name == _NODES else [*both[0], *both[1]]
    return joined


def _node_terms(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """One of the terms of each must hold: every pair is a term. An empty term selects no node, so no pair with it."""
    terms = [_both_terms(one, other) for one in _terms(first) for other in _terms(second)]
    return {"nodeSelectorTerms": terms or [{}]}


def _terms(demand: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [term for term in demand["nodeSelectorTerms"] if any(term.get(rules) for rules in _RULES)]


def _both_terms(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    rules = {name: [*(first.get(name) or ()), *(second.get(name) or ())] for name in _RULES}
    return {name: listed for name, listed in rules.items() if listed}
