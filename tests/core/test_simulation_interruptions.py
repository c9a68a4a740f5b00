"""Operations closed, stopped and failed at their suspension points."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hodei_k8s_core.effects import (
    Emit,
    Open,
    Operation,
    Read,
    Sleep,
    StopRequested,
    Stream,
)
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.simulation import Close as CloseAt
from hodei_k8s_core.simulation import (
    Interruption,
    LoseReply,
    Rule,
    SimulationError,
    Throw,
    ThrowAfterActing,
    World,
    YieldedWhileClosing,
)
from tests.core.simulation_operations import adopting
from tests.core.simulation_requests import NAMESPACE, ready_world, watch

LOST = TransportError(TransportFault.CLOSED, Delivery.MAYBE_SENT)

# --- interruptions


def test_closing_leaves_the_effect_undone() -> None:
    world = World()
    outcome = world.run(adopting(), interrupt={0: CloseAt()})
    assert outcome.closed_at == 0
    assert world.pods(NAMESPACE) == {}
    with pytest.raises(SimulationError, match="closed at suspension point 0"):
        _ = outcome.result


def test_an_error_before_or_after_acting() -> None:
    for interruption, there in ((Throw(LOST), False), (ThrowAfterActing(LOST), True)):
        world = World()
        outcome = world.run(adopting(), interrupt={0: interruption, 1: CloseAt()})
        assert outcome.effects[0].reply is LOST
        assert bool(world.pods(NAMESPACE)) is there


@pytest.mark.parametrize("error", [StopRequested(), KeyboardInterrupt(), LOST])
def test_what_was_thrown_in_and_comes_out_is_the_outcome(error: BaseException) -> None:
    def plain() -> Operation[None]:
        yield from Sleep(1.0)

    assert World().run(plain(), interrupt={0: Throw(error)}).error is error


def test_a_failure_of_its_own_is_not_hidden_by_an_interruption() -> None:
    world = World(faults=[Rule("create", "pods", LoseReply())])
    outcome = world.run(adopting(), interrupt={0: ThrowAfterActing(StopRequested())})
    assert outcome.result == "adopted"


def test_a_graceful_stop_may_still_do_things() -> None:
    def stoppable() -> Operation[str]:
        body = yield from Open(watch(), 5.0)
        try:
            while True:
                yield from Read(body, 60.0)
        except StopRequested:
            yield from Read(body, 1.0)
            return "stopped"

    assert ready_world().run(stoppable(), interrupt={2: Throw(StopRequested())}).result == "stopped"


@pytest.mark.parametrize("interruption", [Throw(LOST), ThrowAfterActing(LOST)])
def test_a_body_whose_read_failed_stays_failed(interruption: Interruption) -> None:
    def reads_on() -> Operation[str]:
        body = yield from Open(watch(), 5.0)
        for _ in range(2):
            try:
                yield from Read(body, 5.0)
            except TransportError:
                continue
            return "went on"
        return "broken"

    assert ready_world().run(reads_on(), interrupt={1: interruption}).result == "broken"


def test_a_body_whose_head_was_lost_is_nobodys() -> None:
    def opens() -> Operation[None]:
        yield from Open(watch(), 5.0)

    outcome = ready_world().run(opens(), interrupt={0: ThrowAfterActing(LOST)})
    assert outcome.error is LOST
    assert outcome.bodies_left == 0


def test_an_operation_that_yields_while_it_is_closed_is_reported() -> None:
    def stubborn() -> Operation[None]:
        try:
            yield from Sleep(1.0)
        finally:
            yield from Sleep(2.0)

    with pytest.raises(YieldedWhileClosing, match="at suspension point 0"):
        World().run(stubborn(), interrupt={0: CloseAt()})


def test_another_runtime_error_while_closing_is_not_taken_for_that() -> None:
    def breaks() -> Operation[None]:
        try:
            yield from Sleep(1.0)
        finally:
            raise RuntimeError("other")

    with pytest.raises(RuntimeError, match="other"):
        World().run(breaks(), interrupt={0: CloseAt()})


def counting() -> Stream[int, str]:
    number = 0
    try:
        while True:
            yield from Emit([number])
            number += 1
    except StopRequested:
        return "stopped"


@pytest.mark.parametrize(
    ("what", "closed", "returned"),
    [(CloseAt(), True, None), (Throw(StopRequested()), False, "stopped")],
)
def test_the_receiver_of_a_stream_can_end_it(what: Interruption, closed: bool, returned: str | None) -> None:
    def enough(items: Sequence[int]) -> Interruption | None:
        return what if items[0] == 3 else None

    outcome = World().run(counting(), on_emit=enough)
    assert outcome.emitted == [0, 1, 2, 3]
    assert (outcome.closed_at is not None) is closed
    assert outcome.returned == returned


def test_every_point_of_an_operation_can_be_met() -> None:
    points = len(World(faults=[Rule("create", "pods", LoseReply())]).run(adopting()).effects)
    for point in range(points):
        for interruption in (CloseAt(), Throw(LOST), ThrowAfterActing(LOST)):
            world = World(faults=[Rule("create", "pods", LoseReply())])
            outcome = world.run(adopting(), interrupt={point: interruption})
            assert outcome.closed_at == point or outcome.returned is not None
            assert len(world.pods(NAMESPACE)) <= 1
