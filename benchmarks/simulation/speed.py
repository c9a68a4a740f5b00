"""Requests to a simulated cluster, and a fleet in virtual time with every fault at random."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.measure import Fact, Row
from benchmarks.scale.apart import run_apart

_PODS = 500
_WORKERS, _HOURS = 200, 8.0
_ROUNDS = 3


@dataclass(frozen=True)
class Speed:
    name: str
    unit: str = ""

    def measure(self, rounds: int, progress: Callable[[str], None]) -> Sequence[Row]:
        """Raises: CannotRun."""
        samples = []
        for number in range(min(rounds, _ROUNDS)):
            progress(f"{self.name}: round {number + 1}")
            samples.append({**run_apart(requests_per_second, _PODS), **run_apart(fleet_speed, number + 1)})
        medians = {label: statistics.median(one[label] for one in samples) for label in samples[0]}
        return [Fact(label=label, value=value, text=f"{value:,.4g} a second") for label, value in medians.items()]


def requests_per_second(pods: int) -> dict[str, float]:
    """Of one cluster: a create, a get, a list of ten by label and a delete for each Pod, as JSON in and out."""
    from hodei_k8s_core.http import Request
    from hodei_k8s_core.simulation import Cluster

    cluster, path = Cluster(), "/api/v1/namespaces/hodei-workers/pods"
    began = time.process_time()
    for number in range(pods):
        body = b'{"metadata":{"name":"p%d","labels":{"n":"%d"}},"spec":{"containers":[{"name":"c","image":"i"}]}}'
        cluster.handle(Request("POST", path, body=body % (number, number % 50)), float(number))
        cluster.handle(Request("GET", f"{path}/p{number}"), float(number))
        cluster.handle(Request("GET", path, (("labelSelector", f"n={number % 50}"),)), float(number))
    for number in range(pods):
        cluster.handle(Request("DELETE", f"{path}/p{number}"), float(pods + number))
    return {"requests to a cluster of 500 Pods": 4 * pods / (time.process_time() - began)}


def fleet_speed(seed: int) -> dict[str, float]:
    """Of the soak's fleet."""
    from tests.soak.fleet import Fleet

    began = time.process_time()
    report = Fleet(seed, _WORKERS, _HOURS).run()
    took = time.process_time() - began
    return {
        f"simulated hours, {_WORKERS} workers in {_HOURS:g} h": report.hours / took,
        "requests of that fleet, faults included": report.requests / took,
    }


SPEED = Speed("a cluster in memory")
