"""The time of a simulated cluster, as threads meet it: virtual, so that waiting takes none, or the real one.

In virtual time the clock jumps to the next thing that happens when all who know it wait. One thread alone never waits
really, and what happens is the same every time. Of several threads some may be at work in between, which the clock
cannot know: it gives them a moment (`GRACE`) before it jumps, and what they do is as (in)determinate as threads are.
"""

from __future__ import annotations

import threading
import time

from hodei_k8s_core.simulation import Cluster
from hodei_k8s_core.simulation.wire import EPOCH

GRACE = 0.002
POLL = 0.01
"""Seconds of the real clock; the longest that a wait in real time lasts before it looks again."""


class VirtualTime:
    """Seconds since the beginning of the simulation; begins at 0. Safe to share by threads."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.condition = threading.Condition(threading.RLock())
        self._now = 0.0
        self._threads: set[int] = set()
        self._targets: dict[int, float] = {}

    @property
    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self.now

    def wall_clock(self) -> float:
        return EPOCH + self.now

    def wait_until(self, until: float) -> None:
        """Let the time pass, to `until` or to where something happens before it."""
        me = threading.get_ident()
        with self.condition:
            self._threads.add(me)
            self._targets[me] = until
            try:
                if len(self._threads) > 1 and self.condition.wait(GRACE):
                    return
                self._jump()
            finally:
                del self._targets[me]

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass, with everything that happens in them."""
        with self.condition:
            until = self._now + seconds
            while self._now < until:
                self.wait_until(until)

    def _jump(self) -> None:
        happens = self.cluster.next_event_at()
        soon = min([*self._targets.values(), *([] if happens is None else [happens])])
        self._now = max(self._now, soon)
        self.cluster.advance(self._now)
        self.condition.notify_all()


class RealTime:
    """Seconds of the machine's clock since the beginning of the simulation."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.condition = threading.Condition(threading.RLock())
        self._began = time.monotonic()
        cluster.clock.offset = time.time() - EPOCH

    @property
    def now(self) -> float:
        return time.monotonic() - self._began

    def monotonic(self) -> float:
        return self.now

    def wall_clock(self) -> float:
        return time.time()

    def wait_until(self, until: float) -> None:
        """For a moment, or until `until`."""
        with self.condition:
            self.condition.wait(max(0.0, min(until - self.now, POLL)))
            self.cluster.advance(self.now)


Timing = VirtualTime | RealTime
