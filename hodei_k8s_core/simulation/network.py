"""The way of a request to the simulated cluster and of its reply back, with all that goes wrong on it.

Everything that takes time is a generator that yields until when it has nothing to do; whoever runs it lets the time
pass (`cluster.advance`), to that moment or to an earlier one, and resumes it. So one host in virtual time, many tasks
in virtual time, and channels in real time share every line of this.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

from hodei_k8s_core.effects import SILENCE, Silence
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation.cluster import Cluster
from hodei_k8s_core.simulation.faults import (
    Answer,
    ClockJump,
    CutStream,
    Delay,
    DelayEvents,
    DuplicateEvents,
    Ending,
    ExpireVersions,
    Fault,
    FaultPlan,
    LoseReply,
    LoseRequest,
    ReplyCut,
    Restart,
    Stall,
    StallStream,
)
from hodei_k8s_core.simulation.shaped_reply import ShapedReply
from hodei_k8s_core.simulation.streams import OpenReply, WholeReply
from hodei_k8s_core.simulation.virtual import Clock

T = TypeVar("T")
Waiting: TypeAlias = Generator[float, None, T]
"""Yields the time until which it waits, at most; returns T. Raises: TransportError."""


class Network:
    """`latency`: seconds that an exchange takes at least. `max_chunk`: bytes that one read gives at most."""

    def __init__(
        self, cluster: Cluster, plan: FaultPlan, clock: Clock, *, latency: float = 0.0, max_chunk: int | None = None
    ) -> None:
        self.cluster = cluster
        self.plan = plan
        self.clock = clock
        self._latency = latency
        self._max_chunk = max_chunk

    def send(self, request: Request, timeout: float) -> Waiting[Response]:
        """One whole exchange."""
        deadline = self.clock.now + timeout
        faults = self.plan.faults_for(request)
        reply = yield from self._exchange(request, timeout, faults)
        if isinstance(reply, Response):
            return reply
        shaped, chunks = self._shaped(reply, faults), list[bytes]()
        while chunk := (yield from self._next(shaped, deadline)):
            chunks.append(chunk)
        shaped.close()
        if chunk is None:
            raise TransportError(TransportFault.TIMEOUT, Delivery.ANSWERED, "the reply did not end in time")
        return Response(reply.status, reply.headers, b"".join(chunks))

    def open(self, request: Request, timeout: float) -> Waiting[ShapedReply]:
        """The head of a reply; its body comes by `read`."""
        faults = self.plan.faults_for(request)
        reply = yield from self._exchange(request, timeout, faults)
        return self._shaped(WholeReply(reply) if isinstance(reply, Response) else reply, faults)

    def read(self, reply: ShapedReply, silence_limit: float) -> Waiting[bytes | Silence]:
        """The next bytes of a body."""
        chunk = yield from self._next(reply, self.clock.now + silence_limit)
        return SILENCE if chunk is None else chunk

    def _next(self, reply: ShapedReply, deadline: float) -> Waiting[bytes | None]:
        """The next bytes, as soon as there are some; None when there are none by `deadline`."""
        while True:
            chunk = reply.read(self.clock.now)
            if chunk is not None or self.clock.now >= deadline:
                return chunk
            soon = reply.next_event_at(self.clock.now)
            yield deadline if soon is None else min(deadline, soon)

    def _until(self, time: float) -> Waiting[None]:
        while self.clock.now < time:
            yield time

    def _exchange(self, request: Request, timeout: float, faults: tuple[Fault, ...]) -> Waiting[Response | OpenReply]:
        """The head of a reply, with all that goes wrong on the way."""
        self._shake_server(faults)
        begin = self.clock.now
        deadline = begin + timeout
        arrival = begin + self._latency + sum(fault.seconds for fault in faults if isinstance(fault, Delay))
        ending = next((fault for fault in faults if isinstance(fault, Ending)), None)
        yield from self._until(min(begin + self._latency / 2, deadline))
        if isinstance(ending, LoseRequest):
            raise TransportError(ending.fault, ending.delivery, "simulated: the request was lost")
        reply = self._acted(request, ending)
        if isinstance(ending, Stall) or arrival > deadline:
            _let_go(reply)
            yield from self._until(deadline)
            raise TransportError(TransportFault.TIMEOUT, Delivery.MAYBE_SENT, f"no reply within {timeout:g} s")
        yield from self._until(arrival)
        if ending is not None:
            _let_go(reply)
        if isinstance(ending, LoseReply | ReplyCut):
            raise TransportError(ending.fault, ending.delivery, "simulated: the reply was lost")
        return reply

    def _acted(self, request: Request, ending: Ending | None) -> Response | OpenReply:
        """What the server says, or what is said in its stead."""
        reply = self.cluster.handle(request, self.clock.now) if ending is None or ending.acting else Response(0)
        if isinstance(ending, Answer):
            _let_go(reply)
            return Response(ending.status, ending.headers, ending.body)
        return reply

    def _shake_server(self, faults: tuple[Fault, ...]) -> None:
        for fault in faults:
            if isinstance(fault, Restart):
                self.cluster.restart()
            elif isinstance(fault, ExpireVersions):
                self.cluster.expire_versions(as_http=fault.as_http)
            elif isinstance(fault, ClockJump):
                self.cluster.jump_clock(fault.seconds)

    def _shaped(self, reply: OpenReply, faults: tuple[Fault, ...]) -> ShapedReply:
        cut = next((fault for fault in faults if isinstance(fault, CutStream)), None)
        stall = next((fault for fault in faults if isinstance(fault, StallStream)), None)
        delay = sum(fault.seconds for fault in faults if isinstance(fault, DelayEvents))
        twice = any(isinstance(fault, DuplicateEvents) for fault in faults)
        return ShapedReply(reply, cut=cut, stall=stall, max_chunk=self._max_chunk, delay=delay, twice=twice)


def _let_go(reply: Response | OpenReply) -> None:
    """A reply that never reaches its client."""
    if not isinstance(reply, Response):
        reply.close()
