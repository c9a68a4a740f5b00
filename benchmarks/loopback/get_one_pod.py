"""GET of one Pod from a canned server on loopback: what a call costs, and how long it takes."""

from __future__ import annotations

import multiprocessing as mp
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from benchmarks.case import Case, Contestant
from benchmarks.loopback.canned_server import canned_server
from benchmarks.loopback.load import Answers, Load, bodies_of
from benchmarks.measure import Fact, Row, measure

_CALLS = 1000
_CHANNELS = "loopback_channels"
IN_TASKS = (
    Contestant("h11 channel", _CHANNELS, "h11_in_tasks"),
    Contestant("httpx channel", _CHANNELS, "httpx_in_tasks", at_least=5),
    Contestant("bare asyncio streams", "bare_sockets", "streams", at_least=1 / 6),
)
IN_THREADS = (
    Contestant("h11 channel", _CHANNELS, "h11_in_threads"),
    Contestant("httpx channel", _CHANNELS, "httpx_in_threads"),
    Contestant("blocking sockets", "bare_sockets", "blocking"),
)


@dataclass(frozen=True)
class GetOnePod:
    """`at_once` calls at a time, by each of `contestants` in a process of its own."""

    host: str
    at_once: int
    contestants: tuple[Contestant, ...]
    unit: str = "call"

    @property
    def name(self) -> str:
        return f"GET on loopback in {self.host}, {self.at_once} at a time"

    def measure(self, rounds: int, progress: Callable[[str], None]) -> Sequence[Row]:
        """CPU of this side alone; then the time that calls take, of one run more."""
        with canned_server() as port:
            load = Load(port, self.at_once, _CALLS)
            case = Case(self.name, self.unit, _CALLS, partial(_same, load), bodies_of, self.contestants)
            rows: list[Row] = list(measure(case, rounds, progress))
            able = [row.contestant for row in rows if not isinstance(row, Fact) and not row.trouble]
            return [*rows, *(_latency(who, load) for who in able)]


def _same(load: Load) -> Load:
    return load


def _latency(who: Contestant, load: Load) -> Fact:
    with mp.get_context("spawn").Pool(1) as pool:
        latencies = pool.apply(_latencies, (who, load))
    median, worst = statistics.median(latencies), statistics.quantiles(latencies, n=100)[-1]
    return Fact(f"{who.label}: median, p99", median, f"{median * 1e6:.0f}, {worst * 1e6:.0f} µs")


def _latencies(who: Contestant, load: Load) -> list[float]:
    run = getattr(import_module(f"benchmarks.peers.{who.peer}"), who.function)
    run(load)
    answers: Answers = run(load)
    return answers.latencies
