"""What a server says about itself and about its caller: version, health, SelfSubject reviews."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation.patching import decode
from hodei_k8s_core.simulation.route import Route
from hodei_k8s_core.simulation.wire import Json, ServerClock, json_response, text_response

Denials: TypeAlias = frozenset[tuple[str, str]]
"""What the caller may not do: (verb, resource), such as ("patch", "pods") or ("get", "pods/log")."""

VERSION: Json = {"major": "1", "minor": "36", "gitVersion": "v1.36.3", "platform": "linux/amd64"}
_ACCESS = "authorization.k8s.io/v1"
_WHO = "authentication.k8s.io/v1"


class ResourceAttributes(msgspec.Struct):
    verb: str = ""
    resource: str = ""
    subresource: str = ""


class AccessSpec(msgspec.Struct):
    resourceAttributes: ResourceAttributes  # noqa: N815 - the wire's name


class AccessReview(msgspec.Struct):
    spec: AccessSpec


class Reviews:
    """Answers that need no stored object."""

    def __init__(self, user: str, denied: Callable[[], Denials], clock: ServerClock) -> None:
        self._user = user
        self._denied = denied
        self._clock = clock

    def version(self, request: Request, route: Route, now: float) -> Response:  # noqa: ARG002 - as every handler
        return json_response(200, VERSION)

    def health(self, request: Request, route: Route, now: float) -> Response:  # noqa: ARG002 - as every handler
        return text_response(200, "ok")

    def access(self, request: Request, route: Route, now: float) -> Response:  # noqa: ARG002 - as every handler
        """SelfSubjectAccessReview: allowed unless the table of denials says no."""
        asked = decode(request.body, AccessReview).spec.resourceAttributes
        resource = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        allowed = (asked.verb, resource) not in self._denied()
        spec = decode(request.body, Json)["spec"]
        head = {"kind": "SelfSubjectAccessReview", "apiVersion": _ACCESS, "metadata": {}}
        return json_response(201, {**head, "spec": spec, "status": {"allowed": allowed}})

    def who(self, request: Request, route: Route, now: float) -> Response:  # noqa: ARG002 - as every handler
        """SelfSubjectReview."""
        meta = {"creationTimestamp": self._clock.timestamp(now)}
        status = {"userInfo": {"username": self._user, "groups": ["system:authenticated"]}}
        head = {"kind": "SelfSubjectReview", "apiVersion": _WHO, "metadata": meta}
        return json_response(201, {**head, "status": status})
