"""Destroying a worker that has something beside its Pod: in which order, and what does not hold it up."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.operations import begin_destroy_worker, create_worker, destroy_worker, destroy_worker_by_id
from hodei_k8s_core.operations.companions import REMOVAL_LIMIT
from hodei_k8s_core.simulation import LoseReply, Outcome, Rule, Stall, World, server_error
from hodei_k8s_core.simulation.garbage import COLLECTION_DELAY
from tests.core import operation_cases
from tests.core.companion_cases import CLAIMED, NAME, RICH, SECRET, SECRETLY, companions, is_gone, ready
from tests.core.operation_cases import CONFIG, NAMESPACE
from tests.core.simulation_requests import delete
from tests.core.told import said

READ, NO_POD = f"GET pods/{NAME}", f"DELETE pods/{NAME}"
NO_SECRET, NO_CLAIM = f"DELETE secrets/{SECRET}", f"DELETE persistentvolumeclaims/{CLAIMED}"


def lines(outcome: Outcome[Any]) -> list[str]:
    return [said(request) for request in outcome.requests]


def test_the_pod_says_what_there_is_and_goes_last() -> None:
    world = World()
    outcome = world.run(destroy_worker(SECRETLY, ready(world)))
    assert lines(outcome)[:4] == [READ, NO_SECRET, NO_CLAIM, NO_POD]
    assert is_gone(world)


def test_the_settings_of_the_destroyer_do_not_matter() -> None:
    world = World()
    ready(world)
    world.run(destroy_worker_by_id(CONFIG, "w1")).result  # noqa: B018 - raises what it raised
    assert is_gone(world)


def test_a_plain_worker_costs_no_request_more() -> None:
    world = World()
    outcome = world.run(begin_destroy_worker(SECRETLY, operation_cases.ready(world)))
    assert lines(outcome) == [READ, NO_POD]


def test_what_is_gone_already_is_no_trouble() -> None:
    world = World()
    handle = ready(world)
    world.run(begin_destroy_worker(SECRETLY, handle, grace_period=20)).result  # noqa: B018
    outcome = world.run(destroy_worker(SECRETLY, handle))
    assert outcome.error is None
    assert lines(outcome)[:4] == [READ, NO_SECRET, NO_CLAIM, NO_POD]


@pytest.mark.parametrize("resource", ["secrets", "persistentvolumeclaims"])
def test_a_permission_that_is_missing_does_not_keep_a_worker_alive(resource: str) -> None:
    world = World()
    handle = ready(world)
    world.cluster.denied = frozenset({("delete", resource)})
    assert world.run(destroy_worker(SECRETLY, handle)).error is None
    world.advance(2 * COLLECTION_DELAY)
    assert is_gone(world)


@pytest.mark.parametrize("fault", [Stall(), server_error()], ids=repr)
def test_one_that_cannot_be_deleted_holds_the_worker_up_for_a_moment_only(fault: Any) -> None:
    world = World()
    handle = ready(world)
    world.plan.add(Rule("delete", "secrets", fault, times=None))
    outcome = world.run(begin_destroy_worker(SECRETLY, handle))
    assert outcome.error is None
    assert outcome.seconds == pytest.approx(REMOVAL_LIMIT, abs=0.5)
    assert lines(outcome)[-1] == NO_POD


def test_a_reply_that_is_lost_is_asked_for_again() -> None:
    world = World()
    handle = ready(world)
    world.plan.add(Rule("delete", "secrets", LoseReply()))
    outcome = world.run(destroy_worker(SECRETLY, handle))
    assert lines(outcome)[:4] == [READ, NO_SECRET, NO_SECRET, NO_CLAIM]
    assert is_gone(world)


def test_the_next_worker_of_that_id_is_not_kept_waiting_by_what_the_last_one_had() -> None:
    """Its names are others: nothing of it stands in the way, and the end of the old one takes nothing of the new."""
    world = World()
    old = ready(world)
    world.exchange(delete(NAME, gracePeriodSeconds=0))
    assert set(companions(world)) == {SECRET, CLAIMED}
    outcome = world.run(create_worker(SECRETLY, RICH, creation_token="another"))
    assert lines(outcome) == ["POST pods", "POST secrets", "POST persistentvolumeclaims", f"PATCH pods/{NAME}"]
    world.run(destroy_worker(SECRETLY, old)).result  # noqa: B018
    world.advance(2 * COLLECTION_DELAY)
    assert len(companions(world)) == 2
    assert SECRET not in companions(world)
    assert NAME in world.pods(NAMESPACE)
