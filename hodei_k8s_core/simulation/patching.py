"""The bodies of requests, and the kinds of patches: JSON merge patch (RFC 7396) and strategic merge patch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import msgspec

from hodei_k8s_core.http import Request, find_header
from hodei_k8s_core.simulation.statuses import bad_request, unsupported_media_type
from hodei_k8s_core.simulation.wire import Json

T = TypeVar("T")
_PROTOBUF = b"k8s\x00"
"""How every object in Kubernetes' own binary form begins."""
_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "schedulingGates": "name",
    "conditions": "type",
    "taints": "key",
}
"""Lists whose entries a strategic merge patch finds by a key; others are replaced."""


def decode(body: bytes, kind: type[T]) -> T:
    """A request's body. Raises: Refused (400, or 415 for a form that is not JSON)."""
    if body.startswith(_PROTOBUF):
        raise unsupported_media_type("the simulated API server reads JSON only")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error


def read_patch(request: Request) -> Callable[[Json], Json]:
    """What the request's patch makes of an object. Raises: Refused (400, 415)."""
    apply = _KINDS.get(find_header(request.headers, "content-type") or "")
    if apply is None:
        raise unsupported_media_type()
    return partial(apply, patch=decode(request.body, Json))


def merge(target: Json, patch: Json) -> Json:
    """RFC 7396."""
    return _merged(target, patch, merge, lambda _key, _old, new: new)


def strategic_merge(target: Json, patch: Json) -> Json:
    """As `kubectl` sends it: lists of things with names are merged by name, `$patch: delete` takes one away."""
    return _merged(target, patch, strategic_merge, _merged_list)


def _merged(
    target: Json, patch: Json, deeper: Callable[[Json, Json], Json], of_list: Callable[[str, Any, Any], Any]
) -> Json:
    merged: Json = dict(target)
    for key, value in patch.items():
        old: Any = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = deeper(old if isinstance(old, dict) else {}, value)
        else:
            merged[key] = of_list(key, old, value)
    return {key: value for key, value in merged.items() if not key.startswith("$")}


def _merged_list(name: str, old: Any, new: Any) -> Any:
    """`finalizers` are a set; what has no key in the table is replaced."""
    if name == "finalizers":
        return [*(old or ()), *(one for one in new if one not in (old or ()))]
    key = _MERGE_KEYS.get(name)
    if key is None or not isinstance(old, list):
        return [one for one in new if not _is_order(one)] if isinstance(new, list) else new
    there: Json = {one[key]: one for one in old}
    for one in new:
        if one.get("$patch") == "delete":
            there.pop(one[key], None)
        elif key in one:
            there[one[key]] = strategic_merge(there.get(one[key], {}), one)
    return list(there.values())


def _is_order(one: Any) -> bool:
    return isinstance(one, dict) and "$patch" in one


_KINDS: dict[str, Callable[..., Json]] = {
    "application/merge-patch+json": merge,
    "application/strategic-merge-patch+json": strategic_merge,
}
