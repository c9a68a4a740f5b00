"""Observations, fleets and circuits -> metrics, on a registry of the host's choosing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry

from hodei_k8s_core.observations import Observation, VerdictMet, WatchHeard
from hodei_k8s_core.worker_change import ChangeKind, FleetItem, WorkerChange
from hodei_k8s_transport.provider_base import Observer
from hodei_k8s_transport.service.metrics.fleet_gauges import COMPUTED, Circuits, FleetGauges
from hodei_k8s_transport.service.metrics.instruments import Instruments
from hodei_k8s_transport.service.metrics.recorders import RECORDERS
from hodei_k8s_transport.service.metrics.told_once import ToldOnce
from hodei_k8s_transport.service.watched import WatchEnded


class Metrics:
    """The metrics of one process, for any number of providers; may be shared by threads.

        metrics = Metrics(prometheus_client.REGISTRY)
        observer = metrics.observer_for(config.provider_id)
        async with AsyncKubernetesProvider.connect(config, observer=observer) as provider: ...

    Raises: ValueError for a registry that has them already.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._made = Instruments(registry, COMPUTED)
        self._fleets = FleetGauges(monotonic)
        registry.register(self._fleets)
        self._wall_clock = wall_clock
        self._verdicts = ToldOnce()
        self._lock = threading.Lock()

    def observer_for(self, provider_id: str) -> Observer:
        """The observer of a provider: what its operations observe is counted as its own."""
        return partial(self.observe, provider_id)

    def observe(self, provider_id: str, observation: Observation) -> None:
        """Count one observation."""
        if isinstance(observation, WatchHeard):
            self._fleets.hear(provider_id)
        elif isinstance(observation, VerdictMet):
            self._count_verdict(provider_id, observation)
        elif (record := RECORDERS.get(type(observation))) is not None:
            record(self._made, provider_id, observation)

    def watched(self, provider_id: str, item: FleetItem | WatchEnded) -> None:
        """Count one item of a provider's watch, as `watch_workers` and a service's `watch` tell them."""
        if isinstance(item, WatchEnded):
            self._fleets.end(provider_id)
            return
        self._fleets.apply(provider_id, item)
        if isinstance(item, WorkerChange) and item.kind is not ChangeKind.REMOVED:
            verdict = item.seen.verdict
            if verdict is not None:
                met = VerdictMet(verdict.category, verdict.blame, verdict.terminal, item.seen.pod_uid)
                self._count_verdict(provider_id, met)

    def read_circuits(self, circuits: Circuits) -> None:
        """Ask there for the circuits whenever the metrics are read: `service.circuits`."""
        self._fleets.read_circuits(circuits)

    def note_leadership(self, provider_id: str, *, is_ours: bool) -> None:
        """Whether this process leads now."""
        self._made.set("leader", float(is_ours), provider_id)

    def note_reconciled(self, provider_id: str) -> None:
        """A plan was applied, now."""
        self._made.set("reconcile_last_success_timestamp_seconds", self._wall_clock(), provider_id)

    def _count_verdict(self, provider_id: str, met: VerdictMet) -> None:
        """A trouble of a worker counts once, however many see it."""
        with self._lock:
            is_news = self._verdicts.is_news((provider_id, met.pod_uid, met.category))
        if is_news:
            self._made.count("verdicts_total", provider_id, met.category.value, met.blame.value)
            if met.terminal:
                self._made.count("pods_failed_total", provider_id, "run", met.category.value)
