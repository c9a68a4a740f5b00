"""The retries that all operations of a provider share: a bucket of tokens, so that an outage is not met with a storm.

A state machine without a clock: the time is an argument. One that threads share needs a lock around `spend`.
"""

from __future__ import annotations


class RetryBudget:
    """Holds up to `capacity` retries, full at first, and gets `refill_per_second` back."""

    __slots__ = ("_at", "_capacity", "_refill_per_second", "_tokens")

    def __init__(self, capacity: float, refill_per_second: float) -> None:
        self._capacity = capacity
        self._refill_per_second = refill_per_second
        self._tokens = float(capacity)
        self._at: float | None = None

    def spend(self, now: float) -> bool:
        """Take one retry at the monotonic time `now` (seconds); False when there is none left."""
        self._tokens = self.available(now)
        self._at = now if self._at is None else max(now, self._at)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def available(self, now: float) -> float:
        """Retries that are there at `now`."""
        # Threads may hand in their times out of order.
        elapsed = 0.0 if self._at is None else max(0.0, now - self._at)
        return min(self._capacity, self._tokens + elapsed * self._refill_per_second)
