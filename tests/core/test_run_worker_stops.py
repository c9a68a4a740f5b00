"""`run_worker` when it is asked to stop: once, and a second time as Ctrl-C twice does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hodei_k8s_core import operations
from hodei_k8s_core.effects import StopRequested
from hodei_k8s_core.log_entry import LogEntry
from hodei_k8s_core.simulation import Behaviour, Close, Outcome, Throw, World
from hodei_k8s_core.simulation.driver import Interruption
from hodei_k8s_core.worker import WorkerHandle
from tests.core.operation_cases import CONFIG, NAMESPACE, SPEC

TALKS = Behaviour(logs=((0.0, "hello"),), on_term=("bye",))


def stopped_at_its_first_line(behaviour: Behaviour, close_at: int | None = None) -> tuple[World, Outcome[Any]]:
    """Stopped once; and closed at a later suspension point."""
    world = World(behaviours={SPEC.image: behaviour})
    was_stopped = False

    def stop(items: Sequence[Any]) -> Interruption | None:
        nonlocal was_stopped
        if was_stopped or not any(isinstance(item, LogEntry) for item in items):
            return None
        was_stopped = True
        return Throw(StopRequested())

    interrupt = {} if close_at is None else {close_at: Close()}
    return world, world.run(operations.run_worker(CONFIG, SPEC), on_emit=stop, interrupt=interrupt)


def graces(outcome: Outcome[Any]) -> list[int]:
    bodies = [msgspec.json.decode(request.body) for request in outcome.requests if request.method == "DELETE"]
    return [body["gracePeriodSeconds"] for body in bodies]


def test_once_is_a_graceful_end_with_the_report() -> None:
    world, outcome = stopped_at_its_first_line(TALKS)
    report = outcome.result
    assert graces(outcome) == [CONFIG.grace_period]
    assert [line.message for line in report.lines] == ["hello", "bye"]
    assert (report.exit_code, report.is_complete) == (143, True)
    assert world.pods(NAMESPACE) == {}


def test_twice_is_the_shortest_grace_period() -> None:
    """The second stop closes the stream; what the caller asks for then makes the period that runs shorter."""
    stubborn = msgspec.structs.replace(TALKS, on_term=(), term=None)
    _, whole = stopped_at_its_first_line(stubborn)
    asked = next(step.number for step in whole.effects if step.request and step.request.method == "DELETE")
    world, outcome = stopped_at_its_first_line(stubborn, close_at=asked + 2)
    assert outcome.closed_at == asked + 2
    (handle,) = [item for item in outcome.emitted if isinstance(item, WorkerHandle)]
    second = world.run(operations.begin_destroy_worker(CONFIG, handle, grace_period=1))
    assert graces(outcome) + graces(second) == [CONFIG.grace_period, 1]
    world.advance(2)
    assert world.pods(NAMESPACE) == {}
