"""What a request asks for, in Kubernetes' own words: verb, resource, subresource, namespace, name."""

from __future__ import annotations

import re
from urllib.parse import unquote

import msgspec

from hodei_k8s_core.http import Request
from hodei_k8s_core.simulation.resources import RESOURCES, VERSION
from hodei_k8s_core.simulation.statuses import bad_request

_HEALTH = frozenset({"version", "readyz", "livez", "healthz"})
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_INTEGER = re.compile(r"[+-]?[0-9]+")
_TRUE = frozenset({"1", "true", "True", "TRUE", "t", "T"})


class Route(msgspec.Struct, frozen=True):
    """`resource` with its subresource is `pods/log`; `namespace` is None where the path names none."""

    verb: str
    resource: str
    subresource: str = ""
    namespace: str | None = None
    name: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def integer(request: Request, parameter: str) -> int | None:
    """A number in the query, or None. Raises: Refused (400)."""
    text = request.parameter(parameter)
    if not text:
        return None
    if _INTEGER.fullmatch(text) is None:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def is_true(text: str | None) -> bool:
    """A boolean parameter as the API server reads it."""
    return text in _TRUE


def route_of(request: Request) -> Route | None:
    """The meaning of a request, or None for a path that means nothing here."""
    steps = [unquote(step) for step in request.path.strip("/").split("/")]
    if len(steps) == 1 and steps[0] in _HEALTH:
        return Route("get", steps[0])
    group, rest = _group(steps)
    namespace = None
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    if not 1 <= len(rest) <= 3:
        return None
    resource, name, subresource = (*rest, "", "")[:3]
    if resource not in RESOURCES or RESOURCES[resource].group != group:
        return None
    return Route(_verb(request, name), resource, subresource, namespace, name)


def _group(steps: list[str]) -> tuple[str, list[str]]:
    """The group of a path and what follows its version; nothing for what is no path of resources."""
    if steps[:2] == ["api", VERSION]:
        return "", steps[2:]
    if steps[0] == "apis" and steps[2:3] == [VERSION]:
        return steps[1], steps[3:]
    return "", []


def _verb(request: Request, name: str) -> str:
    if request.method == "DELETE":
        return "delete" if name else "deletecollection"
    if request.method != "GET":
        return _VERBS.get(request.method, request.method.lower())
    if is_true(request.parameter("watch")):
        return "watch"
    return "get" if name else "list"
