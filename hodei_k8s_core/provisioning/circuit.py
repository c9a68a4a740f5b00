"""A circuit breaker for one cluster, as a value: failures that are the cluster's fault open it, a probe closes it.

    CLOSED --(enough failures within the window)--> OPEN --(its time is over)--> HALF_OPEN --(a success)--> CLOSED
                                                      ^-------------(a failure)-----+

Half open lets one call through at a time; a probe that nobody ever reported on does not keep it so for ever.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from hodei_k8s_core.validation import Problem, fault_of, number_above, raise_faults, whole_number


class CircuitState(enum.Enum):
    """Whether a cluster is asked for workers."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


_CHECKS: Final[dict[str, Problem]] = {
    "failures": whole_number(1),
    "window": number_above(0),
    "open_for": number_above(0),
    "open_for_max": number_above(0),
    "probe_timeout": number_above(0),
}


class CircuitPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds. `failures` within `window` open the circuit, for `open_for`, and twice as long each time that
    the probe fails, at most `open_for_max`. A probe that has said nothing for `probe_timeout` counts no more.

    Raises: ConfigurationError with every fault.
    """

    failures: int = 3
    window: float = 60.0
    open_for: float = 15.0
    open_for_max: float = 300.0
    probe_timeout: float = 120.0

    def __post_init__(self) -> None:
        found = [f for name, check in _CHECKS.items() for f in fault_of(name, check(getattr(self, name)))]
        raise_faults("the circuit policy is not valid", found)


class Circuit(msgspec.Struct, frozen=True, kw_only=True):
    """Where the circuit of one cluster is; times on the host's monotonic clock. A new one is closed."""

    policy: CircuitPolicy = CircuitPolicy()
    failed_at: tuple[float, ...] = ()
    opened_at: float | None = None
    opened_for: float = 0.0
    probing_since: float | None = None
    reason: str = ""
    """The last failure, for people."""

    def state(self, now: float) -> CircuitState:
        """At this moment."""
        if self.opened_at is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if now < self.opened_at + self.opened_for else CircuitState.HALF_OPEN

    def admits(self, now: float) -> bool:
        """A call may go through: any while it is closed, one at a time while it is half open."""
        state = self.state(now)
        return state is CircuitState.CLOSED or (state is CircuitState.HALF_OPEN and not self._is_probed(now))

    def entered(self, now: float) -> Circuit:
        """A call that was admitted goes through now."""
        if self.state(now) is not CircuitState.HALF_OPEN:
            return self
        return msgspec.structs.replace(self, probing_since=now)

    def after_success(self) -> Circuit:
        """The cluster did what it was asked."""
        return Circuit(policy=self.policy)

    def after_failure(self, now: float, reason: str) -> Circuit:
        """The cluster failed, by its own fault."""
        state = self.state(now)
        if state is CircuitState.OPEN:  # a call from before
            return self
        if state is CircuitState.HALF_OPEN:
            longer = min(2 * self.opened_for, self.policy.open_for_max)
            return Circuit(policy=self.policy, opened_at=now, opened_for=longer, reason=reason)
        recent = (*(at for at in self.failed_at if at > now - self.policy.window), now)
        if len(recent) < self.policy.failures:
            return Circuit(policy=self.policy, failed_at=recent, reason=reason)
        return Circuit(policy=self.policy, opened_at=now, opened_for=self.policy.open_for, reason=reason)

    def without_verdict(self) -> Circuit:
        """A call ended in a way that says nothing of the cluster; the next one may probe it."""
        return msgspec.structs.replace(self, probing_since=None)

    def _is_probed(self, now: float) -> bool:
        return self.probing_since is not None and now < self.probing_since + self.policy.probe_timeout
