"""What will happen and when: the only way by which virtual time makes anything happen."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Action = Callable[[float], object]


class Agenda:
    """Actions by time; those of one time happen in the order of their entry."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Action]] = []
        self._count = 0

    def at(self, time: float, action: Action) -> None:
        """Do `action(time)` when time gets there."""
        self._count += 1
        heapq.heappush(self._entries, (time, self._count, action))

    def next_at(self) -> float | None:
        return self._entries[0][0] if self._entries else None

    def run_until(self, now: float) -> None:
        """Do everything that is due, what it adds included."""
        while self._entries and self._entries[0][0] <= now:
            time, _, action = heapq.heappop(self._entries)
            action(time)
