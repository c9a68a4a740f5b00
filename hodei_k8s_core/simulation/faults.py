"""Faults by rule: which request, and what goes wrong with it.

    plan = FaultPlan([Rule("create", "pods", LoseReply()), Rule("list", "pods", throttled(2), nth=2, times=3)])

Rules compose: a request meets the faults of every rule that fires on it, and of every chance that hits it. What happens
to the server (`Restart`, `ExpireVersions`, `ClockJump`) comes first; of the faults that end an exchange the first one
in the plan counts; delays add up; a cut and a stall of a stream both apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, TypeAlias

import msgspec

from hodei_k8s_core.errors import Delivery, TransportFault
from hodei_k8s_core.http import Headers, Request
from hodei_k8s_core.simulation.route import route_of
from hodei_k8s_core.simulation.statuses import failure
from hodei_k8s_core.simulation.virtual import Randomness
from hodei_k8s_core.simulation.wire import encode


class LoseRequest(msgspec.Struct, frozen=True):
    """The server never sees it: TransportError, NOT_SENT unless `delivery` says that this is not known."""

    acting: ClassVar[bool] = False
    delivery: Delivery = Delivery.NOT_SENT
    fault: TransportFault = TransportFault.REFUSED


class LoseReply(msgspec.Struct, frozen=True):
    """The server acts; then TransportError, MAYBE_SENT."""

    acting: ClassVar[bool] = True
    delivery: ClassVar[Delivery] = Delivery.MAYBE_SENT
    fault: TransportFault = TransportFault.CLOSED


class ReplyCut(msgspec.Struct, frozen=True):
    """The server acts and its reply begins; then TransportError, ANSWERED."""

    acting: ClassVar[bool] = True
    delivery: ClassVar[Delivery] = Delivery.ANSWERED
    fault: TransportFault = TransportFault.CLOSED


class Answer(msgspec.Struct, frozen=True):
    """Another reply than the server's own (a proxy's, an overloaded server's); `acting`: after it acted."""

    status: int
    body: bytes = b""
    headers: Headers = (("content-type", "application/json"),)
    acting: bool = False


class Stall(msgspec.Struct, frozen=True):
    """No reply, for ever: the exchange times out, MAYBE_SENT; `acting`: the server acted all the same."""

    acting: bool = False


class Delay(msgspec.Struct, frozen=True):
    """The server acts at once; its reply comes `seconds` later."""

    seconds: float


class CutStream(msgspec.Struct, frozen=True):
    """An open reply ends after `after` bytes: with TransportError, or `clean`, as if it were whole.

    `saying`: what a kubelet puts at the end of a log that it cannot go on with.
    """

    after: int = 0
    clean: bool = False
    saying: bytes = b""


class StallStream(msgspec.Struct, frozen=True):
    """An open reply falls silent for ever after `after` bytes."""

    after: int = 0


class ExpireVersions(msgspec.Struct, frozen=True):
    """Before it answers, the server forgets all versions that a client can hold."""

    as_http: bool = False


class Restart(msgspec.Struct, frozen=True):
    """Before it answers, the server restarts: open replies are cut, versions from before are too old."""


class DuplicateEvents(msgspec.Struct, frozen=True):
    """A watch tells every event twice, as a client meets it that resumes from the version before."""


class DelayEvents(msgspec.Struct, frozen=True):
    """What comes on an open reply comes `seconds` late."""

    seconds: float


class ClockJump(msgspec.Struct, frozen=True):
    """Before it answers, the server's wall clock jumps by so many `seconds`."""

    seconds: float


Ending: TypeAlias = LoseRequest | LoseReply | ReplyCut | Answer | Stall
StreamFault: TypeAlias = CutStream | StallStream | DuplicateEvents | DelayEvents
Fault: TypeAlias = Ending | Delay | StreamFault | ExpireVersions | Restart | ClockJump


