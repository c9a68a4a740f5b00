"""How a watch is kept alive: data only, as client-go does it."""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.validation import MAX_INT32, Problem, fault_of, number, number_above, raise_faults

WATCH_CHECKS: Final[dict[str, Problem]] = {
    "first_delay": number_above(0),
    "max_delay": number_above(0),
    "delay_reset": number(0),
    "timeout_min": number(1, MAX_INT32),
    "timeout_max": number(1, MAX_INT32),
}


class WatchPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds.

    After a break the watch waits `first_delay`, then twice as long each time, at most `max_delay`; it starts over once
    it lasted `delay_reset`. The server is asked to end a watch after a random time from `timeout_min` to `timeout_max`.

    Raises: ConfigurationError with every fault.
    """

    first_delay: float = 0.8
    max_delay: float = 30.0
    delay_reset: float = 120.0
    timeout_min: float = 300.0
    timeout_max: float = 600.0

    def __post_init__(self) -> None:
        raise_faults("the watch policy is not valid", _faults(self))


def timeout_faults(timeout_min: float, timeout_max: float) -> list[Fault]:
    """The two together."""
    return (
        [Fault("timeout_min", f"{timeout_min:g} is more than timeout_max, {timeout_max:g}")]
        if timeout_min > timeout_max
        else []
    )


def _faults(policy: WatchPolicy) -> list[Fault]:
    found = [f for name, check in WATCH_CHECKS.items() for f in fault_of(name, check(getattr(policy, name)))]
    return found or timeout_faults(policy.timeout_min, policy.timeout_max)
