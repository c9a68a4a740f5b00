"""Whether a node is one for a Pod, whatever room it has: taints, node selector, required node affinity.

Source: the scheduler's plugins TaintToleration and NodeAffinity, and k8s.io/component-helpers, scheduling/corev1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from hodei_k8s_core.capacity.node import Node, Taint

NODE_NAME: Final = "metadata.name"
_EXISTS: Final = "Exists"


class PodToleration(msgspec.Struct, frozen=True):
    """A toleration as a Pod has it, whoever wrote it there."""

    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""

    def covers(self, taint: Taint) -> bool:
        """ToleratesTaint: an empty key or effect is any."""
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        return self.operator == _EXISTS or (self.operator in ("", "Equal") and self.value == taint.value)


class Requirement(msgspec.Struct, frozen=True):
    """One rule about one label: In, NotIn, Exists, DoesNotExist, Gt, Lt."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.operator == "In" and len(self.values) == 1:
            return f"{self.key}={self.values[0]}"
        return " ".join([self.key, self.operator, *(["(" + ", ".join(self.values) + ")"] if self.values else [])])


class Term(msgspec.Struct, frozen=True, rename="camel"):
    """Rules that all must hold; one without any rule never does."""

    match_expressions: tuple[Requirement, ...] = ()
    match_fields: tuple[Requirement, ...] = ()


class NodeSelector(msgspec.Struct, frozen=True, rename="camel"):
    """Terms of which one must hold."""

    node_selector_terms: tuple[Term, ...] = ()


def untolerated(taints: Sequence[Taint], tolerations: Sequence[PodToleration]) -> list[Taint]:
    """The taints that none of the tolerations covers."""
    return [taint for taint in taints if not any(toleration.covers(taint) for toleration in tolerations)]


def unmet(node: Node, selector: Mapping[str, str], required: NodeSelector | None) -> list[Requirement]:
    """What the node lacks: of the selector, and of the term of the affinity that comes nearest. Empty: it matches."""
    missing = [Requirement(key, "In", (value,)) for key, value in selector.items() if node.labels.get(key) != value]
    if required is None:
        return missing
    by_term = [found for term in required.node_selector_terms if (found := _unmet_of(term, node)) is not None]
    nearest = min(
        by_term,
        key=lambda lack: _distance(lack, node),
        default=[Requirement("affinity", "without a term that can hold")],
    )
    return missing + [requirement for requirement in nearest if requirement not in missing]


def _distance(lack: Sequence[Requirement], node: Node) -> tuple[int, int]:
    """Of two terms that lack as much, the one is nearer whose labels the node has with other values."""
    return len(lack), sum(rule.key not in node.labels for rule in lack)


def _unmet_of(term: Term, node: Node) -> list[Requirement] | None:
    """None for a term without any rule, which selects no node."""
    if not term.match_expressions and not term.match_fields:
        return None
    fields = {NODE_NAME: node.name}
    return [rule for rule in term.match_expressions if not _holds(rule, node.labels)] + [
        rule for rule in term.match_fields if not _holds(rule, fields)
    ]


def _holds(rule: Requirement, labels: Mapping[str, str]) -> bool:
    test = _TESTS.get(rule.operator)
    return test is not None and test(labels.get(rule.key), rule.values)


def _compared(compare: Callable[[int, int], bool]) -> Callable[[str | None, tuple[str, ...]], bool]:
    def test(value: str | None, values: tuple[str, ...]) -> bool:
        numbers = [_integer(text) for text in (value or "", *values)]
        return len(numbers) == 2 and None not in numbers and compare(*numbers)  # type: ignore[arg-type]

    return test


def _integer(text: str) -> int | None:
    """As strconv.ParseInt reads it: no space, no underscore, 64 bits."""
    digits = text.removeprefix("-").removeprefix("+") if text[:2] not in ("-+", "+-") else ""
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        return None
    return int(text)


# labels.Requirement.Matches: NotIn holds for a node without the label.
_TESTS: Final[dict[str, Callable[[str | None, tuple[str, ...]], bool]]] = {
    "In": lambda value, values: value is not None and value in values,
    "NotIn": lambda value, values: value is None or value not in values,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
    "Gt": _compared(lambda value, bound: value > bound),
    "Lt": _compared(lambda value, bound: value < bound),
}
