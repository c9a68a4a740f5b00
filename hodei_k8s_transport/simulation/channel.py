"""The simulated cluster as a channel for threads.

with KubernetesProvider.connect(config, channel=SimulatedChannel(Cluster())) as provider:
    handle = provider.create_worker(spec)
    provider.wait_for_worker(handle)        # minutes of simulated time, none of yours
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TypeVar

from hodei_k8s_core.effects import SILENCE, Silence
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Headers, Request, Response
from hodei_k8s_core.simulation import Cluster, FaultPlan, Network, Rule, Waiting
from hodei_k8s_core.simulation.host import LATENCY
from hodei_k8s_core.simulation.shaped_reply import ShapedReply
from hodei_k8s_transport.simulation.timing import Timing, VirtualTime

T = TypeVar("T")


class SimulatedChannel:
    """Carries requests to a cluster in this process; may be shared by threads.

    `time`: virtual unless it is a `RealTime` of that cluster. `faults`: rules, or a plan. `latency`: seconds that an
    exchange takes.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        time: Timing | None = None,
        faults: FaultPlan | Iterable[Rule] = (),
        latency: float = LATENCY,
    ) -> None:
        self.cluster = cluster
        self.plan = faults if isinstance(faults, FaultPlan) else FaultPlan(faults)
        self.own_time: Timing = VirtualTime(cluster) if time is None else time
        self._network = Network(cluster, self.plan, self.own_time, latency=latency)
        self._is_closed = False

    def send(self, request: Request, timeout: float) -> Response:
        """One whole exchange within `timeout` seconds."""
        return self.complete(self._network.send(request, timeout))

    def open(self, request: Request, timeout: float) -> SimulatedBody:
        """The head of a reply within `timeout` seconds; the body stays open."""
        return SimulatedBody(self.complete(self._network.open(request, timeout)), self, self._network)

    def close(self) -> None:
        """Later calls raise `TransportError`."""
        self._is_closed = True

    def complete(self, waiting: Waiting[T], woken: threading.Event | None = None) -> T:
        """Let the time pass until it is there. Raises: WokenUp when `woken` was set before."""
        time = self.own_time
        try:
            with time.condition:
                until = self._next(waiting)
            while woken is None or not woken.is_set():
                time.wait_until(until)
                with time.condition:
                    until = self._next(waiting)
        except StopIteration as end:
            value: T = end.value
            return value
        raise WokenUp

    def _next(self, waiting: Waiting[T]) -> float:
        """Go on, with the lock held; whoever else waits looks whether something has changed."""
        if self._is_closed:
            raise TransportError(TransportFault.CLOSED, Delivery.NOT_SENT, "this channel is closed")
        before = self.cluster.store.version
        try:
            return next(waiting)
        finally:
            if self.cluster.store.version != before:
                self.own_time.condition.notify_all()


class WokenUp(Exception):
    """A wait was broken off from another thread."""


class SimulatedBody:
    """An open reply of the simulated cluster."""

    def __init__(self, reply: ShapedReply, channel: SimulatedChannel, network: Network) -> None:
        self.status: int = reply.status
        self.headers: Headers = reply.headers
        self._reply = reply
        self._channel = channel
        self._network = network
        self._woken = threading.Event()
        self._is_closed = False

    def read(self, silence_limit: float) -> bytes | Silence:
        """The next bytes, b"" at the clean end, `SILENCE`. Raises: TransportError."""
        if self._is_closed:
            raise TransportError(TransportFault.CLOSED, Delivery.ANSWERED, "this body is closed")
        try:
            return self._channel.complete(self._network.read(self._reply, silence_limit), self._woken)
        except WokenUp:
            self._woken.clear()
            return SILENCE

    def wake(self) -> None:
        """A `read` that waits returns `SILENCE` now."""
        self._woken.set()

    def close(self) -> None:
        self._is_closed = True
        self._reply.close()
