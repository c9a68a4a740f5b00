"""A host in virtual time: it performs every effect of an operation against a cluster, faults included.

Waiting advances the clock to the next thing that happens. Nothing here depends on the machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import Any

from hodei_k8s_core.effects import (
    Close,
    Emit,
    Monotonic,
    Observe,
    Open,
    Random,
    Read,
    Send,
    Sleep,
    SpendRetry,
    WallClock,
)
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Body
from hodei_k8s_core.observations import Observation
from hodei_k8s_core.simulation.cluster import Cluster
from hodei_k8s_core.simulation.faults import FaultPlan
from hodei_k8s_core.simulation.network import Network, Waiting
from hodei_k8s_core.simulation.shaped_reply import ShapedReply
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
        self.clock = clock
        self.observations: list[Observation] = []
        self.emitted: list[Any] = []
        self.randomness = Randomness(seed)
        self.network = Network(cluster, plan, clock, latency=latency, max_chunk=max_chunk)
        self._retries = retries
        self._bodies: dict[int, ShapedReply] = {}
        self._opened = 0

    def beside(self) -> SimulatedHost:
        """Another host of the same time, network and chance, for a task beside; its budget of retries is its own."""
        other = SimulatedHost(self.cluster, self.network.plan, self.clock, retries=self._retries)
        other.network, other.randomness = self.network, self.randomness
        return other

    def perform(self, effect: object) -> Any:
        """What the effect replies, as time goes. Raises: TransportError, as a driver throws it in; SimulationError."""
        waiting = self.performing(effect)
        try:
            while True:
                until = next(waiting)
                soon = self.cluster.next_event_at()
                self.advance_to(until if soon is None else min(until, max(soon, self.clock.now)))
        except StopIteration as end:
            return end.value

    def performing(self, effect: object) -> Waiting[Any]:
        """The same, for whoever lets the time pass. Raises: as `perform`."""
        how = _PERFORMERS.get(type(effect))
        if how is None:
            raise SimulationError(f"an operation yielded what is no effect: {effect!r}")
        reply = how(self, effect)
        return (yield from reply) if isinstance(reply, Generator) else reply

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

    def send(self, effect: Send) -> Waiting[Any]:
        return self.network.send(effect.request, effect.timeout)

    def open(self, effect: Open) -> Waiting[Body]:
        reply = yield from self.network.open(effect.request, effect.timeout)
        self._opened += 1
        self._bodies[self._opened] = reply
        return Body(reply.status, reply.headers, self._opened)

    def read(self, effect: Read) -> Waiting[Any]:
        return self.network.read(self._reply_of(effect.body), effect.silence_limit)

    def close(self, effect: Close) -> None:
        reply = self._bodies.pop(effect.body.key, None)
        if reply is not None:
            reply.close()

    def sleep(self, effect: Sleep) -> Waiting[None]:
        if effect.seconds < 0:
            raise SimulationError(f"an operation wants to sleep {effect.seconds} s")
        until = self.clock.now + effect.seconds
        while self.clock.now < until:
            yield until

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
