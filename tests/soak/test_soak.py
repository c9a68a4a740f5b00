"""The soak at a size for every day: what holds, and that what is broken is found."""

from __future__ import annotations

import pytest

from tests.soak.bugs import BUGS, injected
from tests.soak.fleet import Fleet

WORKERS, HOURS = 60, 2.0
SEEDS = 50


def test_a_small_fleet_holds_and_is_the_same_every_time() -> None:
    first = Fleet(1, WORKERS, HOURS).run()
    assert first.wrong == []
    assert first.faults > WORKERS
    assert Fleet(1, WORKERS, HOURS).run() == first


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_found_within_fifty_seeds(bug: str) -> None:
    with injected(bug):
        assert any(Fleet(seed, WORKERS, HOURS).run().wrong for seed in range(1, SEEDS + 1))
