"""A bound on the time of an operation: what is capped, where it strikes, and what the error knows."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.effects import Emit, Monotonic, Observe, Open, Operation, Random, Read, Send, Sleep
from hodei_k8s_core.errors import Delivery, ProvisioningTimeout, Timeout, TransportError, TransportFault
from hodei_k8s_core.http import Body, Request, Response
from hodei_k8s_core.observations import PodCreated, StepStarted
from hodei_k8s_core.operations.deadline import DeadlineExceeded, step, with_deadline
from hodei_k8s_core.simulation import TranscriptMismatch, play

REQUEST = Request("GET", "/x")
OK = Response(200)
LOST = TransportError(TransportFault.CLOSED, Delivery.MAYBE_SENT)


def doing(*effects: Any) -> Operation[list[Any]]:
    replies = []
    for effect in effects:
        replies.append((yield from effect))
    return replies


def bounded(*effects: Any, seconds: float = 10.0) -> Any:
    return with_deadline(doing(*effects), seconds, what="do it")


@pytest.mark.parametrize(
    ("asked", "capped"),
    [
        (Send(REQUEST, 30.0), Send(REQUEST, 4.0)),
        (Open(REQUEST, 30.0), Open(REQUEST, 4.0)),
        (Read(Body(200), 30.0), Read(Body(200), 4.0)),
        (Sleep(30.0), Sleep(4.0)),
        (Send(REQUEST, 3.0), Send(REQUEST, 3.0)),
    ],
)
def test_what_takes_time_is_capped_to_what_is_left(asked: Any, capped: Any) -> None:
    assert play(bounded(asked), [(Monotonic(), 0.0), (Monotonic(), 6.0), (capped, OK)]) == [OK]


def test_what_takes_no_time_is_passed_on_as_it_is() -> None:
    observation = Observe(PodCreated(adopted=False))
    script = [(Monotonic(), 0.0), (Random(), 0.5), (observation, None), (Monotonic(), 99.0), (Emit([1]), None)]
    assert play(bounded(Random(), observation, Monotonic(), Emit([1])), script) == [0.5, None, 99.0, None]


def test_when_nothing_is_left_the_error_names_the_step_that_began_last() -> None:
    def work() -> Operation[None]:
        yield from step("work", "the first")
        yield from step("work", "the second")
        yield from Send(REQUEST, 30.0)

    script = [(Monotonic, 0.0), (Observe(StepStarted("work", "the first")), None), (Observe, None), (Monotonic, 10.0)]
    with pytest.raises(Timeout) as caught:
        play(with_deadline(work(), 10.0, what="do it"), script)
    assert caught.value.step == "the second"
    assert str(caught.value) == "do it did not end within 10 s; while: the second"


def test_before_any_step_it_names_the_whole() -> None:
    with pytest.raises(Timeout) as caught:
        play(bounded(Sleep(1.0)), [(Monotonic, 0.0), (Monotonic, 11.0)])
    assert caught.value.step == "do it"


def test_an_operation_can_say_more_on_its_way_out() -> None:
    status = Status(429, "TooManyRequests", "busy")

    def work() -> Operation[None]:
        try:
            yield from Sleep(5.0)
        except DeadlineExceeded as expired:
            expired.learn(3, status)
            raise expired.to_error(ProvisioningTimeout, "it was not accepted", mend="wait") from None

    with pytest.raises(ProvisioningTimeout) as caught:
        play(with_deadline(work(), 1.0, what="do it"), [(Monotonic, 0.0), (Monotonic, 1.0)])
    error = caught.value
    assert (error.attempts, error.status, error.failure, error.mend) == (3, status, None, "wait")


def test_what_it_learned_is_in_the_timeout() -> None:
    def work() -> Operation[None]:
        try:
            yield from Sleep(5.0)
        except DeadlineExceeded as expired:
            expired.learn(2, LOST)
            raise

    with pytest.raises(Timeout) as caught:
        play(with_deadline(work(), 1.0, what="do it"), [(Monotonic, 0.0), (Monotonic, 1.0)])
    assert (caught.value.attempts, caught.value.failure) == (2, LOST)


def test_an_operation_may_take_the_deadline_for_its_end() -> None:
    def work() -> Operation[str]:
        try:
            yield from Sleep(5.0)
        except DeadlineExceeded:
            return "so far"
        return "all"

    assert play(with_deadline(work(), 1.0, what="do it"), [(Monotonic, 0.0), (Monotonic, 1.0)]) == "so far"


def test_the_shorter_of_two_deadlines_strikes_and_only_its_own() -> None:
    inner = with_deadline(doing(Sleep(50.0)), 2.0, what="the inner")
    with pytest.raises(Timeout) as caught:
        play(
            with_deadline(inner, 10.0, what="the outer"),
            [(Monotonic, 0.0), (Monotonic, 0.0), (Monotonic, 2.0)],
        )
    assert "the inner did not end within 2 s" in str(caught.value)


def test_the_deadline_around_passes_through_the_one_inside() -> None:
    inner = with_deadline(doing(Sleep(50.0)), 20.0, what="the inner")
    script = [(Monotonic, 0.0), (Monotonic, 0.0), (Monotonic, 10.0), (Monotonic, 10.0)]
    with pytest.raises(Timeout) as caught:
        play(with_deadline(inner, 10.0, what="the outer"), script)
    assert "the outer did not end within 10 s" in str(caught.value)


def test_a_failure_that_is_thrown_in_is_the_operations_to_handle() -> None:
    def work() -> Operation[str]:
        try:
            yield from Send(REQUEST, 5.0)
        except TransportError:
            return "lost"
        return "got"

    script = [(Monotonic, 0.0), (Monotonic, 0.0), (Send, LOST)]
    assert play(with_deadline(work(), 10.0, what="do it"), script) == "lost"


def test_closing_it_closes_the_operation_inside() -> None:
    closed = []

    def work() -> Operation[None]:
        try:
            yield from Sleep(5.0)
        finally:
            closed.append(True)

    inner = work()  # kept, so that it is not the garbage collector that closes it
    operation = with_deadline(inner, 10.0, what="do it")
    assert operation.send(None) == Monotonic()
    operation.send(0.0)
    assert operation.send(0.0) == Sleep(5.0)
    operation.close()
    assert closed == [True]


def test_an_operation_that_only_computes_asks_for_the_time_once() -> None:
    assert play(bounded(), [(Monotonic(), 0.0)]) == []
    with pytest.raises(TranscriptMismatch):
        play(bounded(), [(Monotonic(), 0.0), (Monotonic(), 0.0)])
