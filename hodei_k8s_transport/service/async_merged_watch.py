"""The watches of several clusters in one, for asyncio and trio."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import anyio.abc
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from hodei_k8s_core.errors import ProviderError
from hodei_k8s_transport.service.registry import WorkerRegistry, tell_registry
from hodei_k8s_transport.service.watched import BUFFER, WatchedItem, WatchEnded
from hodei_k8s_transport.service.worker_provider import AsyncWorkerProvider


class AsyncMergedWatch:
    """A context manager and an async iterator; ends when every watch has ended for good. One task may iterate.

    A watch that ends is told as `WatchEnded`; the others go on.
    """

    def __init__(self, providers: Mapping[str, AsyncWorkerProvider], registry: WorkerRegistry | None) -> None:
        self._providers = providers
        self._registry = registry
        self._tasks: anyio.abc.TaskGroup | None = None
        self._items: MemoryObjectReceiveStream[WatchedItem] | None = None

    async def __aenter__(self) -> AsyncMergedWatch:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        sender, self._items = anyio.create_memory_object_stream[WatchedItem](BUFFER)
        with sender:
            for provider_id, provider in self._providers.items():
                self._tasks.start_soon(self._follow, provider_id, provider, sender.clone())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._tasks is None or self._items is None:
            return
        self._tasks.cancel_scope.cancel()
        # The tasks raise nothing, and what the block raised is not the group's: it must not be wrapped.
        await self._tasks.__aexit__(None, None, None)
        self._items.close()

    def __aiter__(self) -> AsyncMergedWatch:
        return self

    async def __anext__(self) -> WatchedItem:
        if self._items is None:
            raise RuntimeError("a watch is iterated inside its `async with` block")
        try:
            return await self._items.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            raise StopAsyncIteration from None

    async def _follow(
        self, provider_id: str, provider: AsyncWorkerProvider, sender: MemoryObjectSendStream[WatchedItem]
    ) -> None:
        with sender:
            try:
                async with provider.watch_workers() as items:
                    async for item in items:
                        if self._registry is not None:
                            tell_registry(self._registry, provider_id, item)
                        await sender.send((provider_id, item))
            except ProviderError as error:
                await sender.send((provider_id, WatchEnded(str(error))))
            except Exception as error:  # noqa: BLE001 - a registry of the host's: the other clusters must not suffer
                await sender.send((provider_id, WatchEnded(f"it failed: {type(error).__name__}")))
