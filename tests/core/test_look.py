"""A Pod as it was looked at: what is found out late is what would have been found out at once."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.config.startup_policy import DEFAULT_POLICY, StartupPolicy
from hodei_k8s_core.diagnosis import diagnose, examine
from hodei_k8s_core.diagnosis.look import A_MOMENT, Judge, Look, lean_worker, look_alike
from hodei_k8s_core.diagnosis.settled import is_settled
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.verdict import Category, Verdict
from hodei_k8s_core.worker import WorkerInfo, WorkerState
from hodei_k8s_core.worker_info import worker_info
from tests.core import made_pods as made
from tests.core.fleet_history import face
from tests.core.test_diagnosis_fuzz import NOW, PODS, WAITING
from tests.core.thoroughness import examples

READY = made.container(made.running(), ready=True)
JUDGE = Judge(DEFAULT_POLICY)
TIMES = st.floats(-1e12, 1e12) | st.floats(NOW - 1000, NOW + 1000)
PHASES = st.sampled_from(["Running", "Succeeded", "Failed"])
WORKERS = st.sampled_from(
    [
        {"name": "worker", "ready": True, "state": {"running": {"startedAt": "2026-11-23T14:00:00Z"}}},
        {"name": "worker", "ready": True, "state": {"running": {}, "waiting": {"reason": "ErrImagePull"}}},
        {"name": "worker", "state": {"terminated": {"exitCode": 1}}},
    ]
) | WAITING.map(lambda reason: {"name": "worker", "state": {"waiting": {"reason": reason}}})


def parsed(value: dict[str, Any]) -> Pod:
    return parse_pod(msgspec.json.encode(value))


def look(pod: Pod, after: float = 10, judge: Judge = JUDGE) -> Look:
    return Look(pod, made.T0 + after, judge)


def seen(verdict: Verdict | None) -> Verdict | None:
    """Without the seconds that differ at every look."""
    return None if verdict is None else msgspec.structs.replace(verdict, evidence=())


@settings(max_examples=examples(400), deadline=None)
@given(PODS, PHASES, WORKERS, TIMES, TIMES)
def test_of_a_settled_pod_time_changes_nothing(
    of: dict[str, Any], phase: str, worker: dict[str, Any], one: float, other: float
) -> None:
    status = {**of.get("status", {}), "phase": phase, "containerStatuses": [worker]}
    for pod in (parsed(of), parsed({**of, "status": status})):
        if is_settled(pod):
            found = examine(pod, now=one)
            assert (found.recheck_after, found.wants_events) == (None, False)
            assert seen(found.verdict) == seen(diagnose(pod, now=other))


@pytest.mark.parametrize(
    ("pod", "settled"),
    [
        (made.pod("Running", READY), True),
        (made.pod("Running", made.container(made.running())), False),
        (made.pod("Running"), False),
        (made.pod("Succeeded", made.container(made.terminated(0))), True),
        (made.pod("Failed", made.container(made.terminated(1))), True),
        (made.pod("Failed", made.container(made.terminated(1)), deleted=20), False),
        (made.pod("Running", READY, conditions=(), node="", gates=("hodei.io/x",)), False),
        (made.pod("Pending"), False),
    ],
)
def test_ready_and_ended_pods_are_settled(pod: Pod, settled: bool) -> None:
    assert is_settled(pod) is settled


@settings(max_examples=examples(300), deadline=None)
@given(PODS, PODS, TIMES, TIMES)
def test_two_looks_are_alike_when_a_host_sees_the_same(
    one: dict[str, Any], other: dict[str, Any], then: float, now: float
) -> None:
    for a, b in ((one, other), (one, one), (one, {**other, "status": one.get("status", {})})):
        before, after = Look(parsed(a), then, JUDGE), Look(parsed(b), now, JUDGE)
        assert look_alike(before, after) == (face(before.info) == face(after.info))


def test_what_a_look_says_is_as_of_its_time() -> None:
    pod = made.pod("Pending", conditions=(made.condition("PodScheduled", "True"),))
    early, late = look(pod, 10), look(pod, 10_000)
    assert early.info == worker_info(pod, diagnose(pod, now=made.T0 + 10))
    assert late.info.verdict is not None
    assert late.info.verdict.category is Category.STARTUP_TIMEOUT
    assert early.verdict is None


def test_a_look_finds_out_once() -> None:
    told: list[Pod] = []

    def describe(pod: Pod, verdict: Verdict | None) -> WorkerInfo:
        told.append(pod)
        return lean_worker(pod, verdict)

    one = look(made.pod("Running"), judge=Judge(StartupPolicy(), describe))
    assert (one.worker_id, one.pod_uid, one.state) == ("", made.UID, WorkerState.CONNECTING)
    assert not told
    assert one.info is one.info
    assert len(told) == 1
    assert one.examination is one.examination


def test_a_look_says_when_time_alone_can_change_it() -> None:
    running = look(made.pod("Running", made.container(made.running(5))))
    assert running.recheck_at == made.T0 + 5 + DEFAULT_POLICY.ready + A_MOMENT
    assert look(made.pod("Succeeded", made.container(made.terminated(0)))).recheck_at == math.inf
