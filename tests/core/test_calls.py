"""One REST call, effect by effect: what is sent, observed, repeated, and told when it fails."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.effects import Monotonic, Observe, Random, Send, Sleep, SpendRetry
from hodei_k8s_core.errors import ConnectionFailed, Delivery, ProviderSpecific, TransportError, TransportFault
from hodei_k8s_core.http import Body, Request, Response
from hodei_k8s_core.observations import ApiExchange, RetryPlanned
from hodei_k8s_core.operations.calls import call, exchange, read_refusal
from hodei_k8s_core.operations.deadline import DeadlineExceeded
from hodei_k8s_core.requests import get_pod
from hodei_k8s_core.simulation import play
from tests.core.told import not_found_reply, status_reply, tell

CONFIG = KubernetesConfig(retry=RetryPolicy(max_attempts=3, first_delay=0.5, factor=2.0, jitter=0.5))
REQUEST: Request = get_pod("hodei-workers", "p")
OK = Response(200, body=b"{}")
LOST = TransportError(TransportFault.CLOSED, Delivery.MAYBE_SENT)
SEND = Send(REQUEST, CONFIG.request_timeout)
LINE = "GET pods/p"


def attempt(reply: Any, outcome: str, began: float = 1.0, ended: float = 1.25) -> list[tuple[Any, Any]]:
    observed = Observe(ApiExchange("get", "pods", outcome, ended - began))
    return [(Monotonic(), began), (SEND, reply), (Monotonic(), ended), (observed, None)]


def test_a_success_is_sent_once_and_observed_with_its_time() -> None:
    assert play(call(REQUEST, CONFIG, "read"), attempt(OK, "200")) is OK


def test_a_failure_that_may_pass_is_repeated_after_a_delay_with_jitter_from_the_budget() -> None:
    planned = Observe(RetryPlanned("get", "pods", "closed", 0.375))
    script = [*attempt(LOST, "closed"), (Random(), 0.5), (SpendRetry(), True), (planned, None), (Sleep(0.375), None)]
    assert play(call(REQUEST, CONFIG, "read"), [*script, *attempt(OK, "200")]) is OK


def test_a_refusal_with_retry_after_waits_just_that_long() -> None:
    busy = status_reply(429, "TooManyRequests", "busy", retry_after="9")
    planned = Observe(RetryPlanned("get", "pods", "429", 9.0))
    script = [*attempt(busy, "429"), (Random(), 0.5), (SpendRetry(), True), (planned, None), (Sleep(9.0), None)]
    assert play(call(REQUEST, CONFIG, "read"), [*script, *attempt(OK, "200")]) is OK


def test_a_budget_that_is_used_up_ends_it_after_the_first_attempt() -> None:
    told = tell(call(REQUEST, CONFIG, "read the Pod p"), [(LINE, LOST)], retries=0)
    assert isinstance(told.error, ConnectionFailed)
    assert told.error.attempts == 1
    assert told.error.failure is LOST
    assert told.sleeps == []


def test_the_attempts_of_the_policy_end_it_with_the_last_failure() -> None:
    last = status_reply(503, "ServiceUnavailable", "going down")
    told = tell(call(REQUEST, CONFIG, "read the Pod p"), [(LINE, LOST), (LINE, LOST), (LINE, last)])
    assert isinstance(told.error, ProviderSpecific)
    assert str(told.error) == (
        "read the Pod p: the API server could not answer; tried 3 times; "
        "the server said: 503 ServiceUnavailable: going down"
    )
    assert told.sleeps == [0.5, 1.0]


def test_a_refusal_is_final() -> None:
    told = tell(call(REQUEST, CONFIG, "read"), [(LINE, not_found_reply("p"))])
    assert told.error is not None
    assert told.sleeps == []


def test_a_deadline_learns_what_the_call_met_last() -> None:
    operation = call(REQUEST, CONFIG, "read")
    script = [*attempt(LOST, "closed"), (Random, 0.0), (SpendRetry, True), (Observe, None)]
    expired = DeadlineExceeded(object(), "a step")
    with pytest.raises(DeadlineExceeded):
        play(operation, [*script, (Sleep, expired)])
    assert (expired.attempts, expired.failure, expired.status) == (1, LOST, None)


def test_a_deadline_learns_a_status_too() -> None:
    busy = status_reply(500, "InternalError", "no leader")
    expired = DeadlineExceeded(object(), "a step")
    script = [*attempt(busy, "500"), (Random, 0.0), (SpendRetry, True), (Observe, None), (Sleep, expired)]
    with pytest.raises(DeadlineExceeded):
        play(call(REQUEST, CONFIG, "read"), script)
    assert expired.status is not None
    assert expired.status.message == "no leader"


def test_an_exchange_gives_the_failure_as_a_value() -> None:
    assert play(exchange(REQUEST, CONFIG.request_timeout), attempt(LOST, "closed")) is LOST


def test_a_stream_that_was_refused_says_why() -> None:
    refused = status_reply(403, "Forbidden", "no")
    assert read_refusal(Body(403, refused.headers), refused.body).message == "no"
