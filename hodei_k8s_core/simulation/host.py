"""A host in virtual time: it performs every effect of an operation against a cluster, faults included.

Waiting advances the clock to the next thing that happens. Nothing here depends on the machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hodei_k8s_core.effects import (
    SILENCE,
    Close,
    Emit,
    Monotonic,
    Observe,
    Open,
    Random,
    Read,
    Send,
    Silence,
    Sleep,
    SpendRetry,
    WallClock,
)
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Body, Request, Response
from hodei_k8s_core.observations import Observation
from hodei_k8s_core.simulation.cluster import Cluster
from hodei_k8s_core.simulation.faults import (
    Answer,
    CutStream,
    Delay,
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
from hodei_k8s_core.simulation.virtual import Randomness, SimulationError, VirtualClock

LATENCY = 0.01


class SimulatedHost:
    """Performs effects. `retries`: what the budget of retries holds, None for any number.

    `latency`: seconds that an exchange takes at least. `max_chunk`: bytes that one Read gives at most.
    """

    def __init__(
        self,
        cluster: Cluster,
        plan: FaultPlan,
        clock: VirtualClock,
        *,
        seed: int = 0,
        latency: float = LATENCY,
        max_chunk: int | None = None,
        retries: int | None = None,
    ) -> None:
        self.cluster = cluster
        self.plan = plan
        self.clock = clock
        self.observations: list[Observation] = []
        self.emitted: list[Any] = []
        self.randomness = Randomness(seed)
        self._latency = latency
        self._max_chunk = max_chunk
        self._retries = retries
        self._bodies: dict[int, ShapedReply] = {}
        self._opened = 0

    def perform(self, effect: object) -> Any:
        """What the effect replies. Raises: TransportError, as a driver throws it in; SimulationError."""
        how = _PERFORMERS.get(type(effect))
        if how is None:
            raise SimulationError(f"an operation yielded what is no effect: {effect!r}")
        return how(self, effect)

    def advance_to(self, time: float) -> None:
        """Let the time pass, and what is due happen."""
        if time == math.inf:
            raise SimulationError("the operation waits for ever: nothing will happen any more")
        self.clock.now = time
        self.cluster.advance(time)

    def break_body(self, body: Body, error: TransportError) -> None:
        """From now on every Read of it fails, as after a failure of the transport."""
        self._reply_of(body).fail(error)

    def discard_body(self, body: Body) -> None:
        """A body that its operation will never know of."""
        self._bodies.pop(body.key).close()

    def close_bodies(self) -> int:
        """Close what the operation left open, as every driver does; how many that were."""
        left = len(self._bodies)
        for reply in self._bodies.values():
            reply.close()
        self._bodies.clear()
        return left

    def send(self, effect: Send) -> Response:
        deadline = self.clock.now + effect.timeout
        faults = self.plan.faults_for(effect.request)
        reply = self._exchange(effect.request, effect.timeout, faults)
        if isinstance(reply, Response):
            return reply
        shaped, chunks = self._shaped(reply, faults), list[bytes]()
        while chunk := self._wait_for(shaped, deadline):
            chunks.append(chunk)
        shaped.close()
        if chunk is None:
            raise TransportError(TransportFault.TIMEOUT, Delivery.ANSWERED, "the reply did not end in time")
        return Response(reply.status, reply.headers, b"".join(chunks))

    def open(self, effect: Open) -> Body:
        faults = self.plan.faults_for(effect.request)
        reply = self._exchange(effect.request, effect.timeout, faults)
        self._opened += 1
        self._bodies[self._opened] = self._shaped(WholeReply(reply) if isinstance(reply, Response) else reply, faults)
        return Body(reply.status, reply.headers, self._opened)

    def read(self, effect: Read) -> bytes | Silence:
        chunk = self._wait_for(self._reply_of(effect.body), self.clock.now + effect.silence_limit)
        return SILENCE if chunk is None else chunk

    def close(self, effect: Close) -> None:
        reply = self._bodies.pop(effect.body.key, None)
        if reply is not None:
            reply.close()

    def sleep(self, effect: Sleep) -> None:
        if effect.seconds < 0:
            raise SimulationError(f"an operation wants to sleep {effect.seconds} s")
        self.advance_to(self.clock.now + effect.seconds)

    def spend_retry(self) -> bool:
        if self._retries is None:
            return True
        self._retries -= 1
        return self._retries >= 0

    def _reply_of(self, body: Body) -> ShapedReply:
        reply = self._bodies.get(body.key)
        if reply is None:
            raise SimulationError(f"an operation reads a body that is not open: {body!r}")
        return reply

    def _wait_for(self, reply: ShapedReply, deadline: float) -> bytes | None:
        """The next bytes, as soon as there are some; None when there are none by `deadline`."""
        while True:
            chunk = reply.read(self.clock.now)
            if chunk is not None or self.clock.now >= deadline:
                return chunk
            soon = [self.cluster.next_event_at(), reply.next_event_at(self.clock.now)]
            self.advance_to(min([deadline, *(time for time in soon if time is not None)]))

    def _exchange(self, request: Request, timeout: float, faults: tuple[Fault, ...]) -> Response | OpenReply:
        """The head of a reply, with all that goes wrong on the way."""
        self._shake_server(faults)
        deadline = self.clock.now + timeout
        arrival = self.clock.now + self._latency + sum(fault.seconds for fault in faults if isinstance(fault, Delay))
        ending = next((fault for fault in faults if isinstance(fault, Ending)), None)
        self.advance_to(min(self.clock.now + self._latency / 2, deadline))
        if isinstance(ending, LoseRequest):
            raise TransportError(ending.fault, ending.delivery, "simulated: the request was lost")
        reply = self._acted(request, ending)
        if isinstance(ending, Stall) or arrival > deadline:
            _let_go(reply)
            self.advance_to(deadline)
            raise TransportError(TransportFault.TIMEOUT, Delivery.MAYBE_SENT, f"no reply within {timeout:g} s")
        self.advance_to(arrival)
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

    def _shaped(self, reply: OpenReply, faults: tuple[Fault, ...]) -> ShapedReply:
        cut = next((fault for fault in faults if isinstance(fault, CutStream)), None)
        stall = next((fault for fault in faults if isinstance(fault, StallStream)), None)
        return ShapedReply(reply, cut=cut, stall=stall, max_chunk=self._max_chunk)


def _let_go(reply: Response | OpenReply) -> None:
    """A reply that never reaches its client."""
    if not isinstance(reply, Response):
        reply.close()


_PERFORMERS: dict[type, Callable[[SimulatedHost, Any], Any]] = {
    Send: SimulatedHost.send,
    Open: SimulatedHost.open,
    Read: SimulatedHost.read,
    Close: SimulatedHost.close,
    Sleep: SimulatedHost.sleep,
    Monotonic: lambda host, _: host.clock.now,
    WallClock: lambda host, _: host.clock.wall,
    Random: lambda host, _: host.randomness.next(),
    SpendRetry: lambda host, _: host.spend_retry(),
    Observe: lambda host, effect: host.observations.append(effect.observation),
    Emit: lambda host, effect: host.emitted.extend(effect.items),
}
