"""One node and one Pod: everything that keeps them apart, now and for good.

The order is that of the scheduler's filters (NodeUnschedulable, TaintToleration, NodeAffinity, NodeResourcesFit), which
stops at the first plugin that says no; here all are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from hodei_k8s_core.accelerators import PRODUCT_LABELS, vendor_of
from hodei_k8s_core.capacity.amounts import PODS, Amounts, counted, shown
from hodei_k8s_core.capacity.candidate import CandidateSpec
from hodei_k8s_core.capacity.fulfillment import Rule
from hodei_k8s_core.capacity.node import NO_SCHEDULE, UNSCHEDULABLE_TAINT, Node, Taint
from hodei_k8s_core.capacity.node_match import Requirement, unmet, untolerated
from hodei_k8s_core.capacity.placed_pods import Usage
from hodei_k8s_core.capacity.pod_demand import requests_of
from hodei_k8s_core.labels import CAPABILITY_PREFIX, NODE_ARCHITECTURE

ZONE_LABELS: Final = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
REGION_LABELS: Final = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_UNSCHEDULABLE: Final = Taint(UNSCHEDULABLE_TAINT, "", NO_SCHEDULE)
_RULE_OF_LABEL: Final = (
    {NODE_ARCHITECTURE: Rule.ARCHITECTURE}
    | dict.fromkeys((*ZONE_LABELS, *REGION_LABELS), Rule.ZONE)
    | dict.fromkeys(PRODUCT_LABELS, Rule.ACCELERATOR)
)


class Obstacle(msgspec.Struct, frozen=True, gc=False):
    """Why a node will not do. `is_passing`: not for good. Of an amount: `wanted`, and what is `available` now."""

    rule: Rule
    subject: str
    is_passing: bool = False
    wanted: int | None = None
    available: int | None = None

    @property
    def message(self) -> str:
        return _MESSAGES[self.rule].format(subject=self.subject, amount=self._amount)

    @property
    def _amount(self) -> str:
        if self.wanted is None or self.available is None:
            return ""
        there = shown(self.subject, max(self.available, 0))
        return f": {shown(self.subject, self.wanted)} wanted, {there} {'free' if self.is_passing else 'in all'}"


_MESSAGES: Final[Mapping[Rule, str]] = {
    Rule.RESOURCE: "too little {subject}{amount}",
    Rule.ACCELERATOR: "not the accelerator {subject}{amount}",
    Rule.ARCHITECTURE: "not the architecture {subject}",
    Rule.ZONE: "not the place {subject}",
    Rule.CAPABILITY: "not the capability {subject}",
    Rule.LABEL: "not the label {subject}",
    Rule.TAINT: "the taint {subject} is not tolerated",
    Rule.CORDONED: "cordoned",
    Rule.NOT_READY: "not ready",
}


class Wanted(msgspec.Struct, frozen=True):
    """A Pod in the scheduler's units: what is asked of every node, computed once."""

    spec: CandidateSpec
    requests: dict[str, int]

    @classmethod
    def of(cls, spec: CandidateSpec) -> Wanted:
        """Raises: Internal for an amount that is none."""
        return cls(spec, {name: amount for name, amount in counted(requests_of(spec)).items() if amount > 0})


def obstacles(node: Node, wanted: Wanted) -> list[Obstacle]:
    """What about the node itself keeps the Pod away, however empty it is."""
    spec = wanted.spec
    found = []
    if node.is_cordoned and untolerated((_UNSCHEDULABLE,), spec.tolerations):
        found.append(Obstacle(Rule.CORDONED, node.name, is_passing=True))
    found += [
        Obstacle(Rule.TAINT, str(taint), is_passing=taint.may_pass)
        for taint in untolerated(node.barriers, spec.tolerations)
        # A cordoned node carries this one too; one reason is enough.
        if not (node.is_cordoned and taint.key == UNSCHEDULABLE_TAINT)
    ]
    if node.is_ready is False:
        found.append(Obstacle(Rule.NOT_READY, node.name, is_passing=True))
    return found + [
        Obstacle(rule_of(requirement), _wanted_label(requirement))
        for requirement in unmet(node, spec.node_selector, spec.required_nodes)
    ]


def shortages(node: Node, taken: Amounts, staying: Amounts, wanted: Wanted) -> list[Obstacle]:
    """Of what the node has too little; passing where it would be enough if all that can go were gone."""
    found = []
    for name, amount in (*wanted.requests.items(), (PODS, 1)):
        whole = node.allocatable.get(name, 0)
        free = whole - taken.get(name, 0)
        if amount > free:
            rule = Rule.RESOURCE if vendor_of(name) is None else Rule.ACCELERATOR
            ever = whole - staying.get(name, 0)
            passes = amount <= ever
            found.append(Obstacle(rule, name, is_passing=passes, wanted=amount, available=free if passes else ever))
    return found


def has_room(node: Node, taken: Amounts, wanted: Wanted) -> bool:
    """The scheduler's arithmetic alone (NodeResourcesFit)."""
    there = node.allocatable
    if taken.get(PODS, 0) + 1 > there.get(PODS, 0):
        return False
    return all(amount <= there.get(name, 0) - taken.get(name, 0) for name, amount in wanted.requests.items())


def fit_on(node: Node, usage: Usage, wanted: Wanted) -> list[Obstacle]:
    """Everything that keeps the Pod from the node now; empty when the scheduler could place it there."""
    return obstacles(node, wanted) + shortages(node, usage.taken, usage.staying, wanted)


def rule_of(requirement: Requirement) -> Rule:
    """What a label stands for."""
    if requirement.key.startswith(CAPABILITY_PREFIX):
        return Rule.CAPABILITY
    return _RULE_OF_LABEL.get(requirement.key, Rule.LABEL)


def _wanted_label(requirement: Requirement) -> str:
    if requirement.key.startswith(CAPABILITY_PREFIX):
        return requirement.key.removeprefix(CAPABILITY_PREFIX)
    if requirement.key == NODE_ARCHITECTURE and requirement.operator == "In":
        return ", ".join(requirement.values)
    return str(requirement)
