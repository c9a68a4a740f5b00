"""Quotas and LimitRanges: what they refuse, as admission does, and what they add."""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core.capacity.admitted import admitted
from hodei_k8s_core.capacity.candidate import read_candidate
from hodei_k8s_core.capacity.classes import parse_priority_classes, parse_runtime_classes, parse_storage_classes
from hodei_k8s_core.capacity.fulfillment import Reason, Rule
from hodei_k8s_core.capacity.limit_range import most_allowed, parse_limit_ranges
from hodei_k8s_core.capacity.namespace_fit import refusals
from hodei_k8s_core.capacity.pod_demand import requests_of
from hodei_k8s_core.capacity.quota import counts, parse_quotas
from hodei_k8s_core.capacity.snapshot import PRIORITY_CLASSES, RUNTIME_CLASSES, Snapshot, Unread
from hodei_k8s_core.errors import ConfigurationError, Internal

NANO = 10**9


def pod(requests=None, limits=None, **spec):
    resources = {"requests": requests or {}, "limits": limits or {}}
    return {"spec": {"containers": [{"name": "worker", "resources": resources}], **spec}}


def limit_range(*limits):
    body = {"kind": "LimitRangeList", "items": [{"metadata": {"name": "bounds"}, "spec": {"limits": list(limits)}}]}
    return parse_limit_ranges(msgspec.json.encode(body))


def quota(hard, used=None, **spec):
    status = {"hard": hard, "used": used or dict.fromkeys(hard, "0")}
    body = {"kind": "ResourceQuotaList", "items": [{"metadata": {"name": "q"}, "spec": spec, "status": status}]}
    return parse_quotas(msgspec.json.encode(body))


def refused(made, **rules) -> list[Reason]:
    snapshot = Snapshot(**rules)
    return refusals(admitted(read_candidate(made), snapshot), snapshot)


