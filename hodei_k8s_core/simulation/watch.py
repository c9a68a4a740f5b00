"""A watch: the store's history from one version on, seen through a selector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hodei_k8s_core.http import Headers
from hodei_k8s_core.simulation.resources import RESOURCES
from hodei_k8s_core.simulation.selectors import Selector
from hodei_k8s_core.simulation.statuses import too_old
from hodei_k8s_core.simulation.store import Change, Store
from hodei_k8s_core.simulation.streams import Connection
from hodei_k8s_core.simulation.wire import Json, encode

BOOKMARK_PERIOD = 60.0
DEFAULT_LIFE = 1800.0
"""Seconds; the real server takes a random time between this and its double (`--min-request-timeout`)."""
_INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}


class Watch(Connection):
    """An open watch. Nothing is sent before the first read, and every read sends all there is."""

    def __init__(
        self,
        store: Store,
        resource: str,
        namespace: str | None,
        selector: Selector,
        headers: Headers,
        *,
        opened: float,
        life: float,
        bookmarks: bool,
        shown: Callable[[str, Json, float], Json],
    ) -> None:
        super().__init__(headers)
        self._store = store
        self._resource = resource
        self._namespace = namespace
        self._selector = selector
        self._shown = shown
        self._now = opened
        self._ends_at = opened + life
        self._bookmark_at = opened + BOOKMARK_PERIOD if bookmarks else None
        self._cursor = store.version
        self._pending: list[bytes] = []
        self._has_failed = False

    def start_at(self, version: int) -> None:
        """Everything after `version`; an ERROR event, and the end, when it is too old."""
        self._cursor = version
        if version < self._store.oldest:
            self._fail()

    def start_with_everything(self) -> None:
        """What exists as ADDED, then what changes."""
        for item in self._store.list_at(self._cursor, self._resource, self._namespace):
            if self._selector.matches(item):
                self._pending.append(self._event("ADDED", item))
        if self._bookmark_at is not None:
            self._pending.append(self._bookmark({"annotations": _INITIAL_EVENTS_END}))

    def read(self, now: float) -> bytes | None:
        self.raise_if_cut()
        self._now = now
        if not self._has_failed:
            self._collect()
            self._add_bookmark(now)
        if self._pending:
            data, self._pending = b"".join(self._pending), []
            return data
        return b"" if self._has_failed or now >= self._ends_at else None

    def next_event_at(self, now: float) -> float | None:
        times = [self._ends_at, *([] if self._bookmark_at is None else [self._bookmark_at])]
        return min((time for time in times if time > now), default=None)

    def _fail(self) -> None:
        self._pending.append(encode({"type": "ERROR", "object": too_old(self._cursor, self._store.oldest)}))
        self._has_failed = True

    def _collect(self) -> None:
        if self._cursor < self._store.compacted:
            self._fail()
            return
        for change in self._store.changes_after(self._cursor):
            resource, namespace, _ = change.key
            if resource == self._resource and self._namespace in (None, namespace):
                kind, item = self._seen(change)
                if item is not None:
                    self._pending.append(self._event(kind, item))
            self._cursor = change.version

    def _seen(self, change: Change) -> tuple[str, Json | None]:
        """What a change is to this selector: an object that leaves it is DELETED, while it lives."""
        was = change.before is not None and self._selector.matches(change.before)
        stays = change.after is not None and self._selector.matches(change.after)
        if was and stays:
            return "MODIFIED", change.item
        if stays:
            return "ADDED", change.item
        if not was or change.before is None:
            return "", None
        meta = {**change.before["metadata"], "resourceVersion": str(change.version)}
        return "DELETED", {**change.before, "metadata": meta}

    def _add_bookmark(self, now: float) -> None:
        if self._bookmark_at is not None and now >= self._bookmark_at:
            self._bookmark_at = now + BOOKMARK_PERIOD
            self._pending.append(self._bookmark({}))

    def _event(self, kind: str, item: Json) -> bytes:
        return encode({"type": kind, "object": self._shown(kind, RESOURCES[self._resource].typed(item), self._now)})

    def _bookmark(self, more: dict[str, Any]) -> bytes:
        meta = {"resourceVersion": str(self._store.version), **more}
        return self._event("BOOKMARK", {"metadata": meta})
