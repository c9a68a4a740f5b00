"""`WorkerRegistry`: where a host keeps what it knows of its workers; fed from the watches of all its clusters."""

from __future__ import annotations

import threading
from typing import Protocol

from hodei_k8s_core.worker import WorkerHandle, WorkerInfo
from hodei_k8s_core.worker_change import ChangeKind, FleetItem, WatchHealth, WorkerChange


class WorkerRegistry(Protocol):
    """Called in the order of the changes, by one thread or task for each provider; it must not block for long."""

    def worker_changed(self, provider_id: str, info: WorkerInfo) -> None:
        """A worker is new, or is not as it was."""
        ...

    def worker_removed(self, provider_id: str, info: WorkerInfo, *, is_gone: bool) -> None:
        """A worker went out of view, as it was seen last; `is_gone`: its Pod does not exist any more."""
        ...

    def watch_changed(self, provider_id: str, health: WatchHealth) -> None:
        """The picture of a provider is whole, or old since when and why."""
        ...


def tell_registry(registry: WorkerRegistry, provider_id: str, item: FleetItem) -> None:
    """Pass on one item of a provider's watch."""
    if not isinstance(item, WorkerChange):
        registry.watch_changed(provider_id, item)
    elif item.kind is ChangeKind.REMOVED:
        registry.worker_removed(provider_id, item.info, is_gone=item.gone)
    else:
        registry.worker_changed(provider_id, item.info)


class InMemoryWorkerRegistry:
    """Every worker by its id, and by its provider too where several have one of that id. May be shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: dict[tuple[str, str], WorkerInfo] = {}
        self._healths: dict[str, WatchHealth] = {}

    def worker_changed(self, provider_id: str, info: WorkerInfo) -> None:
        with self._lock:
            self._workers[info.worker_id, provider_id] = info

    def worker_removed(self, provider_id: str, info: WorkerInfo, *, is_gone: bool) -> None:  # noqa: ARG002 - as told
        with self._lock:
            known = self._workers.get((info.worker_id, provider_id))
            if known is not None and known.handle.pod_uid == info.handle.pod_uid:
                del self._workers[info.worker_id, provider_id]

    def watch_changed(self, provider_id: str, health: WatchHealth) -> None:
        with self._lock:
            self._healths[provider_id] = health

    def get(self, worker_id: str) -> WorkerInfo | None:
        """The worker of that id, of whichever provider."""
        return next(iter(self.find(worker_id)), None)

    def find(self, worker_id: str) -> list[WorkerInfo]:
        """The workers of that id, one for each provider that has one: more than one is a mistake of the host's."""
        with self._lock:
            return [info for (known, _), info in self._workers.items() if known == worker_id]

    def workers(self) -> list[WorkerInfo]:
        """All of them, as they are now."""
        with self._lock:
            return list(self._workers.values())

    def handles(self) -> dict[str, WorkerHandle]:
        """The handle of every worker by its id."""
        return {info.worker_id: info.handle for info in self.workers()}

    def health_of(self, provider_id: str) -> WatchHealth | None:
        """How old the picture of a provider is; None before its watch said so."""
        with self._lock:
            return self._healths.get(provider_id)
