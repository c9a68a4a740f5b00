"""The watches of several clusters in one, for threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping

from hodei_k8s_core.errors import ProviderError
from hodei_k8s_transport.service.registry import WorkerRegistry, tell_registry
from hodei_k8s_transport.service.watched import BUFFER, WatchedItem, WatchEnded
from hodei_k8s_transport.service.worker_provider import WorkerProvider

CLOSE_LIMIT = 2.0
"""Seconds that leaving waits for the threads; an exchange that is under way lets one end later, by itself."""


class MergedWatch:
    """A context manager and an iterator, with a thread for each cluster; ends when every watch has ended for good.

    A watch that ends is told as `WatchEnded`; the others go on.
    """

    def __init__(self, providers: Mapping[str, WorkerProvider], registry: WorkerRegistry | None) -> None:
        self._providers = providers
        self._registry = registry
        self._changed = threading.Condition()
        self._items: deque[WatchedItem] = deque()
        self._running = 0
        self._closed = True
        self._watches: list[object] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> MergedWatch:
        self._closed = False
        self._running = len(self._providers)
        for provider_id, provider in self._providers.items():
            thread = threading.Thread(
                target=self._follow, args=(provider_id, provider), name=f"hodei-k8s-watch-{provider_id}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            watches = tuple(self._watches)
        for watch in watches:
            stop = getattr(watch, "request_stop", None)
            if stop is not None:
                stop()
        for thread in self._threads:
            thread.join(CLOSE_LIMIT)

    def __iter__(self) -> MergedWatch:
        return self

    def __next__(self) -> WatchedItem:
        with self._changed:
            while not self._items:
                if self._closed or not self._running:
                    raise StopIteration
                self._changed.wait()
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def _follow(self, provider_id: str, provider: WorkerProvider) -> None:
        try:
            self._watch(provider_id, provider)
        except ProviderError as error:
            self._put((provider_id, WatchEnded(str(error))))
        except Exception as error:  # noqa: BLE001 - a registry of the host's: the other clusters must not suffer
            self._put((provider_id, WatchEnded(f"it failed: {type(error).__name__}")))
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _watch(self, provider_id: str, provider: WorkerProvider) -> None:
        watch = provider.watch_workers()
        with self._changed:
            if self._closed:
                return
            self._watches.append(watch)
        with watch as items:
            for item in items:
                if self._registry is not None:
                    tell_registry(self._registry, provider_id, item)
                if not self._put((provider_id, item)):
                    return

    def _put(self, item: WatchedItem) -> bool:
        """False when nobody reads any more."""
        with self._changed:
            while len(self._items) >= BUFFER and not self._closed:
                self._changed.wait()
            if self._closed:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True
