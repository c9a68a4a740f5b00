"""LimitRange of a namespace: what its admission adds to a Pod, and what it refuses.

Source: kubernetes, plugin/pkg/admission/limitranger/admission.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from hodei_k8s_core.capacity.amounts import Nanos, exact, nanos_of, smaller
from hodei_k8s_core.capacity.pod_demand import DemandContainer, PodDemand, Resources, limits_of, requests_of
from hodei_k8s_core.kubernetes_json import decode_object, refuse_kind

CONTAINER: Final = "Container"
POD: Final = "Pod"
_NANO: Final = 10**9


class Limit(msgspec.Struct, frozen=True, rename="camel"):
    """The rules for one type of thing: a Container, a Pod, a PersistentVolumeClaim."""

    type: str = ""
    max: dict[str, str] = {}
    min: dict[str, str] = {}
    default: dict[str, str] = {}
    default_request: dict[str, str] = {}
    max_limit_request_ratio: dict[str, str] = {}


class LimitRange(msgspec.Struct, frozen=True):
    """One LimitRange."""

    name: str
    limits: tuple[Limit, ...] = ()


class Violation(msgspec.Struct, frozen=True):
    """A rule that a Pod breaks: in `resource`, `wanted` where `bound` is allowed (nanos); both None for what is
    missing or is a ratio. `message` says it in words."""

    resource: str
    message: str
    wanted: int | None = None
    bound: int | None = None


class _Meta(msgspec.Struct, frozen=True):
    name: str = ""


class _Spec(msgspec.Struct, frozen=True):
    limits: tuple[Limit, ...] = ()


class _Item(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()
    spec: _Spec = _Spec()


class _Body(msgspec.Struct, frozen=True):
    kind: str = ""
    items: tuple[_Item, ...] | None = None


_KINDS: Final = ("LimitRangeList", "List")
_DECODER: Final = msgspec.json.Decoder(_Body)


def parse_limit_ranges(data: bytes | msgspec.Raw) -> tuple[LimitRange, ...]:
    """The LimitRanges that a reply holds. Raises: Internal."""
    body = decode_object(_DECODER, data, _KINDS)
    if body.kind not in _KINDS:
        raise refuse_kind(body.kind, _KINDS)
    return tuple(LimitRange(item.metadata.name, item.spec.limits) for item in body.items or ())


def with_limit_defaults(demand: PodDemand, ranges: tuple[LimitRange, ...]) -> PodDemand:
    """The Pod as admission makes it: what a container does not say, a default says. The first LimitRange that does
    counts, in the order of the reply (of the server's own cache the order is not told)."""
    for limit_range in ranges:
        requests: dict[str, str | float] = {}
        limits: dict[str, str | float] = {}
        for limit in limit_range.limits:
            if limit.type == CONTAINER:
                requests |= limit.default_request
                limits |= limit.default
        if requests or limits:
            demand = _with_defaults(demand, Resources(requests, limits))
    return demand


def _with_defaults(demand: PodDemand, defaults: Resources) -> PodDemand:
    def filled(container: DemandContainer) -> DemandContainer:
        own = container.resources
        both = Resources({**defaults.requests, **own.requests}, {**defaults.limits, **own.limits})
        return msgspec.structs.replace(container, resources=both)

    changed: dict[str, Any] = {
        "containers": tuple(map(filled, demand.containers)),
        "init_containers": tuple(map(filled, demand.init_containers)),
    }
    return msgspec.structs.replace(demand, **changed)


def violations(demand: PodDemand, limit_range: LimitRange) -> list[Violation]:
    """What admission refuses of a Pod that has its defaults already."""
    return [found for limit in limit_range.limits for found in _of_limit(demand, limit)]


def _of_limit(demand: PodDemand, limit: Limit) -> Iterator[Violation]:
    if limit.type == CONTAINER:
        for container in (*demand.containers, *demand.init_containers):
            own = container.resources
            yield from _checked(f"container {container.name}", exact(own.requests), exact(own.limits), limit)
    elif limit.type == POD:
        yield from _checked("the Pod", requests_of(demand), limits_of(demand), limit)


def _checked(what: str, requests: Nanos, limits: Nanos, limit: Limit) -> Iterator[Violation]:
    for name, text in limit.min.items():
        yield from _below(what, name, text, requests, limits)
    for name, text in limit.max.items():
        yield from _above(what, name, text, requests, limits)
    for name, text in limit.max_limit_request_ratio.items():
        yield from _out_of_ratio(what, name, text, requests, limits)


def _below(what: str, name: str, text: str, requests: Nanos, limits: Nanos) -> Iterator[Violation]:
    if name not in requests:
        yield Violation(name, f"{what} must request at least {text} of {name}, and requests none")
        return
    bound, asked = nanos_of(text), requests[name]
    lowest = min(asked, limits.get(name, asked))
    if lowest < bound:
        yield Violation(name, f"{what} must have at least {text} of {name}", lowest, bound)


def _above(what: str, name: str, text: str, requests: Nanos, limits: Nanos) -> Iterator[Violation]:
    if name not in limits:
        yield Violation(name, f"{what} must have a limit of {name}, at most {text}, and has none")
        return
    bound, most = nanos_of(text), max(limits[name], requests.get(name, 0))
    if most > bound:
        yield Violation(name, f"{what} may have at most {text} of {name}", most, bound)


def _out_of_ratio(what: str, name: str, text: str, requests: Nanos, limits: Nanos) -> Iterator[Violation]:
    asked, limited = requests.get(name, 0), limits.get(name, 0)
    if not asked or not limited or limited * _NANO > nanos_of(text) * asked:
        yield Violation(name, f"{what} may have a limit of {name} of at most {text} times its request")


def most_allowed(ranges: tuple[LimitRange, ...]) -> dict[str, int]:
    """The most that a Pod of one container may have of each resource that is bounded, as nanos."""
    found: dict[str, int] = {}
    for limit in (limit for limit_range in ranges for limit in limit_range.limits):
        if limit.type in (CONTAINER, POD):
            found = smaller(found, exact(limit.max))
    return found
