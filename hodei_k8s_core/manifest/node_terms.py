"""What an affinity demands of nodes, and more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from hodei_k8s_core.spec.affinity import REQUIRED

NodeRules: TypeAlias = Sequence[Mapping[str, Any]]
"""`matchExpressions` that all must hold."""


def value_in(key: str, values: Sequence[str]) -> dict[str, Any]:
    """The rule that a label has one of these values."""
    return {"key": key, "operator": "In", "values": list(values)}


def demanding(affinity: Mapping[str, Any] | None, alternatives: Sequence[NodeRules]) -> dict[str, Any]:
    """The affinity, demanding further that one of the alternatives holds in whole; a new one.

    What it demanded before is still demanded: each of its terms, of which one must hold, is joined with each
    alternative.
    """
    affinity = affinity or {}
    nodes = affinity.get("nodeAffinity") or {}
    before = nodes.get(REQUIRED)
    terms = [{}] if before is None else before["nodeSelectorTerms"]
    joined = [
        {**term, "matchExpressions": [*term.get("matchExpressions", []), *rules]}
        for term in terms
        if term or before is None  # an empty term selects no node, and must not come to life here
        for rules in alternatives
    ]
    return {**affinity, "nodeAffinity": {**nodes, REQUIRED: {"nodeSelectorTerms": joined or [{}]}}}
