"""Selectors of objects by their labels, as a Pod has them, by the API server's own rules (ValidateLabelSelector)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.labels import selector_faults
from hodei_k8s_core.names import label_key_problem, label_value_problem
from hodei_k8s_core.validation import fault_of, item, text_problem, within


class LabelRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule about one label, of Pods or of nodes."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class LabelSelector(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What all must hold; one without any rule selects everything."""

    match_labels: dict[str, str] = {}
    match_expressions: tuple[LabelRule, ...] = ()

    @property
    def keys(self) -> set[str]:
        """The labels that it asks about."""
        return self.match_labels.keys() | {rule.key for rule in self.match_expressions}


_MANY: Final = "needs values"
_NONE: Final = "allows no values"
_ONE: Final = "needs exactly one value"
_VALUES: Final[Mapping[str, Callable[[int], str | None]]] = {
    "In": lambda count: None if count else _MANY,
    "NotIn": lambda count: None if count else _MANY,
    "Exists": lambda count: _NONE if count else None,
    "DoesNotExist": lambda count: _NONE if count else None,
    "Gt": lambda count: None if count == 1 else _ONE,
    "Lt": lambda count: None if count == 1 else _ONE,
}
OPERATORS_OF_OBJECTS: Final = ("In", "NotIn", "Exists", "DoesNotExist")
OPERATORS_OF_NODES: Final = (*OPERATORS_OF_OBJECTS, "Gt", "Lt")


def rule_faults(rule: LabelRule, operators: Sequence[str], value: Callable[[str], str | None]) -> list[Fault]:
    """What is wrong with one rule; `value` judges each of its values."""
    found = fault_of("key", text_problem(rule.key) or label_key_problem(rule.key))
    if rule.operator not in operators:
        found.append(Fault("operator", f"must be one of {', '.join(operators)}, not {rule.operator!r}"))
    elif problem := _VALUES[rule.operator](len(rule.values)):
        found.append(Fault("values", f"the operator {rule.operator} {problem}"))
    problems = ((index, text_problem(text) or value(text)) for index, text in enumerate(rule.values))
    return found + [Fault(item("values", index), problem) for index, problem in problems if problem]


def label_selector_faults(selector: LabelSelector | None) -> list[Fault]:
    """What is wrong with a selector; None is right."""
    if selector is None:
        return []
    found = selector_faults("matchLabels", selector.match_labels)
    for index, rule in enumerate(selector.match_expressions):
        faults = rule_faults(rule, OPERATORS_OF_OBJECTS, label_value_problem)
        found += within(item("matchExpressions", index), faults)
    return found


def label_keys_faults(field: str, keys: Sequence[str], selector: LabelSelector | None) -> list[Fault]:
    """What is wrong with `matchLabelKeys` and the like beside their selector."""
    if keys and selector is None:
        return [Fault(field, "must not be given without a label selector")]
    problems = ((index, text_problem(key) or label_key_problem(key)) for index, key in enumerate(keys))
    return [Fault(item(field, index), problem) for index, problem in problems if problem]
