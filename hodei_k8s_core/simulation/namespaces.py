"""Namespaces: what is made in a new one, and how one that is deleted is emptied before it goes."""

from __future__ import annotations

from functools import partial

from hodei_k8s_core.http import Response
from hodei_k8s_core.simulation.agenda import Agenda
from hodei_k8s_core.simulation.objects import Objects
from hodei_k8s_core.simulation.preconditions import DeleteOptions
from hodei_k8s_core.simulation.resources import PLAIN, RESOURCES
from hodei_k8s_core.simulation.route import Route
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.wire import Json, ServerClock, json_response, uid_of

_FIRST_ACCOUNT_UID = 0x7800_0000
_LOOK_AGAIN = 5.0
"""Seconds from the DELETE to the first look at what is in it, and between two looks at what is left."""


class Namespaces(Objects):
    """Creation and end of namespaces."""

    first_uid = 0x7000_0000

    def __init__(self, store: Store, clock: ServerClock, agenda: Agenda, pods: Objects, plain: Objects) -> None:
        super().__init__(store, clock)
        self._agenda = agenda
        self._pods = pods
        self._plain = plain

    def prepare(self, resource: str, item: Json) -> Json:  # noqa: ARG002 - they are all namespaces
        meta = item["metadata"]
        labels = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": meta.get("name", "")}
        content = {"spec": {"finalizers": ["kubernetes"]}, "status": item.get("status", {"phase": "Active"})}
        return {"metadata": {**meta, "labels": labels}, **content}

    def stored(self, resource: str, item: Json, now: float) -> None:  # noqa: ARG002 - they are all namespaces
        """Every namespace has an account for its Pods."""
        meta = item["metadata"]
        number = int(meta["uid"].split("-")[0], 16) - self.first_uid
        account = {"name": "default", "namespace": meta["name"], "uid": uid_of(_FIRST_ACCOUNT_UID + number)}
        self._store.put("serviceaccounts", {"metadata": {**account, "creationTimestamp": self._clock.timestamp(now)}})

    def end(self, route: Route, item: Json, options: DeleteOptions, now: float) -> Response:  # noqa: ARG002
        """It is Terminating until it is empty."""
        meta = item["metadata"]
        if "deletionTimestamp" not in meta:
            marked = {**meta, "deletionTimestamp": self._clock.timestamp(now)}
            item = self._store.put("namespaces", {**item, "metadata": marked, "status": {"phase": "Terminating"}})
            self._agenda.at(now + _LOOK_AGAIN, partial(self._empty, meta["name"]))
        return json_response(200, RESOURCES[route.resource].typed(item))

    def _empty(self, name: str, now: float) -> None:
        """Delete what is in it; when nothing is left it goes, otherwise look again."""
        self._end_all("pods", name, self._pods, now)
        if self._left("pods", name):
            self._agenda.at(now + _LOOK_AGAIN, partial(self._empty, name))
            return
        left: list[Json] = []
        for resource in PLAIN:
            if RESOURCES[resource].namespaced:
                self._end_all(resource, name, self._plain, now)
                left += self._left(resource, name)
        if left:
            self._agenda.at(now + _LOOK_AGAIN, partial(self._empty, name))
        else:
            self._store.remove("namespaces", self._store.fetch("namespaces", "", name))

    def _end_all(self, resource: str, namespace: str, by: Objects, now: float) -> None:
        for item in self._left(resource, namespace):
            route = Route("delete", resource, "", namespace, item["metadata"]["name"])
            by.end(route, item, DeleteOptions(), now)

    def _left(self, resource: str, namespace: str) -> list[Json]:
        return self._store.list_at(self._store.version, resource, namespace)
