"""What a client reads to learn what a server has: /api, /apis and their groups, aggregated or not, and an OpenAPI
document that says no more than `kubectl` wants to know (that fields are validated here)."""

from __future__ import annotations

from collections.abc import Callable

from hodei_k8s_core.http import Request, Response, find_header
from hodei_k8s_core.simulation.resources import RESOURCES, VERSION, Resource
from hodei_k8s_core.simulation.wire import Json, encode, json_response

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
GROUPS = tuple(dict.fromkeys(one.group for one in RESOURCES.values() if one.group))


def discover(request: Request) -> Response | None:
    """The document of that path, or None for another path."""
    if request.method != "GET":
        return None
    path = "/" + request.path.strip("/")
    groups = {"/api": ("",), "/apis": GROUPS}.get(path)
    if groups is not None and "as=APIGroupDiscoveryList" in (find_header(request.headers, "accept") or ""):
        head = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}}
        body = {**head, "items": [_aggregated_group(group) for group in groups]}
        return Response(200, (("content-type", _AGGREGATED),), encode(body))
    make = _DOCUMENTS.get(path)
    return None if make is None else json_response(200, make())


def _in_group(group: str) -> list[Resource]:
    return [one for one in RESOURCES.values() if one.group == group]


def _aggregated_group(group: str) -> Json:
    name = {"name": group} if group else {}
    version = {"version": VERSION, "resources": [_aggregated(one) for one in _in_group(group)], "freshness": "Current"}
    return {"metadata": {**name, "creationTimestamp": None}, "versions": [version]}


def _aggregated(one: Resource) -> Json:
    kind = {"group": "", "version": "", "kind": one.kind}
    told: Json = {"resource": one.name, "responseKind": kind, "scope": "Namespaced" if one.namespaced else "Cluster"}
    told |= {"singularResource": one.kind.lower(), "verbs": one.verbs}
    told |= {"shortNames": one.short_names} if one.short_names else {}
    told |= {"categories": one.categories} if one.categories else {}
    if one.subresources:
        told["subresources"] = [
            {"subresource": name, "responseKind": kind, "verbs": [verb]} for name, verb in one.subresources
        ]
    return told


def _resource_list(group: str) -> Json:
    resources: list[Json] = []
    for one in _in_group(group):
        told = {"name": one.name, "singularName": one.kind.lower(), "namespaced": one.namespaced, "kind": one.kind}
        names = {"shortNames": one.short_names, "categories": one.categories}
        resources.append({**told, "verbs": one.verbs, **{key: value for key, value in names.items() if value}})
        resources += [
            {**told, "name": f"{one.name}/{name}", "singularName": "", "verbs": [verb]}
            for name, verb in one.subresources
        ]
    version = f"{group}/{VERSION}" if group else VERSION
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


def _group(group: str) -> Json:
    version = {"groupVersion": f"{group}/{VERSION}", "version": VERSION}
    return {"name": group, "versions": [version], "preferredVersion": version}


def _openapi(group: str) -> Json:
    """A PATCH for each kind, with the parameter that kubectl looks for before it leaves validation to the server."""
    field = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
    paths: Json = {}
    for one in _in_group(group):
        kind = {"group": one.group, "version": VERSION, "kind": one.kind}
        patch = {"parameters": [field], "responses": {}, "x-kubernetes-group-version-kind": kind}
        paths[f"/{one.name}/{{name}}"] = {"patch": patch}
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "simulated"}, "paths": paths}


def _place(group: str) -> str:
    return f"apis/{group}/{VERSION}" if group else f"api/{VERSION}"


_DOCUMENTS: dict[str, Callable[[], Json]] = {
    "/api": lambda: {"kind": "APIVersions", "versions": [VERSION], "serverAddressByClientCIDRs": []},
    "/apis": lambda: {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(one) for one in GROUPS]},
    "/openapi/v3": lambda: {
        "paths": {_place(one): {"serverRelativeURL": f"/openapi/v3/{_place(one)}"} for one in ("", *GROUPS)}
    },
}
for _name in ("", *GROUPS):
    _DOCUMENTS[f"/{_place(_name)}"] = lambda group=_name: _resource_list(group)  # type: ignore[misc] # its own name each
    _DOCUMENTS[f"/openapi/v3/{_place(_name)}"] = lambda group=_name: _openapi(group)  # type: ignore[misc] # the same
