"""The bodies of requests, and the kinds of patches: JSON merge patch (RFC 7396) and strategic merge patch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec

from hodei_k8s_core.http import Request, find_header
from hodei_k8s_core.simulation.statuses import bad_request, unsupported_media_type
from hodei_k8s_core.simulation.wire import Json
from hodei_k8s_core.strategic_merge import InvalidPatch, strategic_merge

T = TypeVar("T")
_PROTOBUF = b"k8s\x00"
"""How every object in Kubernetes' own binary form begins."""


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


def merge(item: Json, patch: Json) -> Json:
    """RFC 7396."""
    merged = dict(item)
    for key, value in patch.items():
        old = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = merge(old if isinstance(old, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def _strategic(item: Json, patch: Json) -> Json:
    """Every kind is merged by the keys of a Pod: those of others are no lists that anybody patches here."""
    try:
        return strategic_merge(item, patch)
    except InvalidPatch as error:
        raise bad_request(str(error)) from error


_KINDS: dict[str, Callable[..., Json]] = {
    "application/merge-patch+json": merge,
    "application/strategic-merge-patch+json": _strategic,
}
