"""Faults by rule, and the host that meets them in virtual time."""

from __future__ import annotations

import pytest

from hodei_k8s_core.api_status import parse_status
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_core.simulation import (
    Answer,
    Behaviour,
    Delay,
    ExpireVersions,
    LoseReply,
    LoseRequest,
    ReplyCut,
    Rule,
    Stall,
    World,
    proxy_page,
    server_error,
    throttled,
    unavailable,
)
from hodei_k8s_core.simulation.faults import Fault
from tests.core.simulation_requests import NAMESPACE, create, get

STILL = {"worker:1": Behaviour(schedule=1e9)}


@pytest.mark.parametrize(
    ("fault", "delivery", "what", "happened", "seconds"),
    [
        (LoseRequest(), Delivery.NOT_SENT, TransportFault.REFUSED, False, 0.005),
        (
            LoseRequest(Delivery.MAYBE_SENT, TransportFault.CLOSED),
            Delivery.MAYBE_SENT,
            TransportFault.CLOSED,
            False,
            0.005,
        ),
        (LoseReply(), Delivery.MAYBE_SENT, TransportFault.CLOSED, True, 0.01),
        (ReplyCut(TransportFault.MALFORMED), Delivery.ANSWERED, TransportFault.MALFORMED, True, 0.01),
        (Stall(), Delivery.MAYBE_SENT, TransportFault.TIMEOUT, False, 10.0),
        (Stall(acting=True), Delivery.MAYBE_SENT, TransportFault.TIMEOUT, True, 10.0),
        (Delay(99.0), Delivery.MAYBE_SENT, TransportFault.TIMEOUT, True, 10.0),
    ],
)
def test_an_exchange_that_fails(
    fault: Fault, delivery: Delivery, what: TransportFault, happened: bool, seconds: float
) -> None:
    world = World(faults=[Rule("create", "pods", fault)])
    with pytest.raises(TransportError) as caught:
        world.exchange(create(), timeout=10.0)
    assert (caught.value.delivery, caught.value.fault) == (delivery, what)
    assert world.now == pytest.approx(seconds)
    assert list(world.pods(NAMESPACE)) == (["a"] if happened else [])
    assert world.exchange(create()).status == (409 if happened else 201)


@pytest.mark.parametrize(
    ("fault", "status", "happened", "wait"),
    [
        (throttled(2), 429, False, 2.0),
        (throttled(None), 429, False, None),
        (unavailable(), 503, False, None),
        (unavailable(1), 503, False, 1.0),
        (server_error(), 500, False, None),
        (server_error(acting=True), 500, True, None),
        (proxy_page(), 502, False, None),
    ],
)
def test_an_answer_that_is_not_the_servers_own(fault: Fault, status: int, happened: bool, wait: float | None) -> None:
    world = World(faults=[Rule("create", "pods", fault)])
    reply = world.exchange(create())
    told = parse_status(reply.body, code=reply.status, headers=reply.headers)
    assert (told.code, told.retry_after) == (status, wait)
    assert list(world.pods(NAMESPACE)) == (["a"] if happened else [])


def test_a_reply_can_be_slow() -> None:
    world = World(faults=[Rule("get", "version", Delay(3.0)), Rule("get", "version", Delay(1.0), nth=2)], latency=0.5)
    world.exchange(get("/version"))
    assert world.now == 3.5
    world.exchange(get("/version"))
    assert world.now == 5.0


def test_equal_rules_count_apart() -> None:
    world = World(faults=[Rule("get", "version", Delay(1.0), nth=2), Rule("get", "version", Delay(1.0), nth=2)])
    world.exchange(get("/version"))
    world.exchange(get("/version"))
    assert world.now == pytest.approx(2.02)


def test_a_rule_says_which_request() -> None:
    world = World(faults=[Rule("create", "pods", unavailable(), nth=2, times=2)])
    assert [world.exchange(create(name)).status for name in "abcd"] == [201, 503, 503, 201]
    assert [fault.status for fault, _ in world.plan.fired if isinstance(fault, Answer)] == [503, 503]


def test_a_rule_can_last_for_ever_and_choose_by_a_predicate() -> None:
    def of_b(request: Request) -> bool:
        return b'"b"' in request.body

    world = World(faults=[Rule("", "", unavailable(), when=of_b, times=None)])
    assert [world.exchange(create(name)).status for name in "abba"] == [201, 503, 503, 409]


def test_rules_can_be_added_later_and_match_paths_that_mean_nothing() -> None:
    world = World(faults=[Rule("create", "pods", unavailable())])
    world.plan.add(Rule("", "", proxy_page(404)))
    assert world.exchange(get("/no/such/path")).body.startswith(b"<html>")
    assert world.exchange(create()).status == 503


def test_rules_can_be_taken_away() -> None:
    world = World(faults=[Rule("create", "pods", unavailable(), times=None)])
    assert world.exchange(create()).status == 503
    world.plan.rules.clear()
    world.plan.add(Rule("create", "pods", throttled(), nth=2))
    assert [world.exchange(create(name)).status for name in "abc"] == [201, 429, 201]


def test_the_first_of_several_endings_counts_and_the_rest_composes() -> None:
    world = World(
        faults=[
            Rule("create", "pods", Delay(2.0)),
            Rule("create", "pods", LoseReply()),
            Rule("create", "pods", LoseRequest()),
            Rule("create", "pods", ExpireVersions()),
        ]
    )
    before = world.cluster.store.oldest
    with pytest.raises(TransportError, match="the reply was lost"):
        world.exchange(create())
    assert world.now == pytest.approx(2.01)
    assert world.cluster.store.oldest > before
    assert "a" in world.pods(NAMESPACE)
