"""What admission says to a Pod: its service account, its priority class, the LimitRanges and quotas of its namespace.

The arithmetic is that of `capacity`, which the real server judges; here are the words in which it refuses, and the
account of what is used. Sources: kubernetes, plugin/pkg/admission/limitranger and /priority; k8s.io/apiserver,
admission/plugin/resourcequota.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from hodei_k8s_core.capacity.amounts import added, exact, nanos_of
from hodei_k8s_core.capacity.candidate import CandidateSpec, read_candidate
from hodei_k8s_core.capacity.limit_range import CONTAINER, POD, Limit, LimitRange, with_limit_defaults
from hodei_k8s_core.capacity.pod_demand import DemandContainer, limits_of, requests_of
from hodei_k8s_core.capacity.quota import Quota, ScopeRule, counts, overdrafts, usage_of
from hodei_k8s_core.quantity import Quantity, QuantityFormat
from hodei_k8s_core.simulation.statuses import not_admitted
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.wire import Json

_BUILT_IN = ("", "system-cluster-critical", "system-node-critical")


class Admission:
    """Reads the namespace's objects in the store, and keeps the status of its quotas."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def with_limit_defaults(self, pod: Json) -> Json:
        """The Pod with what LimitRanges say for its containers, and the annotation that tells of it."""
        ranges = self._limit_ranges(pod)
        if not ranges:
            return pod
        ready = with_limit_defaults(read_candidate(pod), ranges)
        told: list[str] = []
        spec = {**pod["spec"], "containers": _filled(pod["spec"]["containers"], ready.containers, "container", told)}
        if ready.init_containers:
            first = pod["spec"]["initContainers"]
            spec["initContainers"] = _filled(first, ready.init_containers, "init container", told)
        meta = pod["metadata"]
        if told:
            note = {"kubernetes.io/limit-ranger": f"LimitRanger plugin set: {'; '.join(told)}"}
            meta = {**meta, "annotations": {**(meta.get("annotations") or {}), **note}}
        return {**pod, "metadata": meta, "spec": spec}

    def with_runtime(self, pod: Json) -> Json:
        """The Pod with what its RuntimeClass adds. Raises: Refused (403) where there is none."""
        name = pod["spec"].get("runtimeClassName")
        if not name:
            return pod
        runtime = self._store.find("runtimeclasses", "", name)
        if runtime is None:
            why = f'pod rejected: RuntimeClass "{name}" not found'
            raise not_admitted("pods", pod["metadata"]["name"], why)
        spec, place = pod["spec"], runtime.get("scheduling") or {}
        added: Json = {"nodeSelector": {**(spec.get("nodeSelector") or {}), **(place.get("nodeSelector") or {})}}
        added["tolerations"] = [*(spec.get("tolerations") or ()), *(place.get("tolerations") or ())]
        added["overhead"] = (runtime.get("overhead") or {}).get("podFixed")
        return {**pod, "spec": {**spec, **{key: value for key, value in added.items() if value}}}

    def check(self, pod: Json) -> None:
        """Raises: Refused (403)."""
        for why in self._refusals(pod):
            raise not_admitted("pods", pod["metadata"]["name"], why)

    def refresh(self, namespace: str) -> None:
        """Count again what the quotas of a namespace have used."""
        for item in self._listed("resourcequotas", namespace):
            hard = (item.get("spec") or {}).get("hard") or {}
            used = self._used(namespace, _quota(item))
            shown = {name: _shown(used.get(name, 0), name) for name in hard}
            if (status := {"hard": hard, "used": shown}) != item.get("status"):
                self._store.put("resourcequotas", {**item, "status": status})

    def _refusals(self, pod: Json) -> Iterator[str]:
        namespace, spec = pod["metadata"]["namespace"], pod["spec"]
        account, priority = spec["serviceAccountName"], spec.get("priorityClassName", "")
        if self._store.find("serviceaccounts", namespace, account) is None and account != "default":
            told = f'serviceaccount "{account}" not found'
            yield f"error looking up service account {namespace}/{account}: {told}"
        if priority not in _BUILT_IN and self._store.find("priorityclasses", "", priority) is None:
            yield f"no PriorityClass with name {priority} was found"
        ready = read_candidate(pod)
        for limit_range in self._limit_ranges(pod):
            found = [told for limit in limit_range.limits for told in _violations(ready, limit)]
            if found:
                yield found[0] if len(found) == 1 else f"[{', '.join(found)}]"
        for item in self._listed("resourcequotas", namespace):
            yield from _overdrafts(_quota(item, self._used(namespace, _quota(item))), ready)

    def _used(self, namespace: str, quota: Quota) -> dict[str, int]:
        """By the Pods that are not over (QuotaV1Pod); those that are still count as objects."""
        used: dict[str, int] = {}
        for pod in self._listed("pods", namespace):
            spec = read_candidate(pod)
            if counts(quota, spec):
                over = pod["status"]["phase"] in ("Succeeded", "Failed")
                whole = usage_of(spec)
                used = added(used, {"count/pods": whole["count/pods"]} if over else whole)
        return used

    def _limit_ranges(self, pod: Json) -> tuple[LimitRange, ...]:
        return tuple(_limit_range(item) for item in self._listed("limitranges", pod["metadata"]["namespace"]))

    def _listed(self, resource: str, namespace: str) -> list[Json]:
        return self._store.list_at(self._store.version, resource, namespace)


