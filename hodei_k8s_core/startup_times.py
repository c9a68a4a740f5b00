"""How long workers take to start, from what was observed lately."""

from __future__ import annotations

from typing import Final

DEFAULT_STARTUP_TIME: Final = 15.0
"""Seconds; what is said before anything was observed."""
KEPT: Final = 200
"""So many recent starts are remembered."""


class StartupTimes:
    """Remembers recent starts and estimates the next."""

    def __init__(self) -> None:
        self._seconds: list[float] = []

    def record(self, seconds: float) -> None:
        """A worker was ready `seconds` after its Pod was created."""
        self._seconds = [*self._seconds[-KEPT + 1 :], seconds]

    @property
    def estimate(self) -> float:
        """The median of the recent starts, in seconds."""
        if not self._seconds:
            return DEFAULT_STARTUP_TIME
        ordered = sorted(self._seconds)
        middle = len(ordered) // 2
        return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
