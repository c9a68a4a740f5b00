"""One test body for three hosts: threads, asyncio and trio.

A test is an async function that talks to a `Side`. On threads nothing ever suspends: the sync channel and driver are
called inside coroutines that run to their end in one `send`, and what is concurrent gets a thread each.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.to_thread

from hodei_k8s_transport.access.credential import Credential, Endpoint
from hodei_k8s_transport.channels.async_h11_channel import AsyncH11Channel
from hodei_k8s_transport.channels.async_httpx_channel import AsyncHttpxChannel
from hodei_k8s_transport.channels.h11_channel import H11Channel
from hodei_k8s_transport.channels.httpx_channel import HttpxChannel
from hodei_k8s_transport.drivers.async_driver import run_async
from hodei_k8s_transport.drivers.async_stream import AsyncStream
from hodei_k8s_transport.drivers.host import Host
from hodei_k8s_transport.drivers.stopper import Stopper
from hodei_k8s_transport.drivers.sync_driver import run
from hodei_k8s_transport.drivers.sync_stream import SyncStream
from hodei_k8s_transport.testing.never_suspending import NeverSuspending, drive


class Credentials:
    """A source for both kinds of channel: generation n has the token `token-n`; renewing takes a moment and counts."""

    def __init__(self, *, last_generation: int = 10**6, tls: dict[int, Any] | None = None) -> None:
        self.generation = 0
        self.renewals = 0
        self._last = last_generation
        self._tls = tls or {}
        self._lock = threading.Lock()

    def current(self) -> Credential:
        token = (("authorization", f"Bearer token-{self.generation}"),)
        return Credential(self.generation, token, self._tls.get(self.generation))

    def renew(self, refused: int) -> Credential | None:
        with self._lock:
            if self.generation == refused:
                if refused >= self._last:
                    return None
                time.sleep(0.02)
                self.renewals += 1
                self.generation += 1
            return self.current()


class AsyncCredentials:
    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def current(self) -> Credential:
        return self._credentials.current()

    async def renew(self, refused: int) -> Credential | None:
        return await anyio.to_thread.run_sync(self._credentials.renew, refused)


SYNC_CHANNELS = {"httpx": HttpxChannel, "h11": H11Channel}
ASYNC_CHANNELS = {"httpx": AsyncHttpxChannel, "h11": AsyncH11Channel}


class Side:
    """`http`: which kind of channel it has."""

    name: str
    http: str

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        raise NotImplementedError


class SyncSide(Side):
    name = "sync"

    def __init__(self, http: str = "h11") -> None:
        self.http = http

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        drive(main())

    @contextlib.asynccontextmanager
    async def channel(self, server: str, credentials: Any = None, **options: Any) -> AsyncIterator[Any]:
        endpoint = server if isinstance(server, Endpoint) else Endpoint(server)
        channel = SYNC_CHANNELS[self.http](endpoint, credentials or Credentials(), **options)
        try:
            yield NeverSuspending(channel)
        finally:
            channel.close()

    async def run_operation(self, operation: Any, channel: Any, host: Host, stopper: Stopper | None = None) -> Any:
        return run(operation, _unwrap(channel), host, stopper=stopper)

    @contextlib.asynccontextmanager
    async def stream(self, operation: Any, channel: Any, host: Host) -> AsyncIterator[Any]:
        with SyncStream(operation, _unwrap(channel), host) as stream:
            yield _SyncItems(stream)

    async def gather(self, *thunks: Callable[[], Coroutine[Any, Any, Any]]) -> list[Any]:
        with ThreadPoolExecutor(len(thunks)) as pool:
            return list(pool.map(lambda thunk: drive(thunk()), thunks))

    async def until(self, condition: Callable[[], bool], limit: float = 5.0) -> bool:
        deadline = time.monotonic() + limit
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True


class _SyncItems:
    def __init__(self, stream: SyncStream[Any, Any]) -> None:
        self.raw = stream

    def __aiter__(self) -> _SyncItems:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self.raw)
        except StopIteration:
            raise StopAsyncIteration from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


class AsyncSide(Side):
    def __init__(self, name: str, http: str = "h11") -> None:
        self.name = name
        self.http = http

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        anyio.run(main, backend=self.name)

    @contextlib.asynccontextmanager
    async def channel(self, server: str, credentials: Any = None, **options: Any) -> AsyncIterator[Any]:
        endpoint = server if isinstance(server, Endpoint) else Endpoint(server)
        source = AsyncCredentials(credentials or Credentials())
        async with ASYNC_CHANNELS[self.http](endpoint, source, **options) as channel:
            yield channel

    async def run_operation(self, operation: Any, channel: Any, host: Host, stopper: Stopper | None = None) -> Any:
        return await run_async(operation, channel, host, stopper=stopper)

    @contextlib.asynccontextmanager
    async def stream(self, operation: Any, channel: Any, host: Host) -> AsyncIterator[Any]:
        async with AsyncStream(operation, channel, host) as stream:
            yield stream

    async def gather(self, *thunks: Callable[[], Awaitable[Any]]) -> list[Any]:
        results: list[Any] = [None] * len(thunks)

        async def keep(index: int, thunk: Callable[[], Awaitable[Any]]) -> None:
            results[index] = await thunk()

        async with anyio.create_task_group() as tasks:
            for index, thunk in enumerate(thunks):
                tasks.start_soon(keep, index, thunk)
        return results

    async def until(self, condition: Callable[[], bool], limit: float = 5.0) -> bool:
        with anyio.move_on_after(limit):
            while not condition():
                await anyio.sleep(0.005)
            return True
        return False


def _unwrap(channel: Any) -> Any:
    return channel.wrapped if isinstance(channel, NeverSuspending) else channel
