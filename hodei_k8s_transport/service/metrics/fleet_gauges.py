"""What is computed when somebody asks: how the fleets, their watches and the circuits are at that moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.provisioning.circuit import CircuitState
from hodei_k8s_core.verdict import Category
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_core.worker_change import FleetItem
from hodei_k8s_transport.service.metrics.definitions import METRIC_OF, PREFIX

Circuits = Callable[[], Mapping[str, CircuitState]]
COMPUTED = ("workers", "workers_in_trouble", "watch_last_event_age_seconds", "watch_synced", "circuit_state")
"""The metrics that are made here."""


class FleetGauges(Collector):
    """Fold in what the watches tell. `monotonic`: seconds. May be shared by threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._fleets: dict[str, FleetView] = {}
        self._heard: dict[str, float] = {}
        self._circuits: list[Circuits] = []

    def apply(self, provider_id: str, item: FleetItem) -> None:
        """One item of a provider's watch."""
        with self._lock:
            self._fleets.setdefault(provider_id, FleetView()).apply([item])

    def end(self, provider_id: str) -> None:
        """The watch is over: what it told last is no picture any more."""
        with self._lock:
            self._fleets[provider_id] = FleetView()

    def hear(self, provider_id: str) -> None:
        """The server said something on the watch."""
        self._heard[provider_id] = self._monotonic()

    def read_circuits(self, circuits: Circuits) -> None:
        """Ask there for the circuits from now on."""
        self._circuits.append(circuits)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """The names, which the registry keeps for us."""
        return [_family(name) for name in COMPUTED]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """As everything is now."""
        with self._lock:
            fleets = {provider_id: view.snapshot() for provider_id, view in self._fleets.items()}
        workers, troubles, ages, synced, circuits = self.describe()
        for provider_id, view in fleets.items():
            states, categories = view.count_by_state(), view.count_by_verdict()
            for state in WorkerState:
                workers.add_metric([provider_id, state.value], states.get(state, 0))
            for category in Category:
                troubles.add_metric([provider_id, category.value], categories.get(category, 0))
            synced.add_metric([provider_id], float(view.is_synced))
        now = self._monotonic()
        for provider_id, heard in dict(self._heard).items():
            ages.add_metric([provider_id], max(0.0, now - heard))
        for read in self._circuits:
            for provider_id, at in read().items():
                for circuit_state in CircuitState:
                    circuits.add_metric([provider_id, circuit_state.value], float(at is circuit_state))
        yield from (workers, troubles, ages, synced, circuits)


def _family(name: str) -> GaugeMetricFamily:
    metric = METRIC_OF[PREFIX + name]
    return GaugeMetricFamily(metric.name, metric.doc, labels=metric.label_names)
