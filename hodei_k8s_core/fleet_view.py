"""A picture of a fleet, made from the items of `watch_workers`: every worker by its id, counts, and how old it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

from hodei_k8s_core.verdict import Category
from hodei_k8s_core.worker import WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import (
    ChangeKind,
    DescribedWorker,
    FleetItem,
    SeenWorker,
    WatchHealth,
    WorkerChange,
)

T = TypeVar("T")
_REMOVED: Final = ChangeKind.REMOVED


class FleetView:
    """Fold items in with `apply`, read at any time; what is in it is bounded by the fleet.

    Not safe for threads by itself; the copy that `snapshot` gives is.
    """

    def __init__(self, workers: Iterable[WorkerInfo] = (), health: WatchHealth | None = None) -> None:
        self._workers: dict[str, SeenWorker] = {info.worker_id: DescribedWorker(info) for info in workers}
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
    def workers(self) -> Mapping[str, WorkerInfo]:
        """Every worker in view by its id: a copy, as of now. A worker is described when it is first read."""
        return _Workers(dict(self._workers))

    def snapshot(self) -> FleetView:
        """The picture as it is now, which does not change any more."""
        copy = FleetView((), self._health)
        copy._workers = dict(self._workers)
        return copy

    def get(self, worker_id: str) -> WorkerInfo | None:
        """The worker, or None when it is not in view."""
        seen = self._workers.get(worker_id)
        return None if seen is None else seen.info

    def count_by_state(self) -> dict[WorkerState, int]:
        """How many workers are in each state; a state in which there is none is left out."""
        return _counted(seen.state for seen in self._workers.values())

    def count_by_verdict(self) -> dict[Category, int]:
        """How many workers have a trouble of each category."""
        verdicts = (seen.verdict for seen in self._workers.values())
        return _counted(verdict.category for verdict in verdicts if verdict is not None)

    def apply(self, items: Iterable[FleetItem]) -> None:
        """Fold in what the watch told, in its order."""
        for item in items:
            if not isinstance(item, WorkerChange):
                self._health = item
                continue
            seen = item.seen
            if item.kind is not _REMOVED:
                self._workers[seen.worker_id] = seen
            elif self._is_in_view(seen):
                del self._workers[seen.worker_id]

    def _is_in_view(self, seen: SeenWorker) -> bool:
        """It is this very Pod: somebody may have put a worker's label on another one."""
        known = self._workers.get(seen.worker_id)
        return known is not None and known.pod_uid == seen.pod_uid


class _Workers(Mapping[str, WorkerInfo]):
    """Workers by their ids; each is described when it is first read."""

    __slots__ = ("_seen",)

    def __init__(self, seen: Mapping[str, SeenWorker]) -> None:
        self._seen = seen

    def __getitem__(self, worker_id: str) -> WorkerInfo:
        return self._seen[worker_id].info

    def __iter__(self) -> Iterator[str]:
        return iter(self._seen)

    def __len__(self) -> int:
        return len(self._seen)

    def __contains__(self, worker_id: object) -> bool:
        return worker_id in self._seen

    def __repr__(self) -> str:
        return repr(dict(self))


def _counted(values: Iterable[T]) -> dict[T, int]:
    counts: dict[T, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts
