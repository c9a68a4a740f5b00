"""The logs of a fleet in one: a watch tells which workers there are, and each that has begun to run is followed.

A worker has a queue of one batch; the reader is given the batches of all in turn, so that a worker that writes much
takes no other's place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.coordinators.coordinator import Action, Start
from hodei_k8s_core.errors import ProviderError, WorkerNotFound
from hodei_k8s_core.log_entry import GapReason, LogGap, LogItem
from hodei_k8s_core.operations.follow_worker_logs import follow_worker_logs
from hodei_k8s_core.operations.log_start import log_start
from hodei_k8s_core.operations.watch_workers import watch_workers
from hodei_k8s_core.worker import WORKER_CONTAINER, WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import ChangeKind, WatchHealth, WorkerChange

WATCH: Final = "watch"


class FleetLogItem(msgspec.Struct, frozen=True):
    """One item of one worker's log."""

    handle: WorkerHandle
    item: LogItem

    @property
    def worker_id(self) -> str:
        return self.handle.worker_id

    @property
    def message(self) -> str:
        return self.item.message

    @property
    def cursor(self) -> str:
        """From where that worker's log goes on."""
        return self.item.cursor


class FleetLogs:
    """`since`: nanoseconds since the epoch, or a cursor for each worker id that was read before.

    `tail`: of the workers that are there at the start (and have no cursor), begin with the last so many lines.
    """

    def __init__(
        self,
        config: KubernetesConfig,
        *,
        selector: str = "",
        since: Mapping[str, str] | int | None = None,
        tail: int | None = None,
        container: str = WORKER_CONTAINER,
    ) -> None:
        self._config = config
        self._selector = selector
        self._cursors = dict(since) if isinstance(since, Mapping) else {}
        self._since = None if isinstance(since, Mapping) else since
        self._tail = tail
        self._container = container
        self._is_whole = False
        self._followed: dict[str, WorkerHandle] = {}
        self._running: set[str] = set()
        self._removed: set[str] = set()
        self._waiting: dict[str, Sequence[LogItem]] = {}
        self._turns: deque[str] = deque()
        self._error: Exception | None = None
        for cursor in self._cursors.values():
            log_start(cursor, None)
        log_start(self._since, tail)

    @property
    def is_over(self) -> bool:
        """A watch ends only by its failure."""
        return self._error is not None

    @property
    def error(self) -> Exception | None:
        return self._error

    def begin(self) -> Sequence[Action]:
        """Watch the fleet."""
        return [Start(WATCH, watch_workers(self._config, selector=self._selector))]

    def has_room(self, child: str) -> bool:
        """One batch of each worker waits at most."""
        return child not in self._waiting

    def emitted(self, child: str, items: Sequence[Any]) -> Sequence[Action]:
        """Changes of the fleet, or lines of a worker."""
        if child == WATCH:
            return [action for item in items for action in self._changed(item)]
        if items:
            self._waiting[child] = items
            self._turns.append(child)
        return ()

    def ended(self, child: str, result: Any) -> Sequence[Action]:  # noqa: ARG002 - the cursor is on the last item
        """A log was read to its end."""
        self._leave(child)
        return ()

    def failed(self, child: str, error: Exception) -> Sequence[Action]:
        """Without the watch there is no fleet; a log that cannot be read is a gap in the whole."""
        if child == WATCH or not isinstance(error, ProviderError):
            self._error = error
            return ()
        reason = GapReason.GONE if isinstance(error, WorkerNotFound) else GapReason.UNAVAILABLE
        gap = LogGap(reason=reason, detail=str(error), source=self._container)
        self._waiting[child] = (*self._waiting.get(child, ()), gap)
        if child not in self._turns:
            self._turns.append(child)
        self._leave(child)
        return ()

    def take(self) -> tuple[str, Sequence[FleetLogItem]] | None:
        """The batch of the worker that has waited longest."""
        if not self._turns:
            return None
        child = self._turns.popleft()
        items = [FleetLogItem(self._followed[child], item) for item in self._waiting.pop(child)]
        self._forget(child)
        return child, items

    def _changed(self, change: WorkerChange | WatchHealth) -> Sequence[Action]:
        if isinstance(change, WatchHealth):
            self._is_whole = True
            return ()
        info = change.info
        child = info.handle.pod_uid
        if change.kind is ChangeKind.REMOVED:
            self._removed.add(child)
            self._forget(child)
        # A worker that has not begun has no log, and following it would only be another watch.
        elif info.state is not WorkerState.CREATING and child not in self._followed:
            self._followed[child] = info.handle
            self._running.add(child)
            return [Start(child, self._follow(info))]
        return ()

    def _leave(self, child: str) -> None:
        self._running.discard(child)
        self._forget(child)

    def _forget(self, child: str) -> None:
        """Nothing is kept of a worker that is gone, once its log was read and taken."""
        if child in self._removed and child not in self._running and child not in self._waiting:
            self._removed.discard(child)
            self._followed.pop(child, None)

    def _follow(self, info: WorkerInfo) -> Any:
        cursor = self._cursors.pop(info.worker_id, None)
        tail = None if self._is_whole or cursor is not None else self._tail
        since = self._since if cursor is None else cursor
        return follow_worker_logs(self._config, info.handle, since=since, tail=tail, container=self._container)
