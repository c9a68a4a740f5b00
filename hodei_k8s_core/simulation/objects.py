"""Create, update, patch and delete: what is the same for every kind of object, with the places where kinds differ."""

from __future__ import annotations

import msgspec

from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation.defaults import with_plain_defaults
from hodei_k8s_core.simulation.patching import decode, read_patch
from hodei_k8s_core.simulation.preconditions import DeleteOptions, check_preconditions
from hodei_k8s_core.simulation.resources import RESOURCES
from hodei_k8s_core.simulation.route import Route, integer
from hodei_k8s_core.simulation.selectors import selector_of
from hodei_k8s_core.simulation.statuses import (
    already_exists,
    bad_request,
    invalid,
    modified_meanwhile,
    not_admitted,
    not_found,
)
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.validation import Fault, check_head, finalizer_faults, label_faults, name_faults
from hodei_k8s_core.simulation.wire import Json, ServerClock, json_response, uid_of

_FIRST_UID = 0x6000_0000
_CHANGEABLE = frozenset({"labels", "annotations", "finalizers", "ownerReferences"})
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""k8s.io/apimachinery, util/rand: no vowels, nothing that looks like another."""


class Objects:
    """The verbs that change something."""

    first_uid = _FIRST_UID

    def __init__(self, store: Store, clock: ServerClock) -> None:
        self._store = store
        self._clock = clock
        self._created = 0

    def create(self, request: Request, route: Route, now: float) -> Response:
        """POST: 201, or 400, 403, 404 (no such namespace), 409 (the name is taken, if only by what is leaving), 422."""
        kind, namespace = RESOURCES[route.resource], route.namespace or ""
        item = decode(request.body, Json)
        check_head(kind, item, namespace)
        item = self._named({**item, "metadata": item.get("metadata") or {}})
        name = item["metadata"].get("name", "")
        self._check_namespace(route, name)
        self._created += 1
        fixed: Json = {"uid": uid_of(self.first_uid + self._created), "creationTimestamp": self._clock.timestamp(now)}
        if kind.namespaced:
            fixed["namespace"] = namespace
        item = self.prepare(route.resource, item)
        item = self.mutated({**item, "metadata": {**item["metadata"], **fixed}})
        meta = item["metadata"]
        faults = [*name_faults(name), *label_faults(meta), *finalizer_faults(meta), *self.faults(item)]
        if faults:
            raise invalid(kind.kind, name, faults, kind.group)
        self.admit(item)
        taken = self._store.find(route.resource, namespace, name)
        if taken is not None:
            leaving = "deletionTimestamp" in taken["metadata"]
            raise already_exists(route.resource, name, prefix="object is being deleted: " if leaving else "")
        if request.parameter("dryRun") == "All":
            return json_response(201, kind.typed(item))
        stored = self._store.put(route.resource, item)
        self.stored(route.resource, stored, now)
        return json_response(201, kind.typed(stored))

    def update(self, request: Request, route: Route, now: float) -> Response:
        """PUT: the object as it shall be; with a resourceVersion only if it is still that."""
        kind = RESOURCES[route.resource]
        item = decode(request.body, Json)
        check_head(kind, item, route.namespace or "")
        if kind.is_update_creating and self._store.find(route.resource, route.namespace or "", route.name) is None:
            return self.create(request, route, now)
        _check_name(route, item)
        if kind.is_update_versioned and not (item.get("metadata") or {}).get("resourceVersion"):
            told = "Invalid value: 0: must be specified for an update"
            fault = ("metadata.resourceVersion", "FieldValueInvalid", told)
            raise invalid(kind.name, route.name, [fault], kind.group)
        return self._change(request, route, self._existing(route), item, now)

    def patch(self, request: Request, route: Route, now: float) -> Response:
        """PATCH; a uid or version in it must be the object's own."""
        patch = read_patch(request)
        item = self._existing(route)
        return self._change(request, route, item, patch(item), now)

    def delete(self, request: Request, route: Route, now: float) -> Response:
        """DELETE: a Status when it is gone, the object while something holds it."""
        options = self._options(request)
        item = self._existing(route)
        check_preconditions(route.resource, item, options.preconditions)
        if "All" in options.dryRun:
            return self.would_end(route, item)
        return self.end(route, item, options, now)

    def delete_collection(self, request: Request, route: Route, now: float) -> Response:
        """DELETE of all that a selector finds: the reply lists them."""
        kind, options, selector = RESOURCES[route.resource], self._options(request), selector_of(request, route)
        found = self._store.list_at(self._store.version, route.resource, route.namespace)
        chosen = [item for item in found if selector.matches(item)]
        for item in chosen:
            meta = item["metadata"]
            one = msgspec.structs.replace(route, namespace=meta.get("namespace"), name=meta["name"], verb="delete")
            self.end(one, item, options, now)
        head = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version}
        return json_response(200, {**head, "metadata": {"resourceVersion": str(self._store.version)}, "items": chosen})

    def end(self, route: Route, item: Json, options: DeleteOptions, now: float) -> Response:  # noqa: ARG002 - Pods use them
        """Take an object away, or mark it as leaving while finalizers hold it."""
        meta = item["metadata"]
        if not meta.get("finalizers"):
            self._store.remove(route.resource, item)
            return self.would_end(route, item)
        if "deletionTimestamp" not in meta:
            leaving = {"deletionTimestamp": self._clock.timestamp(now), "deletionGracePeriodSeconds": 0}
            item = self._store.put(route.resource, {**item, "metadata": {**meta, **leaving}})
        return self.would_end(route, item)

    def would_end(self, route: Route, item: Json) -> Response:
        """The reply to a DELETE."""
        kind, meta = RESOURCES[route.resource], item["metadata"]
        if kind.is_returned or meta.get("finalizers"):
            return json_response(200, kind.typed(item))
        details = {"name": meta["name"], **kind.details, "kind": kind.name, "uid": meta["uid"]}
        head = {"kind": "Status", "apiVersion": "v1", "metadata": {}}
        return json_response(200, {**head, "status": "Success", "details": details})

    # --- where kinds differ

    def faults(self, item: Json) -> list[Fault]:  # noqa: ARG002
        """What is wrong with it, beside its metadata."""
        return []

    def prepare(self, resource: str, item: Json) -> Json:
        """The object with the server's defaults."""
        return with_plain_defaults(resource, item)

    def mutated(self, item: Json) -> Json:
        """The object as admission changes it, before it is validated."""
        return item

    def admit(self, item: Json) -> None:
        """Raises: Refused (403) for what is not let in."""

    def stored(self, resource: str, item: Json, now: float) -> None:
        """It was created."""

    def change_faults(self, old: Json, new: Json) -> list[Fault]:  # noqa: ARG002
        """What may not be changed so."""
        return []

    def changed(self, resource: str, old: Json, new: Json, now: float) -> None:
        """It was changed."""

    def settled(self, resource: str, old: Json, new: Json) -> Json:  # noqa: ARG002
        """The change as it is stored."""
        return self.prepare(resource, new)

    # --- shared

    def _change(self, request: Request, route: Route, old: Json, new: Json, now: float) -> Response:
        kind, meta, wanted = RESOURCES[route.resource], old["metadata"], new.get("metadata") or {}
        _check_name(route, new)
        if wanted.get("resourceVersion", meta["resourceVersion"]) != meta["resourceVersion"]:
            raise modified_meanwhile(route.resource, route.name)
        kept = {key: value for key, value in meta.items() if key not in _CHANGEABLE}
        given = {key: value for key, value in wanted.items() if key in _CHANGEABLE and value}
        content = {key: value for key, value in new.items() if key not in ("kind", "apiVersion", "metadata")}
        merged = self.settled(route.resource, old, {"metadata": {**kept, **given}, **content})
        told = merged["metadata"]
        faults = [*_uid_faults(wanted, meta), *finalizer_faults(told), *_new_finalizers(meta, merged)] * 2
        faults += [*label_faults(told) * 4, *self.change_faults(old, merged)]  # as often as the real one tells them
        if faults:
            raise invalid(kind.kind, route.name, faults, kind.group)
        if meta.get("deletionGracePeriodSeconds") == 0 and not merged["metadata"].get("finalizers"):
            self.remove(route.resource, old, now)  # the last finalizer went: the reply is what would have been
            return json_response(200, kind.typed(merged))
        if merged == old or request.parameter("dryRun") == "All":
            return json_response(200, kind.typed(merged))
        stored = self._store.put(route.resource, merged)
        self.changed(route.resource, old, stored, now)
        return json_response(200, kind.typed(stored))

    def remove(self, resource: str, item: Json, now: float) -> Json:  # noqa: ARG002 - Pods use it
        """Take the record away; the reply carries the removal's own version."""
        return self._store.remove(resource, item)

    def _named(self, item: Json) -> Json:
        """With a name made of `generateName`, where there is no other."""
        meta = item["metadata"]
        if meta.get("name") or not meta.get("generateName"):
            return item
        number, suffix = (self._created + 1) * 0x9E37_79B1, ""
        for _ in range(5):
            number, place = divmod(number, len(_SUFFIX_LETTERS))
            suffix += _SUFFIX_LETTERS[place]
        return {**item, "metadata": {**meta, "name": f"{meta['generateName']}{suffix}"}}

    def _check_namespace(self, route: Route, name: str) -> None:
        if not RESOURCES[route.resource].namespaced:
            return
        namespace = self._store.find("namespaces", "", route.namespace or "")
        if namespace is None:
            raise not_found("namespaces", route.namespace or "")
        if "deletionTimestamp" in namespace["metadata"]:
            where = f"namespace {route.namespace}"
            told = f"{where} is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": told, "field": "metadata.namespace"}
            why = f"unable to create new content in {where} because it is being terminated"
            raise not_admitted(route.resource, name, why, [cause])

    def _existing(self, route: Route) -> Json:
        item = self._store.find(route.resource, route.namespace or "", route.name)
        if item is None:
            raise not_found(route.resource, route.name)
        return item

    def _options(self, request: Request) -> DeleteOptions:
        """Those of the body; of the query only where there is no body."""
        if request.body:
            return decode(request.body, DeleteOptions)
        dry = request.parameter("dryRun")
        return DeleteOptions(integer(request, "gracePeriodSeconds"), dryRun=() if dry is None else (dry,))


def _check_name(route: Route, item: Json) -> None:
    """Raises: Refused (400)."""
    named = (item.get("metadata") or {}).get("name", route.name)
    if named != route.name:
        raise bad_request(f"the name of the object ({named}) does not match the name on the URL ({route.name})")


def _uid_faults(wanted: Json, meta: Json) -> list[Fault]:
    """1.36 refuses a foreign uid as a change of it: 422, and not 409."""
    uid = wanted.get("uid", meta["uid"])
    return (
        []
        if uid == meta["uid"]
        else [("metadata.uid", "FieldValueInvalid", f'Invalid value: "{uid}": field is immutable')]
    )


def _new_finalizers(meta: Json, merged: Json) -> list[Fault]:
    new = sorted(set(merged["metadata"].get("finalizers", ())) - set(meta.get("finalizers", ())))
    if "deletionTimestamp" not in meta or not new:
        return []
    named = ", ".join(f'"{one}"' for one in new)
    told = "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string"
    return [("metadata.finalizers", "FieldValueForbidden", f"{told}{{{named}}}")]
