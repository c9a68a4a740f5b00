"""The objects, their one counter of versions, and the history that watches and continued lists read.

Objects are never edited in place: whoever changes one stores a new tree, so history keeps what was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec

from hodei_k8s_core.simulation.wire import Json

Key = tuple[str, str, str]
"""Resource, namespace ("" for none), name."""

FIRST_VERSION = 1000
HISTORY_LIMIT = 50_000
_VERSION = attrgetter("version")


class Change(msgspec.Struct, frozen=True):
    """One write: `before` is None for a creation, `after` is None for a removal; `item` is what a watch shows."""

    version: int
    key: Key
    before: Json | None
    after: Json | None
    item: Json


class Store:
    """etcd and the watch cache in one. `oldest`: versions below it are no longer served; of those below `compacted` the
    changes are gone, for open watches as well.

    `history_limit`: changes that are kept at least; at twice as many the older half is compacted away.
    """

    def __init__(self, history_limit: int = HISTORY_LIMIT) -> None:
        self.version = FIRST_VERSION
        self.oldest = FIRST_VERSION
        self.compacted = 0
        self._objects: dict[Key, Json] = {}
        self._of: dict[str, dict[Key, Json]] = {}
        self._changed: dict[str, int] = {}
        self._history: list[Change] = []
        self._history_limit = history_limit

    def find(self, resource: str, namespace: str, name: str) -> Json | None:
        """The object, or None."""
        return self._objects.get((resource, namespace, name))

    def fetch(self, resource: str, namespace: str, name: str) -> Json:
        """The object, which must exist."""
        return self._objects[resource, namespace, name]

    def put(self, resource: str, item: Json) -> Json:
        """Store a new state of an object; the reply carries its new version."""
        key = _key(resource, item)
        stored = self._stamped(item)
        self._record(key, stored, stored)
        self._objects[key] = self._of.setdefault(resource, {})[key] = stored
        return stored

    def remove(self, resource: str, item: Json) -> Json:
        """Take an object away; the reply is `item` with the removal's own version, as watches show it."""
        key = _key(resource, item)
        last = self._stamped(item)
        self._record(key, None, last)
        del self._objects[key], self._of[resource][key]
        return last

    def list_at(self, version: int, resource: str, namespace: str | None) -> list[Json]:
        """The objects as they were at `version`, in the order of their keys."""
        objects: dict[Key, Json | None] = dict(self._of.get(resource, {}))
        for change in reversed(self.changes_after(version)):
            if change.key[0] == resource:
                objects[change.key] = change.before
        return [
            item
            for key, item in sorted(objects.items(), key=_by_key)
            if item is not None and namespace in (None, key[1])
        ]

    def changed_at(self, resource: str) -> int:
        """The version of the last change of such an object, 0 for none."""
        return self._changed.get(resource, 0)

    def changes_after(self, version: int) -> Sequence[Change]:
        return self._history[bisect_right(self._history, version, key=_VERSION) :]

    def expire_versions(self) -> None:
        """Forget every version that a client can hold by now (what compaction, or a restart, does)."""
        self.version += 1
        self.oldest = self.version

    def _stamped(self, item: Json) -> Json:
        version = str(self.version + 1)
        return {**item, "metadata": {**item["metadata"], "resourceVersion": version}}

    def _record(self, key: Key, after: Json | None, item: Json) -> None:
        self.version += 1
        self._changed[key[0]] = self.version
        self._history.append(Change(self.version, key, self._objects.get(key), after, item))
        if len(self._history) >= 2 * self._history_limit:
            del self._history[: -self._history_limit]
            self.compacted = self._history[0].version - 1
            self.oldest = max(self.oldest, self.compacted)


def _key(resource: str, item: Json) -> Key:
    meta = item["metadata"]
    return resource, meta.get("namespace", ""), meta["name"]


def _by_key(entry: tuple[Key, Any]) -> Key:
    return entry[0]
