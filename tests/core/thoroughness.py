"""How many examples the property tests try: few in every run, all of them with HYPOTHESIS_PROFILE=thorough."""

from __future__ import annotations

import os
from typing import Final

VARIABLE: Final = "HYPOTHESIS_PROFILE"
PROFILES: Final = {"quick": 0.1, "thorough": 1.0}
"""The part of a test's examples that is tried."""
FEWEST: Final = 5


def is_thorough() -> bool:
    """All examples are asked for, not only a few."""
    return os.environ.get(VARIABLE) == "thorough"


def examples(most: int) -> int:
    """Of a test that tries `most` when it is thorough: how many it tries now."""
    return max(min(FEWEST, most), round(most * PROFILES[os.environ.get(VARIABLE) or "quick"]))
