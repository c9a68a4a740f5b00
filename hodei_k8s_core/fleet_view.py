"""A picture of a fleet, made from the items of `watch_workers`: every worker by its id, counts, and how old it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from hodei_k8s_core.verdict import Category
from hodei_k8s_core.worker import WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import ChangeKind, FleetItem, WatchHealth, WorkerChange

T = TypeVar("T")


class FleetView:
    """Fold items in with `apply`, read at any time; what is in it is bounded by the fleet.

    Not safe for threads by itself; the copy that `snapshot` gives is.
    """

    def __init__(self, workers: Iterable[WorkerInfo] = (), health: WatchHealth | None = None) -> None:
        self._workers = {info.worker_id: info for info in workers}
        self._health = health

    @property
    def health(self) -> WatchHealth | None:
        """How old the picture is; None until the first news."""
        return self._health

    @property
    def is_synced(self) -> bool:
        """The picture is whole and new."""
        return self._health is not None and self._health.is_synced

    @property
    def workers(self) -> dict[str, WorkerInfo]:
        """Every worker in view by its id: a copy, as of now."""
        return dict(self._workers)

    def snapshot(self) -> FleetView:
        """The picture as it is now, which does not change any more."""
        return FleetView(self._workers.values(), self._health)

    def get(self, worker_id: str) -> WorkerInfo | None:
        """The worker, or None when it is not in view."""
        return self._workers.get(worker_id)

    def count_by_state(self) -> dict[WorkerState, int]:
        """How many workers are in each state; a state in which there is none is left out."""
        return _counted(info.state for info in self._workers.values())

    def count_by_verdict(self) -> dict[Category, int]:
        """How many workers have a trouble of each category."""
        return _counted(info.verdict.category for info in self._workers.values() if info.verdict is not None)

    def apply(self, items: Iterable[FleetItem]) -> None:
        """Fold in what the watch told, in its order."""
        for item in items:
            if isinstance(item, WatchHealth):
                self._health = item
            else:
                self._change(item)

    def _change(self, change: WorkerChange) -> None:
        if change.kind is not ChangeKind.REMOVED:
            self._workers[change.worker_id] = change.info
        elif self._is_in_view(change.info):
            del self._workers[change.worker_id]

    def _is_in_view(self, info: WorkerInfo) -> bool:
        """It is this very Pod: somebody may have put a worker's label on another one."""
        known = self._workers.get(info.worker_id)
        return known is not None and known.handle.pod_uid == info.handle.pod_uid


def _counted(values: Iterable[T]) -> dict[T, int]:
    counts: dict[T, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts
