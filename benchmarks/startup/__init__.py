"""What it takes to begin: imports and `--help`, in a fresh interpreter each time."""

from __future__ import annotations

from benchmarks.measure import Comparison
from benchmarks.startup.programs import COMMAND, IMPORT

CASES: tuple[Comparison, ...] = (IMPORT, COMMAND)
