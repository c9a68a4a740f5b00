"""A simulated cluster for a host's own tests, with what a test wants to say and to see."""

from __future__ import annotations

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.http import Request
from hodei_k8s_core.simulation import LIBRARY, Behaviour, Cluster, Fault, FaultPlan, Rule, make_node
from hodei_k8s_core.simulation.behaviour import RUNS_UNTIL_DELETED
from hodei_k8s_transport.simulation import AsyncSimulatedChannel, SimulatedChannel, VirtualTime


class SimulatedKubernetes:
    """A cluster in virtual time, the settings to reach it, and one channel for threads.

    `behaviours`: what the workers of an image do, `faults`: what goes wrong with requests; both may be changed at any
    time. A Pod that exists keeps the behaviour that it was created with.
    """

    def __init__(self) -> None:
        self.config = KubernetesConfig()
        self.behaviours: dict[str, Behaviour] = {}
        self.faults = FaultPlan()
        self.cluster = Cluster(
            behaviours=lambda image: self.behaviours.get(image, RUNS_UNTIL_DELETED),
            namespaces=["default", self.config.namespace],
            nodes=[make_node(cpu="64", memory="256Gi", pods=500)],
        )
        self.time = VirtualTime(self.cluster)
        self.channel = SimulatedChannel(self.cluster, time=self.time, faults=self.faults)

    def behave(self, image: str, behaviour: Behaviour | str) -> None:
        """What workers of `image` do: a `Behaviour`, or the name of one in the library, such as `oom-killed`."""
        self.behaviours[image] = LIBRARY[behaviour](image) if isinstance(behaviour, str) else behaviour

    def fail(self, verb: str, resource: str, fault: Fault, *, times: int | None = 1) -> None:
        """Let the next `times` such requests (None: all) meet a fault."""
        self.faults.add(Rule(verb, resource, fault, times=times))

    def advance(self, seconds: float) -> None:
        """Let simulated time pass."""
        self.time.advance(seconds)

    def async_channel(self) -> AsyncSimulatedChannel:
        """A channel for asyncio and trio, with a time of its own; not to be mixed with the one for threads."""
        return AsyncSimulatedChannel(self.cluster, faults=self.faults)

    @property
    def pod_names(self) -> list[str]:
        """The Pods that there are, in order."""
        return sorted(self.cluster.pods(self.config.namespace))

    @property
    def faulty_requests(self) -> list[Request]:
        """Those that met a fault, in order."""
        return [request for _, request in self.faults.fired]
