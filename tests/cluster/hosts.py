"""One way to write a test for all three hosts: the async provider as it is, and the sync one with methods to await."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import anyio

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.provider import KubernetesProvider

HOSTS = ("sync", "asyncio", "trio")
MANY_THREADS = 250
_END = object()

T = TypeVar("T")


class Host:
    """Where a provider lives: `async with host.connect() as provider`, then `await provider.create_worker(...)`."""

    def __init__(self, kind: str, config: KubernetesConfig) -> None:
        self.kind = kind
        self.config = config

    def connect(self, config: KubernetesConfig | None = None, **options: Any) -> AbstractAsyncContextManager[Any]:
        """A provider with the test's settings, or with others; `options` go to the provider's own `connect`."""
        chosen = self.config if config is None else config
        if self.kind == "sync":
            return _connect_sync(chosen, options)
        return AsyncKubernetesProvider.connect(chosen, **options)


@asynccontextmanager
async def _connect_sync(config: KubernetesConfig, options: dict[str, Any]) -> AsyncIterator[ThreadedProvider]:
    threads = anyio.CapacityLimiter(MANY_THREADS)
    with KubernetesProvider.connect(config, **options) as provider:
        yield ThreadedProvider(provider, threads)


class ThreadedProvider:
    """The sync provider, each call in a thread of its own. Streams and what is no call are as in the async one."""

    def __init__(self, provider: KubernetesProvider, threads: anyio.CapacityLimiter) -> None:
        self._provider = provider
        self._threads = threads

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._provider, name)
        if not inspect.iscoroutinefunction(getattr(AsyncKubernetesProvider, name, None)):
            return self._stream(attribute) if "Stream" in str(_returned(attribute)) else attribute
        return partial(_in_thread, self._threads, attribute)

    def _stream(self, method: Callable[..., Any]) -> Callable[..., ThreadedStream]:
        return lambda *args, **options: ThreadedStream(method(*args, **options), self._threads)


class ThreadedStream:
    """A sync stream as an async one; a thread waits for each item."""

    def __init__(self, stream: Any, threads: anyio.CapacityLimiter) -> None:
        self._stream = stream
        self._in_thread: Callable[..., Awaitable[Any]] = partial(_in_thread, threads)

    async def __aenter__(self) -> ThreadedStream:
        self._stream.__enter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._in_thread(self._stream.__exit__, *exc_info)

    def __aiter__(self) -> ThreadedStream:
        return self

    async def __anext__(self) -> Any:
        item = await self._in_thread(next, self._stream, _END)
        if item is _END:
            raise StopAsyncIteration
        return item

    @property
    def result(self) -> Any:
        return self._stream.result

    def request_stop(self) -> None:
        self._stream.request_stop()


def _returned(method: Any) -> Any:
    return inspect.signature(method).return_annotation if callable(method) else None


async def _in_thread(threads: anyio.CapacityLimiter, call: Callable[..., T], *args: Any, **options: Any) -> T:
    return await anyio.to_thread.run_sync(partial(call, *args, **options), limiter=threads)
