"""Secrets: what is stored as it is given, and collected when the Pod that owns it is gone; and gates.

Only what a worker's creator and destroyer ask for: create, delete, and the reads that every resource has.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation.agenda import Agenda
from hodei_k8s_core.simulation.route import Route
from hodei_k8s_core.simulation.statuses import already_exists, not_found
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.wire import Json, ServerClock, json_response, uid_of

OWNED = {"secrets": "Secret", "persistentvolumeclaims": "PersistentVolumeClaim"}
OnGone = Callable[[str, float], None]
"""Told the uid of a Pod whose record is gone, and when."""
COLLECTION_DELAY = 1.0
"""Seconds from the end of an owner to the end of what it owned (seen: within one)."""
_FIRST_UID = 0x6000_0000


class OwnedObjects:
    """Create and delete, and the garbage collector."""

    def __init__(self, store: Store, agenda: Agenda, clock: ServerClock) -> None:
        self._store = store
        self._agenda = agenda
        self._clock = clock
        self._created = 0

    def create(self, request: Request, route: Route, now: float) -> Response:
        """POST: 201, or 404 (no such namespace), 409."""
        namespace = route.namespace or ""
        item: Json = msgspec.json.decode(request.body)
        name = item["metadata"]["name"]
        if self._store.find("namespaces", "", namespace) is None:
            raise not_found("namespaces", namespace)
        if self._store.find(route.resource, namespace, name) is not None:
            raise already_exists(route.resource, name)
        self._created += 1
        fixed = {"namespace": namespace, "uid": uid_of(_FIRST_UID + self._created)}
        meta = {**item["metadata"], **fixed, "creationTimestamp": self._clock.timestamp(now)}
        stored = self._store.put(route.resource, {**item, "metadata": meta})
        for owner in meta.get("ownerReferences", []):
            self.collect_for(owner["uid"], now)
        return json_response(201, stored)

    def delete(self, request: Request, route: Route, now: float) -> Response:  # noqa: ARG002 - as every handler
        """DELETE: a Status, or 404."""
        item = self._store.find(route.resource, route.namespace or "", route.name)
        if item is None:
            raise not_found(route.resource, route.name)
        self._store.remove(route.resource, item)
        details = {"name": route.name, "kind": route.resource, "uid": item["metadata"]["uid"]}
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return json_response(200, status)

    def collect_for(self, owner_uid: str, now: float) -> None:
        """Look in a moment whether a Pod is gone, and take what it owned."""
        self._agenda.at(now + COLLECTION_DELAY, partial(self._collect, owner_uid))

    def _collect(self, owner_uid: str, now: float) -> None:  # noqa: ARG002 - as every action
        if any(pod["metadata"]["uid"] == owner_uid for pod in self._all("pods")):
            return
        for resource in OWNED:
            for item in self._all(resource):
                if owner_uid in [owner["uid"] for owner in item["metadata"].get("ownerReferences", [])]:
                    self._store.remove(resource, item)

    def _all(self, resource: str) -> list[Json]:
        return self._store.list_at(self._store.version, resource, None)


def without_gates(spec: Json, patch: Json) -> Json:
    """A Pod's spec after a strategic merge patch of its gates: `{"$patch": "delete", "name": …}` takes one away."""
    lifted = [one["name"] for one in patch.get("schedulingGates", []) if one.get("$patch") == "delete"]
    left = [gate for gate in spec.get("schedulingGates", []) if gate["name"] not in lifted]
    rest = {key: value for key, value in spec.items() if key != "schedulingGates"}
    return {**rest, "schedulingGates": left} if left else rest
