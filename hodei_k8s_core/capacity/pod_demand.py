"""What a Pod requests of its node and of its namespace: the scheduler's own sum.

Source: k8s.io/component-helpers, resource/helpers.go (PodRequests, PodLimits), which the scheduler, the kubelet, quota
and LimitRange share. Containers add up; a native sidecar adds to them and to every init container after it; an init
container runs alone, so only the largest one counts; Pod-level resources replace the containers' sum for CPU, memory
and huge pages; the overhead of the runtime class comes on top. What a resize is still granting counts as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from hodei_k8s_core.capacity.amounts import CPU, HUGE_PAGES, MEMORY, Nanos, Written, added, exact, larger

_ALWAYS: Final = "Always"
_RESIZE: Final = ("PodResizePending", "Infeasible")


class Resources(msgspec.Struct, frozen=True, gc=False):
    """Requests and limits as they are written."""

    requests: dict[str, str | float] = {}
    limits: dict[str, str | float] = {}


class DemandContainer(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A container's resources. `restart_policy` is `Always` for a native sidecar among the init containers."""

    name: str = ""
    restart_policy: str = ""
    resources: Resources = Resources()

    @property
    def is_sidecar(self) -> bool:
        return self.restart_policy == _ALWAYS


class PodDemand(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The part of a Pod's spec that says what it requests."""

    containers: tuple[DemandContainer, ...] = ()
    init_containers: tuple[DemandContainer, ...] = ()
    overhead: dict[str, str | float] = {}
    resources: Resources | None = None


class GrantedContainer(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What a running container has been granted; differs from its spec while it is resized."""

    name: str = ""
    resources: Resources | None = None
    allocated_resources: dict[str, str | float] = {}


class ResizeCondition(msgspec.Struct, frozen=True, gc=False):
    """A condition of a Pod, for one of them."""

    type: str = ""
    reason: str = ""


class PodGrant(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The part of a Pod's status that says what it has been granted."""

    conditions: tuple[ResizeCondition, ...] = ()
    container_statuses: tuple[GrantedContainer, ...] = ()
    init_container_statuses: tuple[GrantedContainer, ...] = ()
    resources: Resources | None = None
    allocated_resources: dict[str, str | float] = {}


NOTHING_GRANTED: Final = PodGrant()


def requests_of(demand: PodDemand, granted: PodGrant = NOTHING_GRANTED) -> dict[str, int]:
    """What the scheduler counts for the Pod, exact, as nanos. Raises: Internal for an amount that is none."""
    granter = _Granter(granted)
    main = [granter.requests(container) for container in demand.containers]
    total = _together(main, [(c.is_sidecar, granter.init_requests(c)) for c in demand.init_containers])
    if demand.resources is not None:
        total |= granter.pod_requests(demand.resources.requests)
    return added(total, exact(demand.overhead)) if demand.overhead else total


def limits_of(demand: PodDemand) -> dict[str, int]:
    """The limits of a Pod that is not running yet, exact, as nanos. Raises: Internal."""
    main = [exact(container.resources.limits) for container in demand.containers]
    total = _together(main, [(c.is_sidecar, exact(c.resources.limits)) for c in demand.init_containers])
    if demand.resources is not None:
        total |= _pod_level(demand.resources.limits)
    overhead = {name: amount for name, amount in exact(demand.overhead).items() if total.get(name)}
    return added(total, overhead)


def with_api_defaults(demand: PodDemand) -> PodDemand:
    """As the API server stores it: what has a limit and no request requests its limit (core/v1, SetDefaults_Pod)."""
    defaulted = msgspec.structs.replace(
        demand,
        containers=tuple(map(_requesting_limits, demand.containers)),
        init_containers=tuple(map(_requesting_limits, demand.init_containers)),
    )
    whole = demand.resources
    if whole is None or not whole.limits:
        return defaulted
    # Those of the containers where they have any, else the Pod's own limit (defaultPodRequests).
    containers = _container_requests(defaulted)
    from_containers: dict[str, str | float] = {
        name: f"{containers[name]}n" for name in (CPU, MEMORY) if name in containers
    }
    from_limits: dict[str, str | float] = {name: text for name, text in whole.limits.items() if is_pod_level(name)}
    requests = {**from_limits, **from_containers, **whole.requests}
    return msgspec.structs.replace(defaulted, resources=Resources(requests, whole.limits))


def is_pod_level(name: str) -> bool:
    """Resources that a Pod as a whole can have (IsSupportedPodLevelResource)."""
    return name in (CPU, MEMORY) or name.startswith(HUGE_PAGES)


def has_pod_level(demand: PodDemand) -> bool:
    """The Pod as a whole has a request or a limit (IsPodLevelResourcesSet)."""
    whole = demand.resources
    return whole is not None and any(map(is_pod_level, (*whole.requests, *whole.limits)))


def _container_requests(demand: PodDemand) -> dict[str, int]:
    main = [exact(container.resources.requests) for container in demand.containers]
    return _together(main, [(c.is_sidecar, exact(c.resources.requests)) for c in demand.init_containers])


def _together(main: Sequence[Nanos], first: Sequence[tuple[bool, Nanos]]) -> dict[str, int]:
    """The containers and the init containers of a Pod; of those each with whether it is a sidecar."""
    total: dict[str, int] = dict(main[0]) if main else {}
    for amounts in main[1:]:
        total = added(total, amounts)
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for is_sidecar, amounts in first:
        during = added(sidecars, amounts)
        if is_sidecar:
            total, sidecars = added(total, amounts), during
        peak = larger(peak, during)
    return larger(total, peak) if peak else total


def _pod_level(written: Written) -> dict[str, int]:
    return exact({name: text for name, text in written.items() if is_pod_level(name)})


def _requesting_limits(container: DemandContainer) -> DemandContainer:
    asked = container.resources
    if asked.limits.keys() <= asked.requests.keys():
        return container
    return msgspec.structs.replace(container, resources=Resources({**asked.limits, **asked.requests}, asked.limits))


class _Granter:
    """What counts while a container is resized: the largest of asked, allocated and actuated (KEP-1287)."""

    def __init__(self, granted: PodGrant) -> None:
        self._granted = granted
        statuses = (*granted.container_statuses, *granted.init_container_statuses)
        self._of = {status.name: status for status in statuses if status.resources is not None}
        self._cannot_grow = any((c.type, c.reason) == _RESIZE for c in granted.conditions)

    def requests(self, container: DemandContainer) -> dict[str, int]:
        asked = container.resources.requests
        status = self._of.get(container.name)
        if status is None or status.resources is None:
            return exact(asked)
        return self._effective(asked, status.resources.requests, status.allocated_resources)

    def init_requests(self, container: DemandContainer) -> dict[str, int]:
        return self.requests(container) if container.is_sidecar else exact(container.resources.requests)

    def pod_requests(self, asked: Written) -> dict[str, int]:
        whole = self._granted.resources
        if whole is None:
            return _pod_level(asked)
        effective = self._effective(asked, whole.requests, self._granted.allocated_resources)
        return {name: effective.get(name, 0) for name in asked if is_pod_level(name)}

    def _effective(self, asked: Written, actuated: Written, allocated: Written) -> dict[str, int]:
        if actuated == asked and allocated in ({}, asked):  # no resize, as nearly always
            return exact(asked)
        granted = larger(exact(actuated), exact(allocated))
        return granted if self._cannot_grow else larger(exact(asked), granted)
