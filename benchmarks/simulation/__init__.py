"""The cluster in memory: how many requests it answers in a second, and how many hours of a fleet pass in one."""

from __future__ import annotations

from benchmarks.simulation.speed import SPEED, Speed

CASES: tuple[Speed, ...] = (SPEED,)
"""Facts, not a comparison: nobody else has such a thing."""
