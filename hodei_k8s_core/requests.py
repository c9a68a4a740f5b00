"""One builder per call of Kubernetes' API: what is wanted -> `Request`.

A name that cannot stand in a path and a number that the server would refuse raise `ConfigurationError`, which names the
field, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hodei_k8s_core.api_path import namespace_path, pod_path, pods_path, refuse, too_small, unusable_name
from hodei_k8s_core.errors import Fault
from hodei_k8s_core.http import Headers, Request
from hodei_k8s_core.request_label import request_label as request_label

Query = tuple[tuple[str, str], ...]

_ACCEPT_JSON: Final = ("accept", "application/json")
ACCEPTS_JSON: Final[Headers] = (_ACCEPT_JSON,)
SENDS_JSON: Final[Headers] = (_ACCEPT_JSON, ("content-type", "application/json"))
_SENDS_MERGE_PATCH: Final[Headers] = (_ACCEPT_JSON, ("content-type", "application/merge-patch+json"))
_STRICT: Final = ("fieldValidation", "Strict")
"""A field that the server does not know is refused; by default it would be dropped, and a worker run without it."""
# As kubectl asks for logs: the lines are plain text, a refusal is a Status in JSON.
_ACCEPTS_ANYTHING: Final[Headers] = (("accept", "application/json, */*"),)


def create_pod(namespace: str, body: bytes) -> Request:
    """Create the Pod that `body` (JSON) describes."""
    return Request("POST", pods_path(namespace), (_STRICT,), SENDS_JSON, body)


def dry_run_pod(namespace: str, body: bytes) -> Request:
    """Ask whether the server would accept the Pod (admission, quota and policies included); nothing is stored."""
    return Request("POST", pods_path(namespace), (("dryRun", "All"), _STRICT), SENDS_JSON, body)


def get_pod(namespace: str, name: str) -> Request:
    """Read one Pod, as it is now (a quorum read: after a lost reply a cached answer could be too old)."""
    return Request("GET", pod_path(namespace, name), (), ACCEPTS_JSON)


def list_pods(
    namespace: str,
    *,
    label_selector: str = "",
    field_selector: str = "",
    limit: int = 0,
    continue_token: str = "",
    resource_version: str = "",
) -> Request:
    """The first page of a list, or with `continue_token` a later one; `limit` 0 means all in one."""
    refuse(too_small(limit=(limit, 0)))
    query = _given(
        ("labelSelector", label_selector),
        ("fieldSelector", field_selector),
        ("limit", str(limit or "")),
        # The server refuses a version together with a token: the token has its own.
        ("resourceVersion", "" if continue_token else resource_version),
        ("continue", continue_token),
    )
    return Request("GET", pods_path(namespace), query, ACCEPTS_JSON)


def next_page(request: Request, continue_token: str) -> Request:
    """The page of a list that follows: the same question with `continue_token`."""
    dropped = ("continue", "resourceVersion", "resourceVersionMatch")
    query = tuple(pair for pair in request.query if pair[0] not in dropped)
    return msgspec.structs.replace(request, query=(*query, ("continue", continue_token)))


def watch_pods(
    namespace: str,
    *,
    resource_version: str,
    timeout_seconds: int,
    label_selector: str = "",
    field_selector: str = "",
) -> Request:
    """Changes after `resource_version`, for at most `timeout_seconds`, with bookmarks."""
    refuse(too_small(timeout_seconds=(timeout_seconds, 1)))
    query = _given(
        ("watch", "true"),
        ("allowWatchBookmarks", "true"),
        ("timeoutSeconds", str(timeout_seconds)),
        ("resourceVersion", resource_version),
        ("labelSelector", label_selector),
        ("fieldSelector", field_selector),
    )
    return Request("GET", pods_path(namespace), query, ACCEPTS_JSON)


def delete_pod(
    namespace: str, name: str, *, uid: str = "", resource_version: str = "", grace_period: int | None = None
) -> Request:
    """Delete the Pod, if it still has that `uid` and `resource_version` (where given; otherwise 409 Conflict).

    `grace_period`: whole seconds, None for the Pod's own; 0 removes the record while the container may still run.
    """
    refuse(too_small(grace_period=(grace_period, 0)))
    options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if grace_period is not None:
        options["gracePeriodSeconds"] = grace_period
    if preconditions := dict(_given(("uid", uid), ("resourceVersion", resource_version))):
        options["preconditions"] = preconditions
    return Request("DELETE", pod_path(namespace, name), (), SENDS_JSON, msgspec.json.encode(options))


def patch_pod_annotations(
    namespace: str, name: str, annotations: Mapping[str, str | None], *, uid: str = "", resource_version: str = ""
) -> Request:
    """Set annotations, and remove those whose value is None (RFC 7386).

    The server refuses if the name now belongs to another Pod than `uid`, or if the Pod has changed since
    `resource_version` (where given). The first is a 422, as an attempt to change the uid; `Status.is_conflict` is both.
    """
    metadata: dict[str, Any] = {"annotations": dict(annotations)}
    metadata.update(_given(("uid", uid), ("resourceVersion", resource_version)))
    body = msgspec.json.encode({"metadata": metadata})
    return Request("PATCH", pod_path(namespace, name), (), _SENDS_MERGE_PATCH, body)


def pod_log(
    namespace: str,
    name: str,
    *,
    container: str,
    since_time: str = "",
    since_seconds: int | None = None,
    tail_lines: int | None = None,
    limit_bytes: int | None = None,
) -> Request:
    """What `container` has written so far, with timestamps.

    `since_time`: RFC 3339, see `format_since_time`. `since_seconds`: at least 1, and not together with `since_time`.
    `tail_lines` counts the runtime's pieces of long lines. `limit_bytes`: at least 1.
    """
    window = _log_window(since_time, since_seconds, tail_lines, limit_bytes)
    return _log(namespace, name, container, window)


def previous_pod_log(
    namespace: str,
    name: str,
    *,
    container: str,
    since_time: str = "",
    since_seconds: int | None = None,
    tail_lines: int | None = None,
    limit_bytes: int | None = None,
) -> Request:
    """As `pod_log`, of the run before the last restart."""
    window = _log_window(since_time, since_seconds, tail_lines, limit_bytes)
    return _log(namespace, name, container, (("previous", "true"), *window))


def follow_pod_log(
    namespace: str,
    name: str,
    *,
    container: str,
    since_time: str = "",
    since_seconds: int | None = None,
    tail_lines: int | None = None,
) -> Request:
    """As `pod_log`, and then what is written from now on, for as long as the container runs."""
    window = _log_window(since_time, since_seconds, tail_lines, None)
    return _log(namespace, name, container, (("follow", "true"), *window))


def list_events(namespace: str, *, involved_uid: str) -> Request:
    """The events about the object with that uid (a Pod of the same name before it has another)."""
    query = (("fieldSelector", f"involvedObject.uid={_selector_value(involved_uid)}"),)
    return Request("GET", f"{namespace_path(namespace)}/events", query, ACCEPTS_JSON)


def list_events_of_pods(namespace: str, *, limit: int) -> Request:
    """The first page of the events about all Pods of a namespace; `next_page` gives the others. `limit`: at least 1."""
    refuse(too_small(limit=(limit, 1)))
    query = (("fieldSelector", "involvedObject.kind=Pod"), ("limit", str(limit)))
    return Request("GET", f"{namespace_path(namespace)}/events", query, ACCEPTS_JSON)


def get_namespace(name: str) -> Request:
    """Read a namespace."""
    return Request("GET", namespace_path(name), (), ACCEPTS_JSON)


def create_namespace(name: str) -> Request:
    """Create a namespace."""
    refuse(unusable_name("namespace", name))
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    return Request("POST", "/api/v1/namespaces", (), SENDS_JSON, msgspec.json.encode(body))


def access_review(verb: str, resource: str, *, namespace: str, subresource: str = "", group: str = "") -> Request:
    """Ask whether we may do `verb` on `resource` there (a SelfSubjectAccessReview; everybody may ask)."""
    attributes = _given(
        ("namespace", namespace),
        ("verb", verb),
        ("group", group),
        ("resource", resource),
        ("subresource", subresource),
    )
    spec = {"resourceAttributes": dict(attributes)}
    return _review("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews", {"spec": spec})


def identity_review() -> Request:
    """Ask who the server takes us for (a SelfSubjectReview)."""
    return _review("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews", {})


def server_version() -> Request:
    """The server's version, as JSON."""
    return Request("GET", "/version", (), ACCEPTS_JSON)


