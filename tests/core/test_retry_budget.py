"""The shared budget of retries."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.retry_budget import RetryBudget
from tests.core.thoroughness import examples


def test_it_is_full_at_first_and_empties():
    budget = RetryBudget(2, 1.0)
    assert [budget.spend(100.0) for _ in range(3)] == [True, True, False]


def test_it_refills_with_time_up_to_its_capacity():
    budget = RetryBudget(2, 0.5)
    assert [budget.spend(0.0), budget.spend(0.0), budget.spend(1.0), budget.spend(2.0)] == [True, True, False, True]
    assert budget.available(1000.0) == 2.0


def test_without_refill_it_stays_empty():
    budget = RetryBudget(1, 0.0)
    assert [budget.spend(0.0), budget.spend(1e9)] == [True, False]


def test_times_out_of_order_give_nothing():
    budget = RetryBudget(1, 1.0)
    assert [budget.spend(10.0), budget.spend(5.0), budget.spend(10.5), budget.spend(11.0)] == [True, False, False, True]


@settings(max_examples=examples(100), deadline=None)
@given(
    capacity=st.integers(0, 20),
    refill=st.floats(0, 5),
    times=st.lists(st.floats(0, 100), max_size=60),
)
def test_it_never_gives_more_than_capacity_and_refill(capacity, refill, times):
    budget = RetryBudget(capacity, refill)
    granted = sum(budget.spend(now) for now in times)
    spent = max(times, default=0) - (times[0] if times else 0)
    assert granted <= capacity + refill * max(0.0, spent) + 1e-6
