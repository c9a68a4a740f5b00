"""When to reconcile next: at an interval, soon after something happened, and when a worker's time runs out.

A value: every change makes a new one. Times in seconds on the monotonic clock.
"""

from __future__ import annotations

import math

import msgspec

SETTLE = 2.0
"""After an event, so that many at once cost one reconcile."""
SHORTEST = 5.0
"""From the end of one reconcile to the next, however much happens: each lists the whole fleet."""
FIRST_RETRY = 5.0
"""After a reconcile that failed, and twice as long after each further one, at most the interval."""


class ReconcileAgenda(msgspec.Struct, frozen=True, kw_only=True):
    """`wished_at`: when something that happened, or a time that runs out, asks for one. `ended_at`: of the last one."""

    interval: float
    wished_at: float = -math.inf
    ended_at: float | None = None
    failures: int = 0

    @property
    def due_at(self) -> float:
        """When to reconcile next, where this process may."""
        if self.ended_at is None:
            return -math.inf
        if self.failures:
            return self.ended_at + min(self.interval, FIRST_RETRY * 2.0 ** (self.failures - 1))
        return min(self.ended_at + self.interval, max(self.wished_at, self.ended_at + SHORTEST))

    def after_event(self, now: float) -> ReconcileAgenda:
        """Something happened that a reconcile should see."""
        return msgspec.structs.replace(self, wished_at=min(self.wished_at, now + SETTLE))

    def after_success(self, now: float, *, next_in: float | None = None) -> ReconcileAgenda:
        """A reconcile ended well. `next_in`: seconds after which a worker's time is over, as far as it saw."""
        wished = math.inf if next_in is None else now + next_in
        return msgspec.structs.replace(self, ended_at=now, failures=0, wished_at=wished)

    def after_failure(self, now: float) -> ReconcileAgenda:
        """A reconcile did not get through."""
        return msgspec.structs.replace(self, ended_at=now, failures=self.failures + 1)

    def after_taking_over(self) -> ReconcileAgenda:
        """This process leads now, and did not a moment ago: what was known before is old."""
        return ReconcileAgenda(interval=self.interval)