def readyz() -> Request:
    """Whether the server is ready for requests: 200, or 500 with the checks that fail, as text."""
    return Request("GET", "/readyz", (), _ACCEPTS_ANYTHING)


def _review(group: str, kind: str, plural: str, content: Mapping[str, Any]) -> Request:
    body = msgspec.json.encode({"apiVersion": f"{group}/v1", "kind": kind, **content})
    return Request("POST", f"/apis/{group}/v1/{plural}", (), SENDS_JSON, body)


def _log(namespace: str, name: str, container: str, query: Query) -> Request:
    query = (*_given(("container", container)), ("timestamps", "true"), *query)
    return Request("GET", f"{pod_path(namespace, name)}/log", query, _ACCEPTS_ANYTHING)


def _log_window(since_time: str, since_seconds: int | None, tail_lines: int | None, limit_bytes: int | None) -> Query:
    faults = too_small(since_seconds=(since_seconds, 1), tail_lines=(tail_lines, 0), limit_bytes=(limit_bytes, 1))
    if since_time and since_seconds is not None:
        faults = (*faults, Fault("since_seconds", "cannot be given together with since_time"))
    refuse(faults)
    numbers = (("sinceSeconds", since_seconds), ("tailLines", tail_lines), ("limitBytes", limit_bytes))
    return _given(("sinceTime", since_time), *((key, "" if value is None else str(value)) for key, value in numbers))


def _given(*pairs: tuple[str, str]) -> Query:
    return tuple(pair for pair in pairs if pair[1])


def _selector_value(text: str) -> str:
    """A value of a field selector; `\\`, `,` and `=` are escaped (k8s.io/apimachinery, fields.EscapeValue)."""
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