BOTH = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("limit", "requests", "limits", "message"),
    [
        ({"type": "Container", "max": {"cpu": "1"}}, {"cpu": "1"}, {"cpu": "1"}, ""),
        ({"type": "Container", "max": {"cpu": "1"}}, {}, {"cpu": "2"}, "at most 1 of cpu, short by 1"),
        ({"type": "Container", "max": {"cpu": "1"}}, {"cpu": "1"}, {}, "have a limit of cpu, at most 1, and has none"),
        ({"type": "Container", "min": {"cpu": "1"}}, {"cpu": "1"}, {}, ""),
        ({"type": "Container", "min": {"cpu": "1"}}, {"cpu": "500m"}, {"cpu": "2"}, "at least 1 of cpu"),
        ({"type": "Container", "min": {"cpu": "1"}}, {}, {}, "request at least 1 of cpu, and requests none"),
        ({"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}, {"cpu": "1"}, {"cpu": "2"}, ""),
        ({"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}, {"cpu": "1"}, {"cpu": "2001m"}, "2 times"),
        ({"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}, {"cpu": "1"}, {}, "2 times"),
        ({"type": "Pod", "max": {"memory": "1Gi"}}, {"memory": "1Gi"}, {"memory": "1Gi"}, ""),
        ({"type": "Pod", "max": {"memory": "1Gi"}}, {"memory": "2Gi"}, {"memory": "2Gi"}, "the Pod may have at most"),
        ({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}, {}, {}, ""),
    ],
)
def test_limit_ranges(limit, requests, limits, message: str) -> None:
    found = refused(pod(requests, limits), limit_ranges=limit_range(limit))
    assert [reason.rule for reason in found] == ([Rule.LIMIT_RANGE] if message else [])
    assert not message or message in str(found[0])
    assert not any(reason.is_passing for reason in found)


def test_a_limit_range_says_what_a_container_does_not() -> None:
    limit = {"type": "Container", "default": {"cpu": "2", "memory": "1Gi"}, "defaultRequest": {"cpu": "500m"}}
    ranges = limit_range({"type": "Pod"}, limit)
    spec = admitted(
        read_candidate(pod({"memory": "2Gi"}, initContainers=[{"name": "i"}])), Snapshot(limit_ranges=ranges)
    ).spec
    assert spec.containers[0].resources.requests == {"cpu": "500m", "memory": "2Gi"}
    assert spec.containers[0].resources.limits == {"cpu": "2", "memory": "1Gi"}
    assert spec.init_containers[0].resources.limits == {"cpu": "2", "memory": "1Gi"}


def test_the_most_that_limit_ranges_allow() -> None:
    pods, containers = {"type": "Pod", "max": {"cpu": "4"}}, {"type": "Container", "max": {"cpu": "2"}}
    other = {"type": "PersistentVolumeClaim", "max": {"cpu": "1"}}
    assert most_allowed(limit_range(pods, containers, other)) == {"cpu": 2 * NANO}


@pytest.mark.parametrize(
    ("hard", "used", "passes"),
    [
        ({"requests.cpu": "1"}, {"requests.cpu": "0"}, None),
        ({"requests.cpu": "2"}, {"requests.cpu": "1500m"}, True),
        ({"cpu": "500m"}, {"cpu": "0"}, False),
        ({"limits.memory": "2Gi"}, {"limits.memory": "2Gi"}, True),
        ({"pods": "2"}, {"pods": "2"}, True),
        ({"count/pods": "1"}, {"count/pods": "0"}, None),
        ({"requests.nvidia.com/gpu": "1"}, {"requests.nvidia.com/gpu": "5"}, None),
        ({"persistentvolumeclaims": "0"}, {}, None),
        ({"requests.hugepages-2Mi": "0"}, {}, None),
        ({"pods": "0"}, {}, False),
    ],
)
def test_quotas(hard, used, passes) -> None:
    found = refused(pod(BOTH, BOTH), quotas=quota(hard, used))
    assert [(reason.rule, reason.is_passing) for reason in found] == ([] if passes is None else [(Rule.QUOTA, passes)])


def test_a_quota_on_devices() -> None:
    device = {"nvidia.com/gpu": "2"}
    (reason,) = refused(pod(BOTH | device, BOTH | device), quotas=quota({"requests.nvidia.com/gpu": "1"}))
    assert str(reason) == "quota q has too little requests.nvidia.com/gpu in all, short by 1"


def test_a_quota_tells_by_how_much() -> None:
    (reason,) = refused(pod(BOTH, BOTH), quotas=quota({"requests.memory": "2Gi"}, {"requests.memory": "1.5Gi"}))
    assert str(reason) == "quota q has too little requests.memory left, short by 512Mi"
    assert (reason.subject, reason.wanted, reason.available) == ("memory", 2**30, 2**29)


@pytest.mark.parametrize("name", ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"])
def test_a_quota_wants_cpu_and_memory_to_be_said(name: str) -> None:
    (reason,) = refused(pod(), quotas=quota({name: "10Gi"}))
    assert "to be said, by: worker" in str(reason)
    assert reason.short_by is None
    assert not refused(pod(BOTH, BOTH), quotas=quota({name: "10Gi"}))
    assert not refused(pod(resources={"requests": {"cpu": "1"}}), quotas=quota({name: "10Gi"}))


SCOPES = {
    "Terminating": ({"activeDeadlineSeconds": 60}, {}),
    "NotTerminating": ({}, {"activeDeadlineSeconds": 60}),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_decides_whether_a_pod_counts(scope: str) -> None:
    inside, outside = SCOPES[scope]
    (full,) = quota({"pods": "0"}, scopes=[scope])
    assert counts(full, read_candidate(pod(**inside)))
    assert not counts(full, read_candidate(pod(**outside)))
    assert not refused(pod(**outside), quotas=(full,))


def test_best_effort_is_without_cpu_and_memory() -> None:
    (best,) = quota({"pods": "0"}, scopes=["BestEffort"])
    (other,) = quota({"pods": "0"}, scopes=["NotBestEffort"])
    for made, is_best in [
        (pod(), True),
        (pod({"cpu": "0"}), True),
        (pod({"nvidia.com/gpu": "1"}), True),
        (pod(BOTH), False),
        (pod(limits={"memory": "1"}), False),
        (pod(resources={"requests": {"cpu": "1"}}), False),
    ]:
        spec = read_candidate(made)
        assert (counts(best, spec), counts(other, spec)) == (is_best, not is_best)


@pytest.mark.parametrize(
    ("rule", "of_high", "of_none"),
    [
        ({"operator": "Exists"}, True, False),
        ({"operator": "DoesNotExist"}, False, True),
        ({"operator": "In", "values": ["high"]}, True, False),
        ({"operator": "NotIn", "values": ["high"]}, False, True),
        ({"operator": "?"}, False, False),
    ],
)
def test_a_scope_by_priority_class(rule, of_high: bool, of_none: bool) -> None:
    selector = {"matchExpressions": [{"scopeName": "PriorityClass", **rule}]}
    (full,) = quota({"pods": "0"}, scopeSelector=selector)
    assert counts(full, read_candidate(pod(priorityClassName="high"))) is of_high
    assert counts(full, read_candidate(pod())) is of_none


def test_a_scope_that_is_not_known_never_holds() -> None:
    (full,) = quota({"pods": "0"}, scopes=["CrossNamespacePodAffinity"])
    assert not counts(full, read_candidate(pod()))


def priority_classes(*classes):
    items = [{"metadata": {"name": name}, **fields} for name, fields in classes]
    return parse_priority_classes(msgspec.json.encode({"kind": "PriorityClassList", "items": items}))


def test_priorities() -> None:
    known = priority_classes(
        ("high", {"value": 100}),
        ("normal", {"value": 10, "globalDefault": True, "preemptionPolicy": "Never"}),
        ("later", {"value": 20, "globalDefault": True}),
    )
    snapshot = Snapshot(priority_classes=known)

    def of(**spec):
        found = admitted(read_candidate(pod(**spec)), snapshot)
        return found.priority, found.may_preempt

    assert of() == (10, False)
    assert of(priorityClassName="high") == (100, True)
    assert of(priorityClassName="high", preemptionPolicy="Never") == (100, False)
    assert of(priorityClassName="system-node-critical") == (2_000_001_000, True)
    assert refused(pod(priorityClassName="none"), priority_classes=known)[0].rule is Rule.PRIORITY
    assert admitted(read_candidate(pod()), Snapshot()).priority == 0
    blind = Snapshot(unread=(Unread(PRIORITY_CLASSES, "not permitted"),))
    assert admitted(read_candidate(pod(priorityClassName="x")), blind).refusals == ()


def test_a_runtime_adds_its_overhead_and_its_nodes() -> None:
    runtime = {
        "metadata": {"name": "gvisor"},
        "handler": "runsc",
        "overhead": {"podFixed": {"cpu": "250m"}},
        "scheduling": {"nodeSelector": {"runtime": "gvisor"}, "tolerations": [{"key": "gvisor", "operator": "Exists"}]},
    }
    known = parse_runtime_classes(msgspec.json.encode({"kind": "RuntimeClassList", "items": [runtime]}))
    spec = admitted(read_candidate(pod(BOTH, runtimeClassName="gvisor")), Snapshot(runtime_classes=known)).spec
    assert requests_of(spec)["cpu"] == 1250 * 10**6
    assert spec.node_selector == {"runtime": "gvisor"}
    assert [toleration.key for toleration in spec.tolerations][-1] == "gvisor"
    assert refused(pod(runtimeClassName="kata"), runtime_classes=known)[0].rule is Rule.RUNTIME
    blind = (Unread(RUNTIME_CLASSES, "not permitted"),)
    assert not refused(pod(runtimeClassName="kata"), unread=blind)


def test_storage_classes() -> None:
    items = [{"metadata": {"name": "fast"}, "provisioner": "p"}, {"metadata": {"name": "s"}}]
    first, second = parse_storage_classes(msgspec.json.encode({"kind": "StorageClassList", "items": items}))
    assert (first.name, first.provisioner, second.name, second.provisioner) == ("fast", "p", "s", "")


@pytest.mark.parametrize(
    "parse", [parse_limit_ranges, parse_quotas, parse_priority_classes, parse_runtime_classes, parse_storage_classes]
)
def test_a_reply_of_another_kind_is_refused(parse) -> None:
    with pytest.raises(Internal, match="but a PodList"):
        parse(b'{"kind": "PodList", "items": []}')


def test_what_is_no_pod_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the Pod is not valid"):
        read_candidate({"spec": {"containers": 3}})
