"""The pure driver: every effect, every kind of interruption, and what no operation may do."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hodei_k8s_core.effects import (
    Close,
    Emit,
    Monotonic,
    Observe,
    Open,
    Operation,
    Random,
    Read,
    Send,
    Sleep,
    SpendRetry,
    Stream,
    WallClock,
)
from hodei_k8s_core.errors import ConnectionFailed, Delivery, TransportError, TransportFault
from hodei_k8s_core.observations import PodCreated
from hodei_k8s_core.simulation import (
    Cluster,
    DidNotEnd,
    FaultPlan,
    LoseReply,
    Rule,
    SimulatedHost,
    SimulationError,
    VirtualClock,
    World,
    run,
)
from tests.core.simulation_operations import adopting
from tests.core.simulation_requests import NAMESPACE, get, watch

LOST = TransportError(TransportFault.CLOSED, Delivery.MAYBE_SENT)


def test_a_result_comes_with_all_that_was_done() -> None:
    world = World()
    outcome = world.run(adopting())
    assert outcome.result == "created"
    assert outcome.error is None
    assert [request.method for request in outcome.requests] == ["POST"]
    assert outcome.seconds == pytest.approx(0.01)
    assert "#0 at 0.000 s: Send(request=<Request POST" in outcome.transcript()
    assert "a" in world.pods(NAMESPACE)


def test_a_lost_reply_is_met_by_the_operation() -> None:
    world = World(faults=[Rule("create", "pods", LoseReply())])
    outcome = world.run(adopting())
    assert outcome.result == "adopted"
    assert isinstance(outcome.effects[0].reply, TransportError)
    assert len(world.pods(NAMESPACE)) == 1


def test_an_error_is_kept_and_raised_with_the_result() -> None:
    outcome = World(faults=[Rule("", "", LoseReply(), times=None)]).run(adopting())
    assert isinstance(outcome.error, ConnectionFailed)
    with pytest.raises(ConnectionFailed):
        _ = outcome.result


def test_any_cluster_and_plan_can_be_driven() -> None:
    cluster = Cluster(namespaces=[])
    host = SimulatedHost(cluster, FaultPlan(), VirtualClock(), retries=0)
    assert isinstance(run(adopting(), host).error, ConnectionFailed)
    assert host.perform(SpendRetry()) is False


# --- effects


def test_every_effect_is_performed() -> None:
    def all_of_them() -> Stream[int, list[Any]]:
        start = yield from Monotonic()
        wall = yield from WallClock()
        yield from Sleep(2.5)
        yield from Observe(PodCreated(adopted=False))
        yield from Emit([1, 2])
        yield from Emit([3])
        reply = yield from Send(get("/version"), 5.0)
        body = yield from Open(get("/readyz"), 5.0)
        chunk = yield from Read(body, 5.0)
        yield from Close(body)
        yield from Close(body)
        later = yield from Monotonic()
        return [start, wall, (yield from SpendRetry()), reply.status, chunk, later]

    outcome = World().run(all_of_them())
    assert outcome.result == [0.0, 1_790_000_000.0, True, 200, b"ok", pytest.approx(2.52)]
    assert outcome.observations == [PodCreated(adopted=False)]
    assert outcome.emitted == [1, 2, 3]
    assert outcome.bodies_left == 0
    assert [step.can_fail for step in outcome.effects].count(True) == 3


def test_an_outcome_holds_only_its_own() -> None:
    world = World()

    def emits(item: int) -> Stream[int, None]:
        yield from Emit([item])
        yield from Observe(PodCreated(adopted=True))

    first, second = world.run(emits(1)), world.run(emits(2))
    assert (first.emitted, second.emitted) == ([1], [2])
    assert len(second.observations) == 1
    assert second.result is None


def test_chance_comes_from_the_seed() -> None:
    def numbers() -> Operation[list[float]]:
        drawn = []
        for _ in range(1000):
            drawn.append((yield from Random()))
        return drawn

    one, same, other = (World(seed=seed).run(numbers()).result for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert all(0 <= number < 1 for number in one)
    assert len(set(one)) == 1000
    assert 0.45 < sum(one) / 1000 < 0.55


def test_the_budget_of_retries_runs_out() -> None:
    def spends() -> Operation[list[bool]]:
        return [(yield from SpendRetry()), (yield from SpendRetry()), (yield from SpendRetry())]

    assert World(retries=2).run(spends()).result == [True, True, False]


@pytest.mark.parametrize(
    ("effect", "message"),
    [(Sleep(-1.0), "sleep -1"), (Sleep(math.inf), "waits for ever"), ("nonsense", "no effect")],
)
def test_what_is_no_effect_is_a_bug(effect: Any, message: str) -> None:
    def wrong() -> Operation[None]:
        yield effect

    with pytest.raises(SimulationError, match=message):
        World().run(wrong())


def test_waiting_for_ever_is_a_bug() -> None:
    def hangs() -> Operation[None]:
        body = yield from Open(watch(resourceVersion="1002"), 5.0)
        while True:
            yield from Read(body, math.inf)

    with pytest.raises(DidNotEnd):
        World().run(hangs(), max_effects=20)


def test_an_endless_loop_is_an_error_with_the_last_effects() -> None:
    def loops() -> Operation[None]:
        while True:
            yield from Sleep(1.0)

    with pytest.raises(DidNotEnd) as caught:
        World().run(loops(), max_effects=100)
    message = str(caught.value)
    assert message.startswith("did not end within 100 effects; the last:\n#80 at 80.000 s: Sleep(seconds=1.0)")
    assert message.count("\n") == 20


def test_an_error_that_is_a_bug_is_not_an_outcome() -> None:
    def buggy() -> Operation[None]:
        yield from Monotonic()
        raise KeyError("x")

    with pytest.raises(KeyError):
        World().run(buggy())
