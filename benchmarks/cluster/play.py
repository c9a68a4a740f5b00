"""One contestant's process: it keeps its client and its connections, and does what it is told, 16 at a time.

Before each measured step it reads a few Pods, unmeasured: who had to wait for its turn may have lost its connections.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.cluster.site import AT_A_TIME
from benchmarks.runner import CannotRun

Step = tuple[str, tuple[Any, ...]]
"""A name of `Sync` and `Async`, and its arguments."""
Done = tuple[float, object]
"""CPU seconds, and what it gave."""


class Clock:
    """CPU of this process from when it is started (again)."""

    def start(self) -> None:
        gc.collect()
        self._began = time.process_time()

    def read(self) -> float:
        return time.process_time() - self._began


class Marks:
    """Follows a watch: first every Pod comes into view, which `ready` is told, then each of them gets the mark."""

    def __init__(self, mark: str, amount: int, ready: Callable[[], None]) -> None:
        self._mark = mark
        self._amount = amount
        self._ready = ready
        self._known: set[str] = set()
        self._marked: set[str] = set()
        self.clock = Clock()

    def is_done(self, name: str, mark: str) -> bool:
        """Whether this change was the last."""
        if mark == self._mark:
            self._marked.add(name)
        elif len(self._known) < self._amount:
            self._known.add(name)
            if len(self._known) == self._amount:
                self._ready()
                self.clock.start()
        return len(self._marked) == self._amount


class Sync:
    """Steps by threads."""

    def __init__(self, client: Any, connection: Connection) -> None:
        self._client = client
        self._connection = connection
        self._pool = ThreadPoolExecutor(AT_A_TIME)

    def each(self, call: str, items: Iterable[Any]) -> Done:
        clock = Clock()
        clock.start()
        results = list(self._pool.map(getattr(self._client, call), items))
        return clock.read(), sorted(map(str, results))

    def watch(self, mark: str, amount: int) -> Done:
        marks = Marks(mark, amount, lambda: self._connection.send("ready"))
        for name, label in self._client.changes():
            if marks.is_done(name, label):
                break
        return marks.clock.read(), amount

    def follow(self, name: str) -> Done:
        clock = Clock()
        clock.start()
        lines = sum(1 for _ in self._client.lines(name))
        return clock.read(), lines


class Async:
    """Steps by tasks."""

    def __init__(self, client: Any, connection: Connection) -> None:
        self._client = client
        self._connection = connection

    async def each(self, call: str, items: Iterable[Any]) -> Done:
        perform = getattr(self._client, call)
        clock, results, waiting = Clock(), [], iter(items)

        async def work() -> None:
            results.extend([await perform(item) for item in waiting])

        clock.start()
        await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
        return clock.read(), sorted(map(str, results))

    async def watch(self, mark: str, amount: int) -> Done:
        marks = Marks(mark, amount, lambda: self._connection.send("ready"))
        changes: AsyncIterator[tuple[str, str]] = self._client.changes()
        async for name, label in changes:
            if marks.is_done(name, label):
                break
        seconds = marks.clock.read()
        await changes.aclose()  # type: ignore[attr-defined]
        return seconds, amount

    async def follow(self, name: str) -> Done:
        clock, lines = Clock(), 0
        clock.start()
        async for _ in self._client.lines(name):
            lines += 1
        return clock.read(), lines


def serve(connection: Connection, client: str, namespace: str) -> None:
    """Until the other side hangs up."""
    try:
        connect = import_module(f"benchmarks.cluster.clients.{client}").connect
        _serve(connection, connect, namespace)
    except (EOFError, KeyboardInterrupt):
        pass
    except ModuleNotFoundError as error:
        connection.send(CannotRun(f"not installed ({error.name})"))
    except Exception as error:
        connection.send(CannotRun(f"failed: {type(error).__name__}: {str(error)[:200]}"))


def _serve(connection: Connection, connect: Callable[[str], Any], namespace: str) -> None:
    manager = connect(namespace)
    if hasattr(manager, "__enter__"):
        with manager as client:
            client.count(0)  # alone: lightkube 1.0.1 crashes the interpreter when its first calls come at once
            steps = Sync(client, connection)
            while True:
                step, arguments = connection.recv()
                connection.send(getattr(steps, step)(*arguments))
    asyncio.run(_serve_async(connection, manager))


async def _serve_async(connection: Connection, manager: Any) -> None:
    """It sends nothing between two steps, so the loop may stand still meanwhile."""
    async with manager as client:
        steps = Async(client, connection)
        while True:
            step, arguments = connection.recv()
            connection.send(await getattr(steps, step)(*arguments))
