"""How long workers take to start, from what was observed lately; of an image alone when there is enough of it."""

from __future__ import annotations

from math import ceil, floor
from typing import Final

DEFAULT_STARTUP_TIME: Final = 15.0
"""Seconds; what is said before anything was observed."""
KEPT: Final = 200
"""So many recent starts are remembered, of whatever image."""
ENOUGH: Final = 5
"""So many starts of an image tell more than those of all together."""
REMEMBERED: Final = 5000
"""At least so many Pods are known to be recorded already, and at most twice as many."""


class StartupTimes:
    """Remembers recent starts and estimates the next."""

    def __init__(self) -> None:
        self._starts: tuple[tuple[str, float], ...] = ()
        self._recorded: dict[str, object] = {}
        self._recorded_before: dict[str, object] = {}

    def record(self, seconds: float, image: str = "", pod_uid: str = "") -> bool:
        """A worker was ready `seconds` after its Pod was created. Whether that is news: each Pod counts once."""
        if pod_uid and not self._is_new(pod_uid):
            return False
        self._starts = (*self._starts[-KEPT + 1 :], (image, seconds))
        return True

    def _is_new(self, pod_uid: str) -> bool:
        # Threads may share a provider: `setdefault` is one step, so of two only one is told that it is new.
        mark = object()
        if pod_uid in self._recorded_before or self._recorded.setdefault(pod_uid, mark) is not mark:
            return False
        if len(self._recorded) >= REMEMBERED:
            self._recorded_before, self._recorded = self._recorded, {}
        return True

    def estimate(self, image: str | None = None, percentile: float = 50.0) -> float:
        """Seconds within which `percentile` percent of the recent starts were ready; of `image`, if there are enough.

        Raises: ValueError for a percentile that is not from 0 to 100.
        """
        if not 0 <= percentile <= 100:
            raise ValueError(f"a percentile is from 0 to 100, not {percentile!r}")
        starts = self._starts
        of_image = [seconds for name, seconds in starts if name == image]
        found = of_image if len(of_image) >= ENOUGH else [seconds for _, seconds in starts]
        return _percentile(sorted(found), percentile) if found else DEFAULT_STARTUP_TIME


def _percentile(ordered: list[float], percentile: float) -> float:
    """Between two observations by their distance, as is usual (the median of two is their mean)."""
    place = (len(ordered) - 1) * percentile / 100
    low, high = ordered[floor(place)], ordered[ceil(place)]
    return low + (high - low) * (place - floor(place))