def throttled(retry_after: int | None = 1) -> Answer:
    """429 as priority and fairness sends it."""
    return _status(429, "TooManyRequests", "Too many requests, please try again later.", retry_after)


def server_error(*, acting: bool = False) -> Answer:
    """500, before or after acting."""
    return msgspec.structs.replace(_status(500, "InternalError", "Internal error occurred: etcdserver"), acting=acting)


def unavailable(retry_after: int | None = None) -> Answer:
    """503, as while the API server shuts down."""
    return _status(503, "ServiceUnavailable", "the server is currently unable to handle the request", retry_after)


def proxy_page(status: int = 502) -> Answer:
    """A page of a proxy in between."""
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    return Answer(status, page, (("content-type", "text/html"),))


def _status(code: int, reason: str, message: str, retry_after: int | None = None) -> Answer:
    headers: Headers = (("content-type", "application/json"),)
    if retry_after is not None:
        headers = (*headers, ("retry-after", str(retry_after)))
    return Answer(code, encode(failure(code, reason, message)), headers)


class Rule(msgspec.Struct, frozen=True):
    """`fault` happens to the `nth` matching request and the `times - 1` after it (None: to all after it).

    `verb` and `resource` are Kubernetes' (get list watch create patch delete; pods, pods/log …); "" is any.
    """

    verb: str
    resource: str
    fault: Fault
    nth: int = 1
    times: int | None = 1
    when: Callable[[Request], bool] | None = None

    def fires_at(self, count: int) -> bool:
        """Whether it fires on the `count`th matching request (from 1)."""
        return count >= self.nth and (self.times is None or count < self.nth + self.times)


class Chance(msgspec.Struct, frozen=True):
    """`fault` happens to a matching request with `probability`. The rest as for a `Rule`."""

    probability: float
    fault: Fault
    verb: str = ""
    resource: str = ""
    when: Callable[[Request], bool] | None = None


class FaultPlan:
    """Rules, and how often each has matched; and chances, drawn from numbers with a `seed`.

    `fired` lists what happened, in order; `seen` counts all requests. `rules` and `chances` may be changed at any time;
    a rule counts requests from when it was put there.
    """

    def __init__(self, rules: Iterable[Rule] = (), chances: Iterable[Chance] = (), *, seed: int = 0) -> None:
        self.rules = list(rules)
        self.chances = list(chances)
        self.seen = 0
        self._randomness = Randomness(seed)
        self.fired: list[tuple[Fault, Request]] = []
        self._counts: list[tuple[Rule, int]] = []

    def add(self, rule: Rule) -> None:
        """One more rule; it counts requests from now on."""
        self.rules.append(rule)

    def faults_for(self, request: Request) -> tuple[Fault, ...]:
        """The faults that this request meets; it is counted."""
        self.seen += 1
        verb, resource = _meaning(request)
        matching = [rule for rule in self.rules if _matches(rule, verb, resource, request)]
        counted = [(rule.fault, rule.fires_at(self._count(rule))) for rule in matching]
        counted += [
            (one.fault, self._randomness.next() < one.probability)
            for one in self.chances
            if _matches(one, verb, resource, request)
        ]
        faults = tuple(fault for fault, fires in counted if fires)
        self.fired += [(fault, request) for fault in faults]
        return faults

    def _count(self, rule: Rule) -> int:
        """One more match; by identity, since equal rules count apart."""
        for place, (known, count) in enumerate(self._counts):
            if known is rule:
                self._counts[place] = known, count + 1
                return count + 1
        self._counts.append((rule, 1))
        return 1


def _meaning(request: Request) -> tuple[str, str]:
    route = route_of(request)
    return ("", "") if route is None else (route.verb, route.full_resource)


def _matches(rule: Rule | Chance, verb: str, resource: str, request: Request) -> bool:
    if rule.verb not in ("", verb) or rule.resource not in ("", resource):
        return False
    return rule.when is None or rule.when(request)
