"""Label and field selectors: text → requirements → does an object match?

Grammar: k8s.io/apimachinery/pkg/labels and pkg/fields.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from hodei_k8s_core.http import Request
from hodei_k8s_core.simulation.route import Route
from hodei_k8s_core.simulation.statuses import bad_request
from hodei_k8s_core.simulation.wire import Json

_SET = re.compile(r"(?P<key>[^\s!=,()]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUALITY = re.compile(r"(?P<key>[^\s!=,()]+)\s*(?P<operator>==|=|!=)\s*(?P<values>[^\s!=,()]*)")
_EXISTENCE = re.compile(r"(?P<operator>!?)\s*(?P<key>[^\s!=,()]+)")
_COMMA_OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")

_NEGATIVE = frozenset({"!=", "notin", "!"})
FIELDS = {
    "pods": frozenset({"metadata.name", "metadata.namespace", "spec.nodeName", "status.phase", "spec.restartPolicy"}),
    "events": frozenset(
        {"metadata.name", "metadata.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.kind"}
        | {"involvedObject.namespace", "reason", "type"}
    ),
    "namespaces": frozenset({"metadata.name", "status.phase"}),
}
"""The fields that can be selected by, per resource."""
_EVERYWHERE = frozenset({"metadata.name", "metadata.namespace"})


class Requirement(msgspec.Struct, frozen=True):
    """`key` is one of `values` (None: is there at all), or not, when `negative`."""

    key: str
    values: frozenset[str] | None
    negative: bool = False

    def holds(self, value: str | None) -> bool:
        positive = value is not None and (self.values is None or value in self.values)
        return positive is not self.negative


class Selector(msgspec.Struct, frozen=True):
    """What a list or watch shows."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()

    @property
    def is_everything(self) -> bool:
        return not self.labels and not self.fields

    def matches(self, item: Json) -> bool:
        labels = item["metadata"].get("labels") or {}
        return all(need.holds(labels.get(need.key)) for need in self.labels) and all(
            need.holds(_field(item, need.key)) for need in self.fields
        )


def selector_of(request: Request, route: Route) -> Selector:
    """The selector of a request."""
    labels, fields = request.parameter("labelSelector") or "", request.parameter("fieldSelector") or ""
    return parse_selector(route.resource, labels, fields)


def parse_selector(resource: str, labels: str, fields: str) -> Selector:
    """The selector of a request's `labelSelector` and `fieldSelector`."""
    return Selector(
        tuple(_label_requirement(term.strip()) for term in _COMMA_OUTSIDE_PARENTHESES.split(labels) if term.strip()),
        tuple(_field_requirement(resource, term) for term in fields.split(",") if term),
    )


def _label_requirement(term: str) -> Requirement:
    for form in (_SET, _EQUALITY, _EXISTENCE):
        match = form.fullmatch(term)
        if match is None:
            continue
        listed = match.groupdict().get("values")
        values = None if listed is None else frozenset(value.strip() for value in listed.split(","))
        return Requirement(match["key"], values, match["operator"] in _NEGATIVE)
    raise bad_request(f"unable to parse requirement: {term!r}")


def _field_requirement(resource: str, term: str) -> Requirement:
    match = _EQUALITY.fullmatch(term)
    if match is None:
        raise bad_request(f"invalid selector: {term!r}; can't understand {term!r}")
    if match["key"] not in FIELDS.get(resource, _EVERYWHERE):
        raise bad_request(f"field label not supported: {match['key']}")
    return Requirement(match["key"], frozenset({match["values"]}), match["operator"] in _NEGATIVE)


def _field(item: Json, path: str) -> str:
    """A field's value; what is absent is the empty text, so that `spec.nodeName=` finds unscheduled Pods."""
    value: Any = item
    for step in path.split("."):
        value = value.get(step) or {}
    return value or ""
