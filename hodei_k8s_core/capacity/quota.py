"""ResourceQuota of a namespace: what is left of it, and what it refuses.

Source: kubernetes, pkg/quota/v1/evaluator/core/pods.go; k8s.io/apiserver, admission/plugin/resourcequota/controller.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from hodei_k8s_core.capacity.amounts import CPU, DISK, HUGE_PAGES, MEMORY, PODS, exact
from hodei_k8s_core.capacity.candidate import CandidateSpec
from hodei_k8s_core.capacity.pod_demand import DemandContainer, has_pod_level, limits_of, requests_of
from hodei_k8s_core.kubernetes_json import decode_object, refuse_kind

_REQUESTS: Final = "requests."
_LIMITS: Final = "limits."
_COUNT: Final = "count/pods"
_NATIVE: Final = (CPU, MEMORY, DISK)
_NANO: Final = 10**9


class ScopeRule(msgspec.Struct, frozen=True, rename="camel"):
    """One condition on the Pods that a quota counts."""

    scope_name: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class Quota(msgspec.Struct, frozen=True):
    """One ResourceQuota; `hard` and `used` exact, as nanos, by the quota's own names, such as `requests.cpu`."""

    name: str
    hard: Mapping[str, int]
    used: Mapping[str, int]
    scopes: tuple[ScopeRule, ...] = ()

    @property
    def left(self) -> dict[str, int]:
        """What is left of each; below 0 where more is used than allowed."""
        return {name: amount - self.used.get(name, 0) for name, amount in self.hard.items()}


class Overdraft(msgspec.Struct, frozen=True):
    """What a quota refuses: `wanted` of `resource` where `left` is left of `hard` (nanos). Where the Pod must say how
    much it wants and does not, only `missing_in` is set: the containers."""

    resource: str
    wanted: int = 0
    left: int = 0
    hard: int = 0
    missing_in: tuple[str, ...] = ()

    @property
    def is_for_good(self) -> bool:
        """Waiting for others to end does not help."""
        return bool(self.missing_in) or self.wanted > self.hard


class _Meta(msgspec.Struct, frozen=True):
    name: str = ""


class _Selector(msgspec.Struct, frozen=True, rename="camel"):
    match_expressions: tuple[ScopeRule, ...] = ()


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    scopes: tuple[str, ...] = ()
    scope_selector: _Selector = _Selector()


class _Status(msgspec.Struct, frozen=True):
    hard: dict[str, str] = {}
    used: dict[str, str] = {}


class _Item(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()
    spec: _Spec = _Spec()
    status: _Status = _Status()

    def to_quota(self) -> Quota:
        named = tuple(ScopeRule(name, "Exists") for name in self.spec.scopes)
        rules = (*named, *self.spec.scope_selector.match_expressions)
        return Quota(self.metadata.name, exact(self.status.hard), exact(self.status.used), rules)


class _Body(msgspec.Struct, frozen=True):
    kind: str = ""
    items: tuple[_Item, ...] | None = None


_KINDS: Final = ("ResourceQuotaList", "List")
_DECODER: Final = msgspec.json.Decoder(_Body)


def parse_quotas(data: bytes | msgspec.Raw) -> tuple[Quota, ...]:
    """The ResourceQuotas that a reply holds. Raises: Internal."""
    body = decode_object(_DECODER, data, _KINDS)
    if body.kind not in _KINDS:
        raise refuse_kind(body.kind, _KINDS)
    return tuple(item.to_quota() for item in body.items or ())


def counts(quota: Quota, spec: CandidateSpec) -> bool:
    """The quota counts Pods like this one: it has a resource of Pods, and all its scopes hold."""
    if not any(map(_is_of_pods, quota.hard)):
        return False
    return all(_SCOPES.get(rule.scope_name, _never)(rule, spec) for rule in quota.scopes)


def overdrafts(quota: Quota, spec: CandidateSpec) -> list[Overdraft]:
    """What the quota refuses of a Pod that it counts and that has its defaults already."""
    found = list(_unsaid(quota, spec))
    if found:
        return found
    wanted = usage_of(spec)
    left = quota.left
    return [
        Overdraft(name, wanted[name], left[name], hard)
        for name, hard in quota.hard.items()
        if 0 < wanted.get(name, 0) > left[name]
    ]


def usage_of(spec: CandidateSpec) -> dict[str, int]:
    """What the Pod adds to a quota, by the quota's names, as nanos (podComputeUsageHelper)."""
    usage = {PODS: _NANO, _COUNT: _NANO}
    for name, amount in requests_of(spec).items():
        usage[f"{_REQUESTS}{name}"] = amount
        if name in _NATIVE or name.startswith(HUGE_PAGES):
            usage[name] = amount
    limited = limits_of(spec)
    return usage | {f"{_LIMITS}{name}": limited[name] for name in _NATIVE if name in limited}


def _is_of_pods(name: str) -> bool:
    plain = name.removeprefix(_REQUESTS)
    if name in (PODS, _COUNT) or plain in _NATIVE or name.removeprefix(_LIMITS) in _NATIVE:
        return True
    return plain.startswith(HUGE_PAGES) or (name.startswith(_REQUESTS) and "/" in plain)


def _unsaid(quota: Quota, spec: CandidateSpec) -> Iterator[Overdraft]:
    """A quota on CPU or memory wants every container to say what it takes (Constraints)."""
    if has_pod_level(spec):
        return
    containers = (*spec.containers, *spec.init_containers)
    for name in sorted(quota.hard):
        said = _SAID.get(name)
        silent = tuple(container.name for container in containers if said is not None and not said(container))
        if silent:
            yield Overdraft(name, missing_in=silent)


def _requests(name: str) -> Callable[[DemandContainer], bool]:
    return lambda container: name in container.resources.requests


def _limits(name: str) -> Callable[[DemandContainer], bool]:
    return lambda container: name in container.resources.limits


_SAID: Final[dict[str, Callable[[DemandContainer], bool]]] = {
    "cpu": _requests(CPU),
    "memory": _requests(MEMORY),
    "requests.cpu": _requests(CPU),
    "requests.memory": _requests(MEMORY),
    "limits.cpu": _limits(CPU),
    "limits.memory": _limits(MEMORY),
}


def _is_best_effort(spec: CandidateSpec) -> bool:
    """No container requests or limits CPU or memory (qos.GetPodQOS)."""
    containers = (*spec.containers, *spec.init_containers)
    parts = [c.resources for c in containers] + ([spec.resources] if spec.resources is not None else [])
    named = {
        name for part in parts for name, amount in {**exact(part.requests), **exact(part.limits)}.items() if amount
    }
    return not named & {CPU, MEMORY}


def _of_priority_class(rule: ScopeRule, spec: CandidateSpec) -> bool:
    name = spec.priority_class_name
    tests = {
        "Exists": bool(name),
        "DoesNotExist": not name,
        "In": name in rule.values,
        "NotIn": name not in rule.values,
    }
    return tests.get(rule.operator, False)


def _never(_rule: ScopeRule, _spec: CandidateSpec) -> bool:
    return False


_SCOPES: Final[dict[str, Callable[[ScopeRule, CandidateSpec], bool]]] = {
    "Terminating": lambda _, spec: spec.active_deadline_seconds is not None,
    "NotTerminating": lambda _, spec: spec.active_deadline_seconds is None,
    "BestEffort": lambda _, spec: _is_best_effort(spec),
    "NotBestEffort": lambda _, spec: not _is_best_effort(spec),
    "PriorityClass": _of_priority_class,
    # CrossNamespacePodAffinity: workers' affinity to Pods of other namespaces is not read, and so never counted.
}
