"""A Pod's affinity as it is written in a Pod, by the API server's own rules (validateAffinity)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.names import dns_label_problem, dns_subdomain_problem, label_key_problem, label_value_problem
from hodei_k8s_core.spec.label_selector import (
    OPERATORS_OF_NODES,
    LabelRule,
    LabelSelector,
    label_keys_faults,
    label_selector_faults,
    rule_faults,
)
from hodei_k8s_core.validation import fault_of, item, sequence_faults, text_problem, text_that, type_problem, within

AFFINITIES: Final = ("nodeAffinity", "podAffinity", "podAntiAffinity")
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_FIELD_OF_NODE: Final = "metadata.name"


class _Part(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The API server drops what it does not know, with a warning: the Pod would run anywhere."""


class _NodeTerm(_Part, frozen=True):
    match_expressions: tuple[LabelRule, ...] = ()
    match_fields: tuple[LabelRule, ...] = ()


class _NodeTerms(_Part, frozen=True):
    node_selector_terms: tuple[_NodeTerm, ...]


class _NodeWish(_Part, frozen=True):
    weight: int
    preference: _NodeTerm = _NodeTerm()


class _NodeAffinity(_Part, frozen=True):
    required: _NodeTerms | None = msgspec.field(default=None, name=REQUIRED)
    preferred: tuple[_NodeWish, ...] = msgspec.field(default=(), name=PREFERRED)


class _PodTerm(_Part, frozen=True):
    topology_key: str
    label_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    namespaces: tuple[str, ...] = ()
    match_label_keys: tuple[str, ...] = ()
    mismatch_label_keys: tuple[str, ...] = ()


class _PodWish(_Part, frozen=True):
    weight: int
    pod_affinity_term: _PodTerm


class _PodAffinity(_Part, frozen=True):
    required: tuple[_PodTerm, ...] = msgspec.field(default=(), name=REQUIRED)
    preferred: tuple[_PodWish, ...] = msgspec.field(default=(), name=PREFERRED)


_KINDS: Final = dict(zip(AFFINITIES, (_NodeAffinity, _PodAffinity, _PodAffinity), strict=True))


def affinity_faults(field: str, value: object) -> list[Fault]:
    """Everything that is wrong with an affinity; None is none."""
    if value is None:
        return []
    if not isinstance(value, Mapping):
        return [Fault(field, type_problem(value, "a mapping or None"))]
    found = [Fault(item(field, key), f"must be one of {', '.join(AFFINITIES)}") for key in value if key not in _KINDS]
    for name in AFFINITIES:
        if value.get(name) is not None:
            found += within(item(field, name), _faults(name, value[name]))
    return found


def _faults(name: str, value: object) -> list[Fault]:
    try:
        affinity = msgspec.convert(value, _KINDS[name])
    except msgspec.ValidationError as error:
        return [Fault("manifest", str(error))]
    return _node_faults(affinity) if isinstance(affinity, _NodeAffinity) else _pod_faults(affinity)


def _node_faults(affinity: _NodeAffinity) -> list[Fault]:
    found = []
    if affinity.required is not None:
        terms = f"{REQUIRED}.nodeSelectorTerms"
        found += [] if affinity.required.node_selector_terms else [Fault(terms, "must not be empty")]
        for index, term in enumerate(affinity.required.node_selector_terms):
            found += within(item(terms, index), _term_faults(term, is_wish=False))
    for index, wish in enumerate(affinity.preferred):
        faults = _weight_faults(wish.weight) + within("preference", _term_faults(wish.preference, is_wish=True))
        found += within(item(PREFERRED, index), faults)
    return found


def _term_faults(term: _NodeTerm, *, is_wish: bool) -> list[Fault]:
    # ValidatePreferredSchedulingTerms allows a value that no label can have.
    value = text_problem if is_wish else label_value_problem
    found = []
    for index, rule in enumerate(term.match_expressions):
        found += within(item("matchExpressions", index), rule_faults(rule, OPERATORS_OF_NODES, value))
    for index, rule in enumerate(term.match_fields):
        found += within(item("matchFields", index), _field_faults(rule))
    return found


def _field_faults(rule: LabelRule) -> list[Fault]:
    """ValidateNodeFieldSelectorRequirement."""
    found = [] if rule.key == _FIELD_OF_NODE else [Fault("key", f"must be {_FIELD_OF_NODE}, not {rule.key!r}")]
    if rule.operator not in ("In", "NotIn"):
        found.append(Fault("operator", f"must be In or NotIn, not {rule.operator!r}"))
    if len(rule.values) != 1:
        found.append(Fault("values", "must be exactly one"))
    return found + sequence_faults("values", rule.values, text_that(dns_subdomain_problem))


def _pod_faults(affinity: _PodAffinity) -> list[Fault]:
    found = []
    for index, term in enumerate(affinity.required):
        found += within(item(REQUIRED, index), _pod_term_faults(term))
    for index, wish in enumerate(affinity.preferred):
        faults = _weight_faults(wish.weight) + within("podAffinityTerm", _pod_term_faults(wish.pod_affinity_term))
        found += within(item(PREFERRED, index), faults)
    return found


def _pod_term_faults(term: _PodTerm) -> list[Fault]:
    found = fault_of("topologyKey", text_that(label_key_problem)(term.topology_key))
    found += within("labelSelector", label_selector_faults(term.label_selector))
    found += within("namespaceSelector", label_selector_faults(term.namespace_selector))
    found += sequence_faults("namespaces", term.namespaces, text_that(dns_label_problem))
    found += label_keys_faults("matchLabelKeys", term.match_label_keys, term.label_selector)
    found += label_keys_faults("mismatchLabelKeys", term.mismatch_label_keys, term.label_selector)
    return found + _twice_faults(term.match_label_keys, term.mismatch_label_keys)


def _twice_faults(matched: Sequence[str], mismatched: Sequence[str]) -> list[Fault]:
    both = ((index, key) for index, key in enumerate(matched) if key in mismatched)
    return [Fault(item("matchLabelKeys", index), f"{key} is in mismatchLabelKeys too") for index, key in both]


def _weight_faults(weight: int) -> list[Fault]:
    return [] if 1 <= weight <= 100 else [Fault("weight", f"must be from 1 to 100, not {weight}")]
