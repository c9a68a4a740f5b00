"""Virtual time and chance: the same on every machine, from a seed."""

from __future__ import annotations

from typing import Protocol

from hodei_k8s_core.simulation.wire import EPOCH


class SimulationError(Exception):
    """The operation, or the test, did what no driver allows."""


class Randomness:
    """Numbers in [0, 1) from a seed, the same everywhere: Knuth's MMIX generator, its upper 53 bits."""

    def __init__(self, seed: int) -> None:
        self._state = seed % 2**64
        self.next()

    def next(self) -> float:
        self._state = (6364136223846793005 * self._state + 1442695040888963407) % 2**64
        return (self._state >> 11) / 2**53


class Clock(Protocol):
    """Seconds since the world began."""

    @property
    def now(self) -> float: ...


class VirtualClock:
    """Seconds since the world began. Only a host moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    @property
    def wall(self) -> float:
        """Seconds since the epoch, by the host's clock."""
        return EPOCH + self.now
