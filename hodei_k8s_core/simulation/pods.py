"""The verbs of Pods that change something, and the log."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from hodei_k8s_core.http import Request, Response, find_header
from hodei_k8s_core.simulation.kubelet import Kubelet
from hodei_k8s_core.simulation.logs import LogStream, choose_container, open_log, parse_log_query
from hodei_k8s_core.simulation.owned_objects import without_gates
from hodei_k8s_core.simulation.route import Route, integer
from hodei_k8s_core.simulation.statuses import (
    already_exists,
    bad_request,
    invalid,
    modified_meanwhile,
    not_found,
    precondition_failed,
    unsupported_media_type,
)
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.validation import check_pod, metadata_faults, with_defaults
from hodei_k8s_core.simulation.wire import Json, ServerClock, json_response, uid_of

T = TypeVar("T")
_PATCHABLE = frozenset({"labels", "annotations", "finalizers"})
_MERGE = "application/merge-patch+json"
_STRATEGIC_MERGE = "application/strategic-merge-patch+json"


class DeletePreconditions(msgspec.Struct):
    uid: str | None = None
    resourceVersion: str | None = None  # noqa: N815 - the wire's name


class DeleteOptions(msgspec.Struct):
    gracePeriodSeconds: int | None = None  # noqa: N815 - the wire's name
    preconditions: DeletePreconditions | None = None


class PodPatch(msgspec.Struct):
    metadata: Json = {}
    spec: Json = {}


class Pods:
    """Create, patch, delete and log; get, list and watch are the same for every resource."""

    def __init__(self, store: Store, kubelet: Kubelet, clock: ServerClock) -> None:
        self._store = store
        self._kubelet = kubelet
        self._clock = clock
        self._created = 0

    def create(self, request: Request, route: Route, now: float) -> Response:
        """POST: 201, or 400, 404 (no such namespace), 409 (the name is taken, if only by a terminating Pod), 422."""
        namespace = route.namespace or ""
        pod = decode(request.body, Json)
        if self._store.find("namespaces", "", namespace) is None:
            raise not_found("namespaces", namespace)
        check_pod(pod, namespace)
        name = pod["metadata"]["name"]
        taken = self._store.find("pods", namespace, name)
        if taken is not None:
            leaving = "deletionTimestamp" in taken["metadata"]
            raise already_exists("pods", name, prefix="object is being deleted: " if leaving else "")
        self._created += 1
        fixed = {"namespace": namespace, "uid": uid_of(self._created), "generation": 1}
        meta = {**pod["metadata"], **fixed, "creationTimestamp": self._clock.timestamp(now)}
        if request.parameter("dryRun") == "All":
            return _pod_reply(201, {**with_defaults(pod), "metadata": meta})
        stored = self._store.put("pods", {**with_defaults(pod), "metadata": meta})
        self._kubelet.admit(stored, now)
        return _pod_reply(201, stored)

    def patch(self, request: Request, route: Route, now: float) -> Response:
        """A merge patch of metadata; a uid or version in it must be the Pod's own. A strategic one also lifts gates."""
        content = find_header(request.headers, "content-type")
        if content not in (_MERGE, _STRATEGIC_MERGE):
            raise unsupported_media_type()
        pod = self._existing(route)
        patch = decode(request.body, PodPatch)
        meta = pod["metadata"]
        named = patch.metadata.get("name", route.name)
        if named != route.name:
            told = f"the name of the object ({named}) does not match the name on the URL ({route.name})"
            raise bad_request(told)
        if patch.metadata.get("resourceVersion", meta["resourceVersion"]) != meta["resourceVersion"]:
            raise modified_meanwhile("pods", route.name)
        changes = {key: value for key, value in patch.metadata.items() if key in _PATCHABLE}
        spec = without_gates(pod["spec"], patch.spec) if content == _STRATEGIC_MERGE else pod["spec"]
        merged = {**pod, "metadata": _without_empty(merge(meta, changes)), "spec": spec}
        other = patch.spec if content == _MERGE else patch.spec.keys() - {"schedulingGates"}
        faults = [
            *_immutable_faults(patch, meta, is_spec_changed=bool(other)),
            *metadata_faults(merged["metadata"]),
            *_new_finalizers(meta, merged),
        ]
        if faults:
            raise invalid("Pod", route.name, faults * 2)  # an update's faults are found, and listed, twice
        if meta.get("deletionGracePeriodSeconds") == 0 and not merged["metadata"].get("finalizers"):
            self._remove(pod, now)  # the last finalizer went: the reply is the Pod as it would have been
            return _pod_reply(200, merged)
        if merged == pod:
            return _pod_reply(200, pod)
        stored = self._store.put("pods", merged)
        if spec != pod["spec"]:
            self._kubelet.reconsider(stored, now)
        return _pod_reply(200, stored)

    def delete(self, request: Request, route: Route, now: float) -> Response:
        """DELETE: the reply is the Pod, whether it is gone or terminating now."""
        options = decode(request.body, DeleteOptions) if request.body else DeleteOptions()
        pod = self._existing(route)
        _check_preconditions(pod, options.preconditions or DeletePreconditions())
        grace = self._grace(request, options, pod)
        meta = pod["metadata"]
        if "deletionTimestamp" in meta and grace >= meta["deletionGracePeriodSeconds"]:
            return _pod_reply(200, pod)  # a grace period can only get shorter
        moment = self._clock.timestamp(now + grace)
        deletion = {"deletionTimestamp": moment, "deletionGracePeriodSeconds": grace}
        generation = meta["generation"] + ("deletionTimestamp" not in meta)
        marked = self._store.put("pods", {**pod, "metadata": {**meta, **deletion, "generation": generation}})
        if grace > 0:
            self._kubelet.stop(marked, grace, now)
            return _pod_reply(200, marked)
        return _pod_reply(200, marked if meta.get("finalizers") else self._remove(marked, now))

    def log(self, request: Request, route: Route, now: float) -> Response | LogStream:
        """GET …/log: text, a stream when followed, or 204 while the Pod has no node."""
        query = parse_log_query(request, route.name, now, self._clock)
        pod = self._existing(route)
        view = self._kubelet.view(pod)
        one = choose_container(pod, view, request.parameter("container"))
        if not view.node:
            return Response(204)
        return open_log(pod, one, query, now, self._clock)

    def _existing(self, route: Route) -> Json:
        pod = self._store.find("pods", route.namespace or "", route.name)
        if pod is None:
            raise not_found("pods", route.name)
        return pod

    def _grace(self, request: Request, options: DeleteOptions, pod: Json) -> int:
        """Seconds: as asked, else the Pod's own; none for a Pod that is not scheduled or has ended."""
        asked = (integer(request, "gracePeriodSeconds"), options.gracePeriodSeconds)
        grace: int = next((one for one in asked if one is not None), pod["spec"]["terminationGracePeriodSeconds"])
        view = self._kubelet.view(pod)
        if not view.node or view.has_ended:
            return 0
        return 1 if grace < 0 else grace

    def _remove(self, pod: Json, now: float) -> Json:
        self._kubelet.forget(pod, now)
        return self._store.remove("pods", pod)


