"""A log of 1,000,000 lines, followed over HTTP on loopback: what a line costs, and what memory it takes.

The floor is `splitlines` and one slice a line, with the whole log in memory already and nothing else done.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from benchmarks.case import Contestant
from benchmarks.data import busy_log
from benchmarks.measure import Fact, Row, compared
from benchmarks.scale.apart import run_apart
from benchmarks.scale.log_server import log_server, pod
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.log_entry import LogEntry
from hodei_k8s_core.pod import parse_pod
from hodei_k8s_core.worker import WorkerHandle
from hodei_k8s_core.worker_info import worker_handle
from hodei_k8s_transport import AsyncKubernetesProvider, KubernetesProvider

_BLOCK = 100_000
_BLOCKS = 10
_ROUNDS = 3
_MOST_GROWTH = 8.0
"""MiB by which ten times the lines may raise the peak: noise of the allocator, not a log."""
_STAMP = len("2026-11-23T14:00:59.390941881Z")


@dataclass(frozen=True)
class LongLog:
    name: str
    unit: str = "line"

    def measure(self, rounds: int, progress: Callable[[str], None]) -> Sequence[Row]:
        """Raises: CannotRun."""
        samples: dict[Callable[..., tuple[float, float]], list[float]] = {}
        for number in range(min(rounds, _ROUNDS)):
            progress(f"{self.name}: round {number + 1}")
            for way in (follow_sync, follow_async, slice_up):
                samples.setdefault(way, []).append(run_apart(way, _BLOCKS)[0])
        lines = _BLOCK * _BLOCKS
        ours = samples[follow_sync]
        peaks = [run_apart(follow_sync, blocks)[1] for blocks in (1, _BLOCKS)]
        growth = peaks[1] - peaks[0]
        return [
            compared(Contestant("hodei-k8s, threads", "", ""), lines, ours, ours),
            compared(Contestant("hodei-k8s, asyncio", "", ""), lines, samples[follow_async], ours),
            compared(_FLOOR, lines, samples[slice_up], ours),
            Fact("peak RSS, 100,000 lines", peaks[0], f"{peaks[0]:.1f} MiB"),
            Fact(
                "more for 1,000,000 lines",
                growth,
                f"{growth:.1f} MiB",
                f"<= {_MOST_GROWTH:.0f} MiB (constant)",
                growth <= _MOST_GROWTH,
            ),
        ]


_FLOOR = Contestant("splitlines, sliced (floor)", "", "", at_least=1 / 3)


def follow_sync(blocks: int) -> tuple[float, float]:
    """CPU seconds, and the process's peak of memory in MiB."""
    with log_server(blocks) as environ, KubernetesProvider.connect(KubernetesConfig(), environ=environ) as provider:
        gc.collect()
        start, lines = time.process_time(), 0
        with provider.follow_worker_logs(_handle()) as items:
            for item in items:
                lines += isinstance(item, LogEntry)
        return _told(lines, blocks, start)


def follow_async(blocks: int) -> tuple[float, float]:
    """The same on asyncio."""

    async def follow() -> tuple[float, float]:
        with log_server(blocks) as environ:
            async with AsyncKubernetesProvider.connect(KubernetesConfig(), environ=environ) as provider:
                gc.collect()
                start, lines = time.process_time(), 0
                async with provider.follow_worker_logs(_handle()) as items:
                    async for item in items:
                        lines += isinstance(item, LogEntry)
                return _told(lines, blocks, start)

    return asyncio.run(follow())


def slice_up(blocks: int) -> tuple[float, float]:
    """The floor."""
    block = b"".join(busy_log(_BLOCK))
    gc.collect()
    start, lines = time.process_time(), 0
    for _ in range(blocks):
        for message in [line[_STAMP + 1 :] for line in block.decode().splitlines()]:
            lines += isinstance(message, str)
    return _told(lines, blocks, start)


def _handle() -> WorkerHandle:
    return msgspec.structs.replace(worker_handle(parse_pod(pod())), provider_id=KubernetesConfig().provider_id)


def _told(lines: int, blocks: int, start: float) -> tuple[float, float]:
    seconds = time.process_time() - start
    if lines != blocks * _BLOCK:
        raise RuntimeError(f"{lines} lines came of {blocks * _BLOCK}")
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


LONG_LOG = LongLog(name="follow a log of 1,000,000 lines over HTTP")
