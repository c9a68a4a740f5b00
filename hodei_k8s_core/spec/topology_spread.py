"""`TopologySpread`: how evenly workers are spread over zones, nodes, or whatever a label of nodes tells apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.names import label_key_problem
from hodei_k8s_core.spec.label_selector import LabelSelector, label_selector_faults
from hodei_k8s_core.validation import (
    MAX_INT32,
    Problem,
    copied_json,
    fault_of,
    instance,
    item,
    optional,
    raise_faults,
    sequence_faults,
    text_that,
    whole_number,
    within,
)

DO_NOT_SCHEDULE: Final = "DoNotSchedule"


def _one_of(*allowed: str) -> Problem:
    return text_that(lambda text: None if text in allowed else f"must be one of {', '.join(allowed)}, not {text!r}")


_POLICY: Final = optional(_one_of("Honor", "Ignore"))
_CHECKS: Final[dict[str, Problem]] = {
    "topology_key": text_that(label_key_problem),
    "max_skew": whole_number(1, MAX_INT32),
    "when_unsatisfiable": _one_of(DO_NOT_SCHEDULE, "ScheduleAnyway"),
    "min_domains": optional(whole_number(1, MAX_INT32)),
    "node_affinity_policy": _POLICY,
    "node_taints_policy": _POLICY,
}


class TopologySpread(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One topology spread constraint of a Pod, by the API server's own rules (validateTopologySpreadConstraints).

    `when_unsatisfiable`: `DoNotSchedule` or `ScheduleAnyway`. `label_selector`: the Pods that are spread, as in a Pod;
    None: the workers of this provider.

    Raises: ConfigurationError with every fault.
    """

    topology_key: str
    max_skew: int = 1
    when_unsatisfiable: str = DO_NOT_SCHEDULE
    label_selector: Mapping[str, Any] | None = None
    match_label_keys: Sequence[str] = ()
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None

    def __post_init__(self) -> None:
        raise_faults("the topology spread is not valid", _faults(self))
        msgspec.structs.force_setattr(self, "label_selector", copied_json(self.label_selector))
        msgspec.structs.force_setattr(self, "match_label_keys", tuple(self.match_label_keys))

    def to_manifest(self) -> dict[str, Any]:
        """As a Pod's `spec.topologySpreadConstraints` has it."""
        optional_ones = {
            "labelSelector": copied_json(self.label_selector),
            "matchLabelKeys": list(self.match_label_keys) or None,
            "minDomains": self.min_domains,
            "nodeAffinityPolicy": self.node_affinity_policy,
            "nodeTaintsPolicy": self.node_taints_policy,
        }
        return {
            "maxSkew": self.max_skew,
            "topologyKey": self.topology_key,
            "whenUnsatisfiable": self.when_unsatisfiable,
        } | {name: value for name, value in optional_ones.items() if value is not None}


def spread_faults(field: str, spreads: object) -> list[Fault]:
    """What is wrong with several of them together: no two may say the same thing twice."""
    found = sequence_faults(field, spreads, instance(TopologySpread))
    if found or not isinstance(spreads, Sequence):
        return found
    kinds = [(spread.topology_key, spread.when_unsatisfiable) for spread in spreads]
    twice = (index for index, kind in enumerate(kinds) if kind in kinds[:index])
    return [Fault(item(field, index), f"{' with '.join(kinds[index])} is there twice") for index in twice]


def _faults(spread: TopologySpread) -> list[Fault]:
    found = [f for name, check in _CHECKS.items() for f in fault_of(name, check(getattr(spread, name)))]
    found += sequence_faults("match_label_keys", spread.match_label_keys, text_that(label_key_problem))
    if spread.min_domains is not None and spread.when_unsatisfiable != DO_NOT_SCHEDULE:
        found.append(Fault("min_domains", f"is only for {DO_NOT_SCHEDULE}"))
    if spread.label_selector is None:
        return found
    try:
        selector = msgspec.convert(spread.label_selector, LabelSelector)
    except msgspec.ValidationError as error:
        return [*found, Fault("label_selector", str(error))]
    found += within("label_selector", label_selector_faults(selector))
    twice = [key for key in spread.match_label_keys if key in selector.keys]
    return found + [Fault("match_label_keys", f"{key} is in label_selector too") for key in twice]
