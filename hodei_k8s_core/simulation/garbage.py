"""The garbage collector: what a Pod owned goes after it; what names an owner that is not there goes as well."""

from __future__ import annotations

from functools import partial

from hodei_k8s_core.simulation.agenda import Agenda
from hodei_k8s_core.simulation.resources import PLAIN
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.wire import Json

COLLECTION_DELAY = 1.0
"""Seconds from the end of an owner to the end of what it owned (seen: within one)."""


class Garbage:
    """Owners are Pods here."""

    def __init__(self, store: Store, agenda: Agenda) -> None:
        self._store = store
        self._agenda = agenda
        self._owners: set[str] = set()

    def look_at(self, item: Json, now: float) -> None:
        """An object was written, which may have owners."""
        for owner in item["metadata"].get("ownerReferences", ()):
            self._owners.add(owner["uid"])
            self.collect_for(owner["uid"], now)

    def has_owned(self, uid: str) -> bool:
        """Whether anything has named it as its owner."""
        return uid in self._owners

    def collect_for(self, owner_uid: str, now: float) -> None:
        """Look in a moment whether a Pod is gone, and take what it owned."""
        self._agenda.at(now + COLLECTION_DELAY, partial(self._collect, owner_uid))

    def _collect(self, owner_uid: str, now: float) -> None:  # noqa: ARG002 - as every action
        if any(pod["metadata"]["uid"] == owner_uid for pod in self._all("pods")):
            return
        for resource in PLAIN:
            for item in self._all(resource):
                if owner_uid in [owner["uid"] for owner in item["metadata"].get("ownerReferences", ())]:
                    self._store.remove(resource, item)

    def _all(self, resource: str) -> list[Json]:
        return self._store.list_at(self._store.version, resource, None)
