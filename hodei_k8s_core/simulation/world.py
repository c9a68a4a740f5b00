"""A cluster, a host and a plan of faults in one: where operations are tried.

world = World(faults=[Rule("create", "pods", LoseReply())])
outcome = world.run(create_worker(config, spec))
assert outcome.result.provider_resource_id in world.pods("hodei-workers")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from hodei_k8s_core.effects import Operation, Send, Stream
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation.behaviour import Behaviours
from hodei_k8s_core.simulation.cluster import Cluster
from hodei_k8s_core.simulation.driver import MAX_EFFECTS, Interruption, Outcome, run
from hodei_k8s_core.simulation.faults import FaultPlan, Rule
from hodei_k8s_core.simulation.host import LATENCY, SimulatedHost
from hodei_k8s_core.simulation.virtual import VirtualClock
from hodei_k8s_core.simulation.wire import Json

R = TypeVar("R")


class World:
    """Operations run in it one after the other, in one virtual time.

    `seed` decides all chance. `cluster`: one of your own, else one with `behaviours`. `plan`: one of your own, else one
    of `faults`. `retries`, `latency` and `max_chunk` as for `SimulatedHost`.
    """

    def __init__(
        self,
        *,
        cluster: Cluster | None = None,
        behaviours: Behaviours | None = None,
        faults: Iterable[Rule] = (),
        plan: FaultPlan | None = None,
        seed: int = 0,
        latency: float = LATENCY,
        max_chunk: int | None = None,
        retries: int | None = None,
    ) -> None:
        self.cluster = Cluster(behaviours=behaviours) if cluster is None else cluster
        self.plan = FaultPlan(faults) if plan is None else plan
        self.clock = VirtualClock()
        self.host = SimulatedHost(
            self.cluster,
            self.plan,
            self.clock,
            seed=seed,
            latency=latency,
            max_chunk=max_chunk,
            retries=retries,
        )

    @property
    def now(self) -> float:
        """Virtual seconds since the world began."""
        return self.clock.now

    def run(
        self,
        operation: Operation[R] | Stream[Any, R],
        *,
        interrupt: Mapping[int, Interruption] | None = None,
        on_emit: Callable[[Sequence[Any]], Interruption | None] | None = None,
        max_effects: int = MAX_EFFECTS,
    ) -> Outcome[R]:
        """Run an operation, as `driver.run`."""
        return run(operation, self.host, interrupt=interrupt, on_emit=on_emit, max_effects=max_effects)

    def advance(self, seconds: float) -> None:
        """Let time pass with no one asking anything."""
        self.host.advance_to(self.now + seconds)

    def at(self, seconds: float, action: Callable[[Cluster], object]) -> None:
        """In `seconds` from now, do something to the cluster: what others do while an operation runs."""
        self.cluster.at(self.now + seconds, lambda _: action(self.cluster))

    def exchange(self, request: Request, *, timeout: float = 10.0) -> Response:
        """One exchange, faults included. Raises: TransportError."""
        reply: Response = self.host.perform(Send(request, timeout))
        return reply

    def pods(self, namespace: str) -> dict[str, Json]:
        """The Pods of a namespace by name, as they are now."""
        return self.cluster.pods(namespace)
