"""The same work on all three hosts at once, each in a thread with an event loop of its own."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ProviderError
from tests.cluster.hosts import HOSTS, Host

TASKS = 2  # on each host
PAUSE = 0.2  # seconds between two calls of one task
Call = Callable[[Any, str], Awaitable[Any]]
"""One call on a provider; the text is an id that no other call has."""


class Done:
    """One call that ended: how long it took, and what it returned or raised."""

    def __init__(self, kind: str, ident: str) -> None:
        self.kind = kind
        self.ident = ident
        self.began = time.monotonic()
        self.seconds = 0.0
        self.result: Any = None
        self.error: ProviderError | None = None


class Load:
    """The calls that were made; `stop` ends the work after the calls under way."""

    def __init__(self, calls: Mapping[str, Call]) -> None:
        self.done: list[Done] = []
        self._calls = calls
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    async def work(self, provider: Any, prefix: str) -> None:
        for number in range(10_000):
            for kind, call in self._calls.items():
                if self._stopping.is_set():
                    return
                done = Done(kind, f"{prefix}-{number}")
                try:
                    done.result = await call(provider, done.ident)
                except ProviderError as error:
                    done.error = error
                done.seconds = time.monotonic() - done.began
                self.done.append(done)
                await anyio.sleep(PAUSE)

    async def _on(self, kind: str, config: KubernetesConfig, options: dict[str, Any]) -> None:
        async with Host(kind, config).connect(config, **options) as provider, anyio.create_task_group() as tasks:
            for number in range(TASKS):
                tasks.start_soon(self.work, provider, f"{kind}-{number}")

    def run_on(self, kind: str, config: KubernetesConfig, options: dict[str, Any]) -> None:
        anyio.run(self._on, kind, config, options, backend="trio" if kind == "trio" else "asyncio")


@contextlib.contextmanager
def load_on_all_hosts(calls: Mapping[str, Call], config: KubernetesConfig, **options: Any) -> Iterator[Load]:
    """The work goes on in the background for the time of the block; what failed there fails the test."""
    load = Load(calls)
    with ThreadPoolExecutor(len(HOSTS)) as threads:
        running = [threads.submit(load.run_on, kind, config, options) for kind in HOSTS]
        try:
            yield load
        finally:
            load.stop()
        for one in running:
            one.result()
