"""So many calls, so many of them at a time; what each took."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.loopback.canned_server import BODY


@dataclass(frozen=True)
class Load:
    """`calls` GET requests to `port`, `at_once` of them at a time."""

    port: int
    at_once: int
    calls: int


@dataclass(frozen=True)
class Answers:
    """`bodies`: how many right ones came; `latencies`: seconds of each call."""

    bodies: int
    latencies: list[float]


def bodies_of(answers: Answers) -> int:
    return answers.bodies


async def in_tasks(load: Load, call: Callable[[], Awaitable[bytes]]) -> Answers:
    numbers, latencies, right = iter(range(load.calls)), [], 0

    async def work() -> None:
        nonlocal right
        for _ in numbers:
            start = time.perf_counter()
            body = await call()
            latencies.append(time.perf_counter() - start)
            right += body == BODY

    async with asyncio.TaskGroup() as tasks:
        for _ in range(load.at_once):
            tasks.create_task(work())
    return Answers(right, latencies)


def in_threads(load: Load, call: Callable[[], bytes]) -> Answers:
    numbers, latencies = itertools.count(), []
    right: list[int] = []

    def work() -> None:
        while next(numbers) < load.calls:
            start = time.perf_counter()
            body = call()
            latencies.append(time.perf_counter() - start)
            right.append(body == BODY)

    threads = [threading.Thread(target=work) for _ in range(load.at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Answers(sum(right), latencies)
