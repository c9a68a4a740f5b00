"""Leader election by a Lease: one leader at a time, the next one soon, whatever is lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hodei_k8s_core.effects import Emit, Monotonic, Observe, Random, Send, Sleep, StopRequested, WallClock
from hodei_k8s_core.errors import ConfigurationError, Delivery, Internal, TransportError, TransportFault
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.lease import LeasePolicy, parse_lease
from hodei_k8s_core.operations.lead import Leadership, lead
from hodei_k8s_core.operations.lease_requests import get_lease, update_lease
from tests.core.operation_cases import CONFIG
from tests.core.told import reply, status_reply

POLICY = LeasePolicy()
WALL = 1_795_521_600.0


class LeaseServer:
    """One Lease, with the API server's rules on versions."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0

    def handle(self, request: Request) -> Response:
        if request.method == "GET":
            return status_reply(404, "NotFound", "not found") if self.lease is None else reply(self.lease)
        sent = msgspec.json.decode(request.body)
        if request.method == "POST" and self.lease is not None:
            return status_reply(409, "AlreadyExists", "exists")
        if request.method == "PUT":
            if self.lease is None:
                return status_reply(404, "NotFound", "not found")
            if sent["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
                return status_reply(409, "Conflict", "changed")
        self.version += 1
        sent["metadata"]["resourceVersion"] = str(self.version)
        self.lease = sent
        return reply(sent)

    @property
    def holder(self) -> str:
        return "" if self.lease is None else self.lease["spec"]["holderIdentity"]


class Candidate:
    """One process, which runs until `until`. Its requests take `latency`; `lost(n)` says what becomes of the nth."""

    def __init__(
        self, name: str, server: LeaseServer, *, at: float = 0, latency: float = 0.1, lost: Callable[[int], str] = str
    ) -> None:
        self.name = name
        self.server = server
        self.now = at
        self.latency = latency
        self.lost = lost
        self.sent = 0
        self.told: list[tuple[float, Leadership]] = []
        self.going = lead(CONFIG, name, name="hodei", policy=POLICY)
        self.resume: Callable[[], Any] = partial(next, self.going)
        self.over = False

    def step(self) -> None:
        try:
            effect = self.resume()
        except StopIteration:
            self.over = True
            return
        self.resume = partial(self.going.send, self._perform(effect))

    def _perform(self, effect: Any) -> Any:
        if isinstance(effect, Send):
            return self._send(effect)
        if isinstance(effect, Sleep):
            self.now += effect.seconds
        elif isinstance(effect, Emit):
            self.told += [(self.now, item) for item in effect.items]
        return {Monotonic: self.now, WallClock: WALL + self.now, Random: 0.5, Observe: None}.get(type(effect))

    def _send(self, effect: Send) -> Any:
        self.sent += 1
        self.now += self.latency
        fate = self.lost(self.sent)
        return self.server.handle(effect.request) if fate != "request" else None

    def stop(self) -> None:
        self.resume = partial(self.going.throw, StopRequested())
        while not self.over:
            self.step()

    @property
    def standing(self) -> Leadership:
        return self.told[-1][1] if self.told else Leadership()

    def leads(self, now: float) -> bool:
        return self.standing.is_ours(now)


class Unlucky(Candidate):
    """Its requests or their replies are lost as `lost` says."""

    def step(self) -> None:
        try:
            effect = self.resume()
        except StopIteration:
            self.over = True
            return
        if isinstance(effect, Send) and self.lost(self.sent + 1) in ("request", "reply"):
            self._send(effect)
            error = TransportError(TransportFault.TIMEOUT, Delivery.MAYBE_SENT)
            self.resume = partial(self.going.throw, error)
        else:
            self.resume = partial(self.going.send, self._perform(effect))


def run_until(end: float, *candidates: Candidate, check: Callable[[float], None] = lambda _: None) -> None:
    """Whoever is behind takes the next step."""
    for _ in range(100_000):
        behind = min(candidates, key=lambda one: one.now)
        if behind.now >= end:
            return
        behind.step()
        check(max(one.now for one in candidates))
    raise AssertionError("it goes on and on")


def test_the_first_one_leads_and_stays_the_leader() -> None:
    server = LeaseServer()
    one = Candidate("one", server)
    run_until(60, one)
    assert one.leads(one.now)
    spec = server.lease["spec"] if server.lease else {}
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("one", 0)
    assert spec["acquireTime"] < spec["renewTime"]
    assert spec["acquireTime"].endswith(".000000Z")


def test_another_one_waits_and_knows_who_leads() -> None:
    server = LeaseServer()
    one, two = Candidate("one", server), Candidate("two", server, at=1)
    run_until(60, one, two)
    assert (one.leads(60), two.leads(60)) == (True, False)
    assert [told for _, told in two.told] == [Leadership(holder="one")]


def test_after_the_leader_has_let_go_the_next_one_takes_over_at_once() -> None:
    server = LeaseServer()
    one, two = Candidate("one", server), Candidate("two", server, at=1)
    run_until(10, one, two)
    one.stop()
    assert server.holder == ""
    run_until(14, two)
    assert two.leads(two.now)
    assert server.lease is not None
    assert server.lease["spec"]["leaseTransitions"] == 1


def test_after_the_leader_has_died_the_lease_must_run_out_first() -> None:
    server = LeaseServer()
    one, two = Candidate("one", server), Candidate("two", server, at=1)
    run_until(10, one, two)
    run_until(40, two)
    taken = next(at for at, told in two.told if told.holder == "two")
    renewed = one.standing.until - POLICY.renew_deadline
    assert POLICY.duration <= taken - renewed <= POLICY.duration + 2 * POLICY.retry_period + 1


def test_a_leader_that_cannot_renew_gives_up_before_another_may_take_over() -> None:
    server = LeaseServer()
    one = Unlucky("one", server, lost=lambda n: "request" if n > 10 else "")
    two = Candidate("two", server, at=1)

    def one_at_most(now: float) -> None:
        assert not (one.leads(now) and two.leads(now))

    run_until(60, one, two, check=one_at_most)
    assert two.leads(two.now)
    assert "timeout" in one.standing.problem
    assert one.standing.holder == ""


def test_a_process_that_was_asleep_knows_that_it_does_not_lead() -> None:
    server = LeaseServer()
    one, two = Candidate("one", server), Candidate("two", server, at=1)
    run_until(10, one, two)
    one.now += 60
    assert not one.leads(one.now)
    run_until(70, two)
    run_until(75, one, two)
    assert two.leads(75)
    assert one.standing == Leadership(holder="two")


def test_who_stops_without_the_lease_leaves_it_alone() -> None:
    server = LeaseServer()
    one, two = Candidate("one", server), Candidate("two", server, at=1)
    run_until(10, one, two)
    two.stop()
    assert server.holder == "one"
    three = Unlucky("three", LeaseServer(), lost=lambda _: "request")
    run_until(5, three)
    three.stop()
    assert three.server.holder == ""


def test_what_is_refused_is_told() -> None:
    class Closed(LeaseServer):
        def handle(self, request: Request) -> Response:
            return status_reply(403, "Forbidden", "leases is forbidden")

    one = Candidate("one", Closed())
    run_until(5, one)
    assert "leases is forbidden" in one.standing.problem
    assert not one.leads(0)


@given(
    st.lists(st.sampled_from(["", "", "request", "reply"]), min_size=40, max_size=40),
    st.lists(st.sampled_from(["", "", "request", "reply"]), min_size=40, max_size=40),
    st.floats(0, 3),
)
def test_never_two_whatever_is_lost(first: list[str], second: list[str], offset: float) -> None:
    server = LeaseServer()
    one = Unlucky("one", server, lost=lambda n: first[n % 40])
    two = Unlucky("two", server, at=offset, lost=lambda n: second[n % 40])

    def one_at_most(now: float) -> None:
        assert not (one.leads(now) and two.leads(now))

    run_until(120, one, two, check=one_at_most)


def test_what_is_no_lease_and_what_is_no_name() -> None:
    with pytest.raises(Internal, match="not a Lease but a Pod"):
        parse_lease(b'{"kind": "Pod"}')
    with pytest.raises(ConfigurationError):
        get_lease("", "x")
    with pytest.raises(ConfigurationError):
        update_lease("x", "a/b", {}, resource_version="1")
