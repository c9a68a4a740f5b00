"""Request -> (verb, resource) for metrics: two bounded sets, in the words that Kubernetes uses in its audit log."""

from __future__ import annotations

from typing import Final

from hodei_k8s_core.http import Request

OTHER: Final = "other"

RESOURCES: Final = frozenset(
    {
        "configmaps",
        "events",
        "leases",
        "limitranges",
        "namespaces",
        "nodes",
        "persistentvolumeclaims",
        "pods",
        "priorityclasses",
        "resourcequotas",
        "runtimeclasses",
        "secrets",
        "selfsubjectaccessreviews",
        "selfsubjectreviews",
        "selfsubjectrulesreviews",
        "serviceaccounts",
        "storageclasses",
        "readyz",
        "version",
    }
)
"""Every resource that a label can name beside `OTHER`."""

_VERB_ON_NAMED: Final = {"GET": "get", "DELETE": "delete", "PATCH": "patch", "PUT": "update", "POST": "create"}
_VERB_ON_MANY: Final = {"GET": "list", "DELETE": "deletecollection", "POST": "create"}

VERBS: Final = frozenset({*_VERB_ON_NAMED.values(), *_VERB_ON_MANY.values(), "watch", "log", "follow", OTHER})
"""Every verb that a label can name."""


def request_label(request: Request) -> tuple[str, str]:
    """The verb and the resource of a request, each from a bounded set (`VERBS`, `RESOURCES` and `OTHER`)."""
    resource, is_named, subresource = _target(request.path)
    return _verb(request, is_named, subresource), resource if resource in RESOURCES else OTHER


def _verb(request: Request, is_named: bool, subresource: str) -> str:  # noqa: FBT001 - read off the path just above
    if request.method == "GET":
        if request.parameter("watch") in ("true", "1"):
            return "watch"
        if subresource == "log":
            return "follow" if request.parameter("follow") == "true" else "log"
    return (_VERB_ON_NAMED if is_named else _VERB_ON_MANY).get(request.method, OTHER)


def _target(path: str) -> tuple[str, bool, str]:
    """Resource, whether one object is named, and subresource. A path outside of the groups names one thing."""
    segments = path.strip("/").split("/")
    depth = {"api": 2, "apis": 3}.get(segments[0])
    if depth is None:
        return segments[0], True, ""
    rest = segments[depth:]
    if len(rest) > 2 and rest[0] == "namespaces":
        rest = rest[2:]
    resource, name, subresource, *_ = (*rest, "", "", "")
    return resource, bool(name), subresource
