"""A worker with a Secret and a claim, disturbed at every point of its operations: nothing is left, nothing doubled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from hodei_k8s_core import operations
from hodei_k8s_core.companions import KIND_OF
from hodei_k8s_core.effects import StopRequested
from hodei_k8s_core.errors import OutcomeUnknown, ProviderError
from hodei_k8s_core.simulation.driver import Close, Interruption, Outcome, Throw
from hodei_k8s_core.simulation.faults import Fault, LoseReply, LoseRequest, Rule, Stall
from hodei_k8s_core.simulation.garbage import COLLECTION_DELAY
from hodei_k8s_core.simulation.world import World
from tests.core.companion_cases import COMPANION_CASES as CASES
from tests.core.companion_cases import NAME, SECRETLY, adopt, is_gone, is_whole
from tests.core.operation_cases import NAMESPACE, Case, pods
from tests.core.simulation_requests import delete
from tests.core.test_every_operation import FAILURES, LONGEST, told

CREATING = ("create_worker", "adopt_or_create_worker")


def run(case: Case, interrupt: dict[int, Interruption] | None = None) -> tuple[World, Outcome[Any]]:
    world = case.world()
    given = case.prepare(world)
    return world, world.run(case.make(given), interrupt=interrupt)


def steps(case: Case) -> list[int]:
    """Before every exchange, and before the end: between them the world stays as it is."""
    _, undisturbed = run(case)
    return [step.number for step in undisturbed.effects if step.can_fail] + [len(undisturbed.effects) - 1]


def ends(name: str) -> list[Callable[[World], None]]:
    """What may follow a crash."""
    return [destroyed, deleted, adopted] if name in CREATING else [destroyed, deleted]


def destroyed(world: World) -> None:
    """One more destroy, and no garbage collector is needed."""
    had_pod = pods(world) > 0
    world.run(operations.destroy_worker_by_id(SECRETLY, "w1")).result  # noqa: B018 - raises what it raised
    if not had_pod:
        world.advance(2 * COLLECTION_DELAY)
    assert is_gone(world)


def deleted(world: World) -> None:
    """Somebody deletes the Pod and knows nothing of the rest."""
    if pods(world):
        world.exchange(delete(NAME, gracePeriodSeconds=0))
    world.advance(2 * COLLECTION_DELAY)
    assert is_gone(world)


def adopted(world: World) -> None:
    """The next create goes on where the first was broken off."""
    world.run(adopt()).result  # noqa: B018
    assert is_whole(world)
    assert pods(world) == 1
    destroyed(world)


def assert_owned(world: World) -> None:
    """At any time: each companion goes with a Pod, and a Pod whose gate was lifted had all of its own by then."""
    uids = set()
    for change in world.cluster.store.changes_after(0):
        resource, item = change.key[0], change.item
        if resource == "pods":
            uids.add(item["metadata"]["uid"])
            was_gated = change.before is not None and "schedulingGates" in change.before["spec"]
            if was_gated and change.after is not None and "schedulingGates" not in change.after["spec"]:
                there = {
                    f"{kind}/{one['metadata']['name']}"
                    for kind in KIND_OF
                    for one in world.cluster.store.list_at(change.version, kind, NAMESPACE)
                    if one["metadata"]["ownerReferences"][0]["uid"] == item["metadata"]["uid"]
                }
                assert there == set(item["metadata"]["annotations"]["hodei.io/companions"].split())
        elif resource in KIND_OF:
            (owner,) = item["metadata"]["ownerReferences"]
            assert owner["uid"] in uids
            assert (owner["controller"], owner["blockOwnerDeletion"]) == (False, False)


@pytest.mark.parametrize("name", CASES)
def test_undisturbed(name: str) -> None:
    case = CASES[name]
    world, outcome = run(case)
    assert case.expect(world, outcome.result)
    assert_owned(world)
    assert outcome.bodies_left == 0


@pytest.mark.parametrize("name", CASES)
def test_a_crash_at_every_step_leaves_nothing_that_is_not_taken_away(name: str) -> None:
    case = CASES[name]
    for point in steps(case):
        for follow in ends(name):
            world, outcome = run(case, {point: Close()})
            assert outcome.closed_at == point
            assert case.settled(world), told(f"closed at {point}", outcome)
            assert_owned(world)
            follow(world)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("name", CASES)
def test_one_failure_at_every_point(name: str, failure: str) -> None:
    case = CASES[name]
    _, undisturbed = run(case)
    for point in [step.number for step in undisturbed.effects if step.can_fail]:
        interruption: Interruption = FAILURES[failure]()
        world, outcome = run(case, {point: interruption})
        where = partial(told, f"{failure} at {point}", outcome)
        assert outcome.seconds < LONGEST, where()
        assert case.settled(world), where()
        assert_owned(world)
        if failure == "hopeless":
            world.advance(10)  # a companion that could not be deleted goes with its Pod
        if outcome.error is None:
            assert case.expect(world, outcome.result), where()
        else:
            assert failure == "hopeless", where()
        assert_truth_is_told(name, world, outcome, where)
        destroyed(world)


@pytest.mark.parametrize("fault", [LoseRequest(), LoseReply(), Stall(acting=True)], ids=repr)
@pytest.mark.parametrize("name", CASES)
def test_everything_fails_from_every_request_on(name: str, fault: Fault) -> None:
    case = CASES[name]
    _, undisturbed = run(case)
    for nth in range(1, len(undisturbed.requests) + 1):
        for follow in ends(name):
            world = case.world()
            given = case.prepare(world)
            world.plan.add(Rule("", "", fault, nth=nth, times=None))
            outcome = world.run(case.make(given), max_effects=50_000)
            where = partial(told, f"{fault!r} from request {nth} on", outcome)
            assert outcome.seconds < LONGEST, where()
            assert case.settled(world), where()
            assert_owned(world)
            assert_truth_is_told(name, world, outcome, where)
            world.plan.rules.clear()
            follow(world)


def test_run_worker_that_is_stopped_at_any_point_leaves_nothing() -> None:
    case = CASES["run_worker"]
    for point in steps(case):
        world, outcome = run(case, {point: Throw(StopRequested())})
        where = partial(told, f"stopped at {point}", outcome)
        assert outcome.error is None or isinstance(outcome.error, StopRequested | ProviderError), where()
        world.advance(2 * COLLECTION_DELAY)
        assert is_gone(world), where()


def assert_truth_is_told(name: str, world: World, outcome: Outcome[Any], where: Callable[[], str]) -> None:
    """A create that failed left nothing, or says what it does not know."""
    if name not in CREATING:
        return
    if outcome.error is None:
        assert is_whole(world), where()
    elif isinstance(outcome.error, OutcomeUnknown):
        assert outcome.error.creation_token in str(outcome.error), where()
    else:
        assert name == "adopt_or_create_worker" or pods(world) == 0, where()