def decode(body: bytes, kind: type[T]) -> T:
    """A request's body. Raises: Refused (400)."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error


def merge(target: Json, patch: Json) -> Json:
    """RFC 7396."""
    merged: Json = dict(target)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            old: Any = merged.get(key)
            merged[key] = merge(old if isinstance(old, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def _without_empty(meta: Json) -> Json:
    return {key: value for key, value in meta.items() if key not in _PATCHABLE or value}


def _immutable_faults(patch: PodPatch, meta: Json, *, is_spec_changed: bool) -> list[tuple[str, str, str]]:
    """1.36 refuses a foreign uid as a change of it: 422, and not 409."""
    faults = []
    uid = patch.metadata.get("uid", meta["uid"])
    if uid != meta["uid"]:
        faults += [("metadata.uid", "FieldValueInvalid", f'Invalid value: "{uid}": field is immutable')]
    if is_spec_changed:
        told = "Forbidden: pod updates may not change fields other than `spec.containers[*].image` (not simulated)"
        faults.append(("spec", "FieldValueForbidden", told))
    return faults


def _new_finalizers(meta: Json, merged: Json) -> list[tuple[str, str, str]]:
    new = sorted(set(merged["metadata"].get("finalizers", ())) - set(meta.get("finalizers", ())))
    if "deletionTimestamp" not in meta or not new:
        return []
    named = ", ".join(f'"{one}"' for one in new)
    told = "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string"
    return [("metadata.finalizers", "FieldValueForbidden", f"{told}{{{named}}}")]


def _check_preconditions(pod: Json, wanted: DeletePreconditions) -> None:
    meta = pod["metadata"]
    if wanted.uid is not None and wanted.uid != meta["uid"]:
        fact = (
            f"the UID in the precondition ({wanted.uid}) does not match the UID in record ({meta['uid']}). "
            "The object might have been deleted and then recreated"
        )
        raise precondition_failed(meta["name"], fact)
    if wanted.resourceVersion is not None and wanted.resourceVersion != meta["resourceVersion"]:
        fact = (
            f"the ResourceVersion in the precondition ({wanted.resourceVersion}) does not match the "
            f"ResourceVersion in record ({meta['resourceVersion']}). The object might have been modified"
        )
        raise precondition_failed(meta["name"], fact)


def _pod_reply(status: int, pod: Json) -> Response:
    return json_response(status, {"kind": "Pod", "apiVersion": "v1", **pod})
