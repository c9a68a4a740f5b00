"""Every operation, disturbed at every suspension point: closed, failed in each way, stopped. Written once, for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from hodei_k8s_core import operations
from hodei_k8s_core.effects import StopRequested
from hodei_k8s_core.errors import Delivery, OutcomeUnknown, ProviderError, TransportError, TransportFault
from hodei_k8s_core.simulation.driver import Close, Interruption, Outcome, Throw, ThrowAfterActing
from hodei_k8s_core.simulation.faults import LoseReply, LoseRequest, Rule, Stall, server_error
from hodei_k8s_core.simulation.world import World
from tests.core.operation_cases import CASES, CONFIG, COORDINATED, NAMESPACE, NOT_OPERATIONS, SPEC, TOKEN, Case, pods

LONGEST = CONFIG.destroy_timeout + CONFIG.grace_period + 2 * CONFIG.operation_timeout + 600
"""Virtual seconds that no operation may outlive, whatever is done to it."""


TELLERS = {"apply_plan", "audit", "health_check"}
"""They succeed by telling what they found."""


def refused() -> TransportError:
    return TransportError(TransportFault.REFUSED, Delivery.NOT_SENT, "injected")


def lost() -> TransportError:
    return TransportError(TransportFault.CLOSED, Delivery.MAYBE_SENT, "injected")


def broken() -> TransportError:
    return TransportError(TransportFault.MALFORMED, Delivery.ANSWERED, "injected")


def untrusted() -> TransportError:
    return TransportError(TransportFault.TLS_UNTRUSTED, Delivery.NOT_SENT, "injected")


FAILURES = {
    "not sent": lambda: Throw(refused()),
    "lost before acting": lambda: Throw(lost()),
    "lost after acting": lambda: ThrowAfterActing(lost()),
    "answer broken": lambda: ThrowAfterActing(broken()),
    "hopeless": lambda: Throw(untrusted()),
}


def run(case: Case, interrupt: dict[int, Interruption] | None = None) -> tuple[World, Outcome]:
    world = case.world()
    given = case.prepare(world)
    return world, world.run(case.make(given), interrupt=interrupt)


def points(case: Case) -> Iterator[int]:
    _, outcome = run(case)
    return iter(range(len(outcome.effects)))


def failing_points(case: Case) -> list[int]:
    _, outcome = run(case)
    return [step.number for step in outcome.effects if step.can_fail]


def test_every_operation_is_listed() -> None:
    assert set(CASES) == set(operations.__all__) - set(NOT_OPERATIONS) | COORDINATED


@pytest.mark.parametrize("name", CASES)
def test_undisturbed(name: str) -> None:
    case = CASES[name]
    world, outcome = run(case)
    assert case.expect(world, outcome.result)
    assert outcome.bodies_left == 0
    assert outcome.seconds < 60


@pytest.mark.parametrize("name", CASES)
def test_closed_at_every_point(name: str) -> None:
    """A cancelled call wants nothing more of the world, and the next call finds it in order."""
    case = CASES[name]
    for point in points(case):
        world, outcome = run(case, {point: Close()})
        assert outcome.closed_at == point
        assert case.settled(world), told(f"closed at {point}", outcome)
        assert_next_call_settles(name, world)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("name", CASES)
def test_one_failure_at_every_point(name: str, failure: str) -> None:
    """One failure is overcome, or told; nothing is doubled, nothing is left behind unsaid."""
    case = CASES[name]
    for point in failing_points(case):
        world, outcome = run(case, {point: FAILURES[failure]()})
        where = partial(told, f"{failure} at {point}", outcome)
        assert outcome.seconds < LONGEST, where()
        assert case.settled(world), where()
        if outcome.error is None:
            assert name in TELLERS or case.expect(world, outcome.result), where()
        else:
            assert isinstance(outcome.error, ProviderError), where()
            assert failure == "hopeless", where()
        assert_truth_is_told(name, world, outcome, where)


@pytest.mark.parametrize("fault", [LoseRequest(), LoseReply(), Stall(), Stall(acting=True), server_error()], ids=repr)
@pytest.mark.parametrize("name", CASES)
def test_everything_fails_from_every_request_on(name: str, fault: object) -> None:
    """An API server that goes away and does not come back: a clear error within the deadline, never a hang."""
    case = CASES[name]
    _, undisturbed = run(case)
    for nth in range(1, len(undisturbed.requests) + 1):
        world = case.world()
        given = case.prepare(world)
        world.plan.add(Rule("", "", fault, nth=nth, times=None))
        outcome = world.run(case.make(given), max_effects=50_000)
        where = partial(told, f"{fault!r} from request {nth} on", outcome)
        assert outcome.seconds < LONGEST, where()
        assert outcome.error is None or isinstance(outcome.error, ProviderError), where()
        assert case.settled(world), where()
        assert_truth_is_told(name, world, outcome, where)
        world.plan.rules.clear()
        assert_next_call_settles(name, world)


@pytest.mark.parametrize("name", CASES)
def test_stopped_at_every_point(name: str) -> None:
    """A graceful stop ends the operation; what runs a worker to its end destroys it first."""
    case = CASES[name]
    for point in points(case):
        world, outcome = run(case, {point: Throw(StopRequested())})
        where = partial(told, f"stopped at {point}", outcome)
        assert outcome.error is None or isinstance(outcome.error, StopRequested | ProviderError), where()
        assert case.settled(world), where()
        if name == "run_worker":
            assert pods(world) == 0, where()


def told(disturbance: str, outcome: Outcome) -> str:
    """Where it went wrong. Made only when it did: the text of a whole run costs more than the run."""
    return f"{disturbance}:\n{outcome.transcript()}"


def assert_truth_is_told(name: str, world: World, outcome: Outcome, where: Callable[[], str]) -> None:
    """A create that failed left no Pod, or says that it does not know."""
    if name == "create_worker" and outcome.error is not None and not isinstance(outcome.error, OutcomeUnknown):
        assert pods(world) == 0, where()
    if name == "create_worker" and outcome.error is None:
        assert outcome.result.pod_uid == world.pods(NAMESPACE)["hodei-worker-w1"]["metadata"]["uid"], where()
    if isinstance(outcome.error, OutcomeUnknown):
        assert outcome.error.creation_token in str(outcome.error), where()


def assert_next_call_settles(name: str, world: World) -> None:
    """Whatever state an interrupted call left, the next one adopts or destroys it."""
    if name == "create_worker":
        adopted = world.run(operations.adopt_or_create_worker(CONFIG, SPEC, creation_token=TOKEN)).result
        assert pods(world) == 1
        assert adopted.pod_uid == world.pods(NAMESPACE)["hodei-worker-w1"]["metadata"]["uid"]
    if CASES[name].changes and name != "ensure_namespace":
        world.run(operations.destroy_worker_by_id(CONFIG, "w1")).result  # noqa: B018 - raises what it raised
        assert pods(world) == 0
