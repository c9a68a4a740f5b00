"""100 to 50,000 Pods: list and fold, memory, and events after it; with the exponent of growth from 1,000 on.

The exponent is the slope between the two sizes on logarithmic axes: 1 is in proportion, 2 is with the square.
"""

from __future__ import annotations

import gc
import math
import statistics
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measure import Fact, Row
from benchmarks.scale.apart import run_apart
from benchmarks.scale.fleet import events, pages
from benchmarks.scale.hosted import Host

_SIZES = (100, 1_000, 10_000, 50_000)
_FROM, _TO = 1_000, 50_000
_EVENTS = 5_000
_MOST = 1.05
_ROUNDS = 3
"""At most: a round of the largest size takes a while, and its numbers hold still."""
_UNITS = {"list": ("µs", 1e6), "event": ("µs", 1e6), "peak": ("MiB", 1 / 2**20), "held": ("B", 1.0), "view": ("B", 1.0)}
_LABELS = {
    "list": "list and fold, CPU a Pod",
    "event": "CPU a watch event",
    "peak": "peak of traced memory",
    "held": "view and watch, a worker",
    "view": "FleetView alone, a worker",
}


@dataclass(frozen=True)
class Growth:
    name: str
    unit: str = ""

    def measure(self, rounds: int, progress: Callable[[str], None]) -> Sequence[Row]:
        """Raises: CannotRun."""
        found: dict[int, dict[str, float]] = {}
        for size in _SIZES:
            progress(f"{self.name}: {size} Pods")
            times = [run_apart(times_of, size) for _ in range(min(rounds, _ROUNDS))]
            medians = {what: statistics.median(one[what] for one in times) for what in times[0]}
            found[size] = {**medians, **run_apart(memory_of, size)}
        return [*_rows(found), *_exponents(found)]


def times_of(size: int) -> dict[str, float]:
    """CPU seconds a Pod of the list, and a watch event after it."""
    host = Host(pages(size))
    host.read_list()
    listed, host.seconds = host.seconds, 0.0
    _check(host, size)
    told = events(_EVENTS, size)
    gc.collect()
    host.read_events(told)
    return {"list": listed / size, "event": host.seconds / _EVENTS}


def memory_of(size: int) -> dict[str, float]:
    """Bytes: the peak while the list is read; what view and watch hold a worker, and the view alone."""
    list(pages(1))  # what is made on first use is not the fleet's
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    peak = 0

    def on_step() -> None:
        nonlocal peak
        peak = max(peak, tracemalloc.get_traced_memory()[1])
        tracemalloc.reset_peak()  # the making of pages has its own

    host = Host(pages(size), on_step=on_step)
    host.read_list()
    _check(host, size)
    on_step()
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before
    host.close()
    gc.collect()
    view = tracemalloc.get_traced_memory()[0] - before
    return {"peak": peak - before, "held": held / size, "view": view / size}


def _check(host: Host, size: int) -> None:
    if len(host.view.workers) != size:
        raise RuntimeError(f"{len(host.view.workers)} of {size} workers are in view")


def _rows(found: Mapping[int, Mapping[str, float]]) -> list[Row]:
    rows: list[Row] = []
    for what, label in _LABELS.items():
        unit, scale = _UNITS[what]
        for size, values in found.items():
            value = values[what] * scale
            rows.append(Fact(f"{label}, {size:,} Pods", value, f"{value:,.1f} {unit}"))
    return rows


def _exponents(found: Mapping[int, Mapping[str, float]]) -> list[Row]:
    """Of totals: what is told a Pod is taken times the Pods."""
    rows: list[Row] = []
    for what, label in (("list", "time of list and fold"), ("peak", "peak memory"), ("held", "memory held")):
        totals = [found[size][what] * (1 if what == "peak" else size) for size in (_FROM, _TO)]
        exponent = math.log(totals[1] / totals[0]) / math.log(_TO / _FROM)
        told = f"exponent of growth, {label}"
        rows.append(Fact(told, exponent, f"{exponent:.3f}", f"<= {_MOST}", exponent <= _MOST))
    return rows


GROWTH = Growth(name="growth of a fleet, 100 to 50,000 Pods")