def _filled(written: list[Json], ready: Sequence[DemandContainer], what: str, told: list[str]) -> list[Json]:
    """The containers with what was set for them; `told` says so."""
    containers = []
    for one, demand in zip(written, ready, strict=True):
        both = {"requests": demand.resources.requests, "limits": demand.resources.limits}
        for kind, amounts in both.items():
            new = sorted(amounts.keys() - ((one.get("resources") or {}).get(kind) or {}).keys())
            told += [f"{', '.join(new)} {kind[:-1]} for {what} {one['name']}"] if new else []
        containers.append({**one, "resources": {kind: dict(amounts) for kind, amounts in both.items() if amounts}})
    return containers


def _limit_range(item: Json) -> LimitRange:
    limits = msgspec.convert((item.get("spec") or {}).get("limits") or [], tuple[Limit, ...])
    return LimitRange(item["metadata"]["name"], limits)


def _quota(item: Json, used: Mapping[str, int] | None = None) -> Quota:
    spec = item.get("spec") or {}
    rules = [ScopeRule(name, "Exists") for name in spec.get("scopes") or ()]
    selected = (spec.get("scopeSelector") or {}).get("matchExpressions") or []
    rules += msgspec.convert(selected, list[ScopeRule])
    return Quota(item["metadata"]["name"], exact(spec.get("hard") or {}), used or {}, tuple(rules))


def _overdrafts(quota: Quota, spec: CandidateSpec) -> list[str]:
    """What the quota says to a Pod: nothing, or one sentence."""
    found = sorted(overdrafts(quota, spec) if counts(quota, spec) else [], key=lambda one: one.resource)
    if not found:
        return []
    if found[0].missing_in:
        missing = "; ".join(f"{one.resource} for: {','.join(one.missing_in)}" for one in found)
        return [f"failed quota: {quota.name}: must specify {missing}"]
    asked = _listed([(one.resource, one.wanted) for one in found])
    used = _listed([(one.resource, quota.used.get(one.resource, 0)) for one in found])
    hard = _listed([(one.resource, one.hard) for one in found])
    return [f"exceeded quota: {quota.name}, requested: {asked}, used: {used}, limited: {hard}"]


def _listed(pairs: list[tuple[str, int]]) -> str:
    return ",".join(f"{name}={_shown(nanos, name)}" for name, nanos in pairs)


def _shown(nanos: int, name: str) -> str:
    """An amount in its canonical form; binary where it is one of bytes."""
    binary = "memory" in name or "storage" in name
    return str(Quantity(nanos, QuantityFormat.BINARY_SI if binary else QuantityFormat.DECIMAL_SI))


def _violations(spec: CandidateSpec, limit: Limit) -> Iterator[str]:
    if limit.type == CONTAINER:
        for container in (*spec.containers, *spec.init_containers):
            own = container.resources
            yield from _violated(exact(own.requests), exact(own.limits), limit)
    elif limit.type == POD:
        yield from _violated(requests_of(spec), limits_of(spec), limit)


def _violated(requests: Mapping[str, int], limits: Mapping[str, int], rule: Limit) -> Iterator[str]:
    both = (("request", requests), ("limit", limits))
    for name, text in rule.min.items():
        head = f"minimum {name} usage per {rule.type} is {text}"
        if name not in requests:
            yield f"{head}.  No request is specified"
        for what, amounts in both:
            if name in amounts and amounts[name] < nanos_of(text):
                yield f"{head}, but {what} is {_shown(amounts[name], name)}"
                break
    for name, text in rule.max.items():
        head = f"maximum {name} usage per {rule.type} is {text}"
        if name not in limits:
            yield f"{head}.  No limit is specified"
        for what, amounts in reversed(both):
            if name in amounts and amounts[name] > nanos_of(text):
                yield f"{head}, but {what} is {_shown(amounts[name], name)}"
                break
    for name, text in rule.max_limit_request_ratio.items():
        yield from _ratio(name, text, requests.get(name, 0), limits.get(name, 0), rule.type)


def _ratio(name: str, text: str, request: int, limit: int, of: str) -> Iterator[str]:
    head = f"{name} max limit to request ratio per {of} is {text}, but"
    if not request:
        yield f"{head} no request is specified or request is 0"
    elif not limit:
        yield f"{head} no limit is specified or limit is 0"
    elif limit * 10**9 > nanos_of(text) * request:
        yield f"{head} provided ratio is {limit / request:.6f}"
