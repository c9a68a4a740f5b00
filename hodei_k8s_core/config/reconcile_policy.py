"""What a reconcile may take away, and when: data only, the decisions are in `reconcile`."""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.validation import Problem, fault_of, number, number_above, raise_faults, whole_number

RECONCILE_CHECKS: Final[dict[str, Problem]] = {
    "interval": number_above(0),
    "min_age": number(0),
    "overdue": number(0),
    "max_share": number(0, 1),
    "free_removals": whole_number(0),
}


class ReconcilePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds.

    `interval`: between two reconciles of a process that does nothing else. `min_age`: what is younger is left alone, as
    its creation may still be under way. `overdue`: by how much a worker may outlive its `max_lifetime`, which the node
    ends, before it is taken away. `max_share`: of the workers that have not ended, a plan that takes more away needs
    consent; `free_removals` never do.

    Raises: ConfigurationError with every fault.
    """

    interval: float = 60.0
    min_age: float = 120.0
    overdue: float = 60.0
    max_share: float = 0.5
    free_removals: int = 10

    def __post_init__(self) -> None:
        found = [f for name, check in RECONCILE_CHECKS.items() for f in fault_of(name, check(getattr(self, name)))]
        raise_faults("the reconcile policy is not valid", found)


DEFAULT_RECONCILE: Final = ReconcilePolicy()
