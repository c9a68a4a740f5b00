"""When to reconcile next: an interval, events, workers whose time runs out, failures."""

from __future__ import annotations

import math

import pytest

from hodei_k8s_core.serving.reconcile_agenda import FIRST_RETRY, SETTLE, SHORTEST, ReconcileAgenda

NEW = ReconcileAgenda(interval=60.0)
DONE = NEW.after_success(100.0)


def test_the_first_is_due_at_once() -> None:
    assert NEW.due_at == -math.inf
    assert NEW.after_event(5.0).due_at == -math.inf


def test_then_at_the_interval() -> None:
    assert DONE.due_at == 160.0


def test_an_event_brings_it_forward_once_things_have_settled() -> None:
    assert DONE.after_event(120.0).due_at == 120.0 + SETTLE
    assert DONE.after_event(120.0).after_event(121.0).due_at == 120.0 + SETTLE
    assert DONE.after_event(159.0).due_at == 160.0


def test_events_without_end_do_not_make_it_go_on_without_end() -> None:
    assert DONE.after_event(100.1).due_at == 100.0 + SHORTEST


def test_a_reconcile_sees_what_happened_before_it() -> None:
    assert DONE.after_event(120.0).after_success(125.0).due_at == 185.0


def test_a_worker_whose_time_runs_out_brings_it_forward() -> None:
    assert NEW.after_success(100.0, next_in=30.0).due_at == 130.0
    assert NEW.after_success(100.0, next_in=1.0).due_at == 100.0 + SHORTEST
    assert NEW.after_success(100.0, next_in=1000.0).due_at == 160.0


@pytest.mark.parametrize(("failures", "delay"), [(1, FIRST_RETRY), (2, 2 * FIRST_RETRY), (3, 20.0), (8, 60.0)])
def test_failures_back_off_up_to_the_interval(failures: int, delay: float) -> None:
    agenda = DONE
    for _ in range(failures):
        agenda = agenda.after_failure(200.0)
    assert agenda.due_at == 200.0 + delay
    assert agenda.after_event(200.0).due_at == 200.0 + delay
    assert agenda.after_success(300.0).due_at == 360.0


def test_who_takes_over_looks_at_once() -> None:
    assert DONE.after_failure(200.0).after_taking_over().due_at == -math.inf
