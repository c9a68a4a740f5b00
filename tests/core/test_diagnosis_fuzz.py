"""Any Pod at all: a diagnosis never fails, and rests on something."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.diagnosis import examine, out_of_time, timeline
from hodei_k8s_core.errors import Internal
from hodei_k8s_core.event_list import parse_event_list
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.verdict import Category, Verdict
from tests.core.thoroughness import examples

NOW = 1_795_442_460.0
ANY_TEXT = st.text(max_size=20)
TIMES = st.sampled_from(
    [
        *("2026-11-23T14:00:00Z", "2026-11-23T14:00:30.5Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        *("9999-12-31T23:59:59Z", "2026-11-23T13:00:00+01:00", "soon", "", None),
    ]
)
NUMBERS = st.integers(-2, 200) | st.sampled_from([2**63 - 1, -(2**63), 137, 139, 0])
MESSAGES = ANY_TEXT | st.sampled_from(
    [
        "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful",
        '0/1 nodes are available: persistentvolumeclaim "a" not found.',
        "no nodes available to schedule pods",
        "Back-off pulling image",
        "ErrImagePull: not found",
        'secret "a" not found',
        "failed to sync secret cache",
        "no command specified",
        "pod didn't trigger scale-up: 1 x",
        "Failed to pull image x",
    ]
)
WAITING = st.sampled_from(
    [
        *("", "ContainerCreating", "PodInitializing", "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "Odd"),
        *("InvalidImageName", "CreateContainerConfigError", "CreateContainerError", "CrashLoopBackOff"),
        *("RunContainerError", "SignatureValidationFailed"),
    ]
)
ENDS = st.sampled_from(["", "Error", "Completed", "OOMKilled", "StartError", "ContainerStatusUnknown", "Odd"])
STATE = st.fixed_dictionaries(
    {},
    optional={
        "waiting": st.fixed_dictionaries({}, optional={"reason": WAITING, "message": MESSAGES}),
        "running": st.fixed_dictionaries({}, optional={"startedAt": TIMES}),
        "terminated": st.fixed_dictionaries(
            {"exitCode": NUMBERS},
            optional={"signal": NUMBERS, "reason": ENDS, "message": MESSAGES, "startedAt": TIMES, "finishedAt": TIMES},
        ),
    },
)
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["worker", "proxy", "setup"])},
        optional={"state": STATE, "lastState": STATE, "ready": st.booleans(), "restartCount": NUMBERS},
    ),
    max_size=3,
)
CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["PodScheduled", "Ready", "ContainersReady", "DisruptionTarget", "Odd"])
            | st.just("PodReadyToStartContainers"),
            "status": st.sampled_from(["True", "False", "Unknown", ""]),
        },
        optional={
            "reason": st.sampled_from(
                ["Unschedulable", "SchedulingGated", "SchedulerError", "PreemptionByScheduler", ""]
            )
            | ANY_TEXT,
            "message": MESSAGES,
            "lastTransitionTime": TIMES,
        },
    ),
    max_size=5,
)
METADATA = st.fixed_dictionaries(
    {"name": st.just("p")},
    optional={
        "uid": st.sampled_from(["u", ""]),
        "creationTimestamp": TIMES,
        "deletionTimestamp": TIMES,
        "deletionGracePeriodSeconds": NUMBERS,
        "finalizers": st.lists(ANY_TEXT, max_size=2),
        "labels": st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=2),
    },
)
PODS = st.fixed_dictionaries(
    {"kind": st.just("Pod"), "metadata": METADATA},
    optional={
        "spec": st.fixed_dictionaries(
            {},
            optional={
                "nodeName": st.sampled_from(["", "n"]),
                "restartPolicy": st.sampled_from(["Never", "Always", "OnFailure", ""]),
                "activeDeadlineSeconds": NUMBERS,
                "schedulingGates": st.lists(
                    st.fixed_dictionaries({"name": st.sampled_from(["a", "hodei.io/b"])}), max_size=2
                ),
                "initContainers": st.just([{"name": "proxy", "restartPolicy": "Always"}]),
            },
        ),
        "status": st.fixed_dictionaries(
            {},
            optional={
                "phase": st.sampled_from(["", "Pending", "Running", "Succeeded", "Failed", "Unknown", "Odd"]),
                "reason": st.sampled_from(["", "Evicted", "DeadlineExceeded", "NodeLost", "OutOfcpu", "Odd"]),
                "message": MESSAGES,
                "conditions": CONDITIONS,
                "containerStatuses": CONTAINERS,
                "initContainerStatuses": CONTAINERS,
                "startTime": TIMES,
            },
        ),
    },
)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {"involvedObject": st.sampled_from([{"uid": "u"}, {"uid": "v"}, {}, {"fieldPath": "spec.containers{worker}"}])},
        optional={
            "reason": st.sampled_from(
                ["Failed", "Pulled", "Pulling", "FailedMount", "FailedScheduling", "Unhealthy", "Odd"]
            )
            | st.sampled_from(["TriggeredScaleUp", "NotTriggerScaleUp", "Nominated", "FailedCreatePodSandBox"]),
            "message": MESSAGES,
            "count": NUMBERS,
            "firstTimestamp": TIMES,
            "lastTimestamp": TIMES,
            "eventTime": TIMES,
        },
    ),
    max_size=4,
)
POLICIES = st.sampled_from([StartupPolicy(), StartupPolicy(settle=0, image_retries=0, restarts=0, end=0, schedule=1)])
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
)


def events_of(items: list[dict[str, Any]]) -> Any:
    return parse_event_list(msgspec.json.encode({"kind": "EventList", "items": items})).items


def check(of: Pod, items: list[dict[str, Any]], now: float, policy: StartupPolicy) -> Verdict | None:
    events = events_of(items)
    found = examine(of, events, now=now, policy=policy)
    verdict = found.verdict
    assert found.recheck_after is None or found.recheck_after >= 0
    for told in (verdict, out_of_time(of, events, now=now, policy=policy, waited=1)):
        if told is not None:
            assert told.evidence
            assert told.summary
            assert all(item.source for item in told.evidence)
            assert msgspec.json.decode(msgspec.json.encode(told), type=Verdict) == told
    assert verdict is None or not (verdict.terminal and verdict.recheck_after is not None)
    assert examine(of, events, now=now, policy=policy) == found
    assert all(duration >= 0 for duration in timeline(of, events).durations.values())
    return verdict


@settings(max_examples=examples(300), deadline=None)
@given(PODS, EVENTS, st.floats(-1e12, 1e12) | st.just(NOW), POLICIES)
def test_any_pod_is_diagnosed(
    of: dict[str, Any], items: list[dict[str, Any]], now: float, policy: StartupPolicy
) -> None:
    check(parse_pod(msgspec.json.encode(of)), items, now, policy)


@settings(max_examples=examples(100), deadline=None)
@given(
    st.fixed_dictionaries(
        {"kind": st.just("Pod")}, optional={"spec": ANY_JSON, "status": ANY_JSON, "metadata": ANY_JSON}
    )
)
def test_any_json_is_a_pod_or_refused(of: dict[str, Any]) -> None:
    try:
        found = parse_pod(msgspec.json.encode(of))
    except Internal:
        return
    check(found, [], NOW, StartupPolicy())


BOTH = {"running": {"startedAt": "2026-11-23T14:00:00Z"}, "terminated": {"exitCode": 0}}
CONTRADICTIONS = st.sampled_from(
    [
        {"containerStatuses": [{"name": "worker", "state": BOTH}]},
        {"phase": "Succeeded", "containerStatuses": [{"name": "worker", "state": {"terminated": {"exitCode": 1}}}]},
        {"phase": "Succeeded", "containerStatuses": [{"name": "worker", "state": {"running": {}}}]},
        {"phase": "Running", "conditions": [{"type": "PodScheduled", "status": "False"}]},
        {"phase": "Odd"},
    ]
)


@settings(max_examples=examples(100), deadline=None)
@given(PODS, EVENTS, CONTRADICTIONS)
def test_what_contradicts_itself_is_unknown_whatever_else_it_tells(
    of: dict[str, Any], items: list[dict[str, Any]], contradiction: dict[str, Any]
) -> None:
    told = {**of, "status": of.get("status", {}) | contradiction}
    verdict = check(parse_pod(msgspec.json.encode(told)), items, NOW, StartupPolicy())
    assert verdict is not None
    assert verdict.category is Category.UNKNOWN
    assert len(verdict.evidence) >= 2
