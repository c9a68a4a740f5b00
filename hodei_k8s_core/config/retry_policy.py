"""How often and how patiently failed requests are repeated: data only, the decisions are in `retry`."""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.validation import Problem, fault_of, number, raise_faults, whole_number

RETRY_CHECKS: Final[dict[str, Problem]] = {
    "max_attempts": whole_number(1),
    "first_delay": number(0),
    "factor": number(1),
    "max_delay": number(0),
    "jitter": number(0, 1),
    "budget": whole_number(0),
    "budget_refill_per_second": number(0),
}


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds.

    `max_attempts`: of one request, the first included. The n-th delay is `first_delay` * `factor`**(n-1), at most
    `max_delay`, varied by up to the fraction `jitter` of it. `budget`: the retries that all operations of a provider
    have in hand together; `budget_refill_per_second` come back.

    Raises: ConfigurationError with every fault.
    """

    max_attempts: int = 6
    first_delay: float = 0.5
    factor: float = 2.0
    max_delay: float = 10.0
    jitter: float = 0.2
    budget: int = 20
    budget_refill_per_second: float = 1.0

    def __post_init__(self) -> None:
        raise_faults("the retry policy is not valid", _faults(self))


def _faults(policy: RetryPolicy) -> list[Fault]:
    return [f for name, check in RETRY_CHECKS.items() for f in fault_of(name, check(getattr(policy, name)))]
