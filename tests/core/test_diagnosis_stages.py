"""The stages of a start, how long each may take, and when it is worth looking again."""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.diagnosis import diagnose, examine, out_of_time
from hodei_k8s_core.event_list import Event
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.verdict import Blame, Category, Stage
from tests.core.made_pods import T0, condition, container, event, pod, running, terminated, unscheduled, waiting

POLICY = StartupPolicy(schedule=100, scale_up=1000, pull=200, start=50, ready=300)
WORKER = "spec.containers{worker}"
STARTS = pod("Running", container(running(since=20)), conditions=(condition("Ready", "False", "ContainersNotReady"),))
PULLING, PULLED = event("Pulling", field=WORKER), event("Pulled", last=150, field=WORKER)
SANDBOX = condition("PodScheduled"), condition("PodReadyToStartContainers")
IN_SANDBOX = pod("Pending", container(waiting("ContainerCreating")), conditions=SANDBOX)
BUSY_INIT = pod(
    "Pending", container(waiting("PodInitializing")), init=(container(running(since=30), "setup"),), conditions=SANDBOX
)
SIDECAR_STARTS = pod(
    "Pending",
    container(waiting("PodInitializing")),
    init=({**container(running(since=30), "db"), "started": False},),
    sidecars=("db",),
    conditions=SANDBOX,
)
SIDECAR_STARTED = pod(
    "Pending",
    container(waiting("PodInitializing")),
    init=({**container(running(since=30), "db"), "started": True},),
    sidecars=("db",),
    conditions=SANDBOX,
)
AFTER_INIT = pod(
    "Pending",
    container(waiting("PodInitializing")),
    init=(container(terminated(0, end=80), "setup"),),
    conditions=SANDBOX,
)

# Pod, events, stage, when it began, its limit (seconds)
STAGES = {
    "no node": (pod(conditions=(), node=""), (), Stage.SCHEDULE, 0, 100),
    "unschedulable": (unscheduled("Unschedulable", "0/1 nodes are available: 1 x."), (), Stage.SCHEDULE, 0, 100),
    "a node comes": (
        unscheduled("Unschedulable", "0/1 nodes are available: 1 x."),
        *((event("TriggeredScaleUp"),), Stage.SCHEDULE, 0, 1000),
    ),
    "sought since a gate was lifted": (
        unscheduled("Unschedulable", "0/1 nodes are available: 1 x."),
        *((event("FailedScheduling", first=500, last=560),), Stage.SCHEDULE, 500, 100),
    ),
    # The end of a pull is not in the Pod: without events it may take as long as both.
    "pull, without events": (IN_SANDBOX, (), Stage.PULL, 1, 250),
    "pull": (IN_SANDBOX, (PULLING,), Stage.PULL, 1, 200),
    "pulled": (IN_SANDBOX, (PULLING, PULLED), Stage.START, 150, 50),
    "pulled, of another container": (
        IN_SANDBOX,
        *((PULLING, event("Pulled", last=150, field="spec.containers{proxy}")), Stage.PULL, 1, 200),
    ),
    "init container": (BUSY_INIT, (), Stage.START, 30, 50),
    "a sidecar that does not start": (SIDECAR_STARTS, (), Stage.START, 30, 50),
    "a sidecar that has started": (SIDECAR_STARTED, (PULLING,), Stage.PULL, 1, 200),
    "after an init container": (AFTER_INIT, (PULLING,), Stage.PULL, 80, 200),
    "ready": (STARTS, (), Stage.READY, 20, 300),
    "image not pulled": (
        pod("Pending", container(waiting("ImagePullBackOff", "ErrImagePull: i/o timeout"))),
        *((event("Failed", "Failed to pull image", count=1),), Stage.PULL, 1, 200),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_that_has_run_out_of_its_time(name: str) -> None:
    of, events, stage, began, limit = STAGES[name]
    before = examine(of, events, now=T0 + began + limit - 1, policy=POLICY)
    assert before.verdict is None or before.verdict.category is not Category.STARTUP_TIMEOUT
    assert before.recheck_after is not None
    assert before.recheck_after <= 1
    after = examine(of, events, now=T0 + began + limit + 1, policy=POLICY)
    assert after.wants_events
    assert after.verdict is not None
    verdict = after.verdict
    assert (verdict.category, verdict.stage, verdict.terminal) == (Category.STARTUP_TIMEOUT, stage, False)
    assert verdict.is_over
    assert verdict.retryable
    assert f"within {limit} s" in verdict.summary
    assert verdict.evidence[-1].source == f"policy startup.{stage.value}"


def test_what_stood_in_the_way_stays_in_the_verdict() -> None:
    of = unscheduled("Unschedulable", "0/2 nodes are available: 2 Insufficient cpu.")
    verdict = diagnose(of, now=T0 + 101, policy=POLICY)
    assert verdict is not None
    assert verdict.category is Category.STARTUP_TIMEOUT
    assert (verdict.blame, verdict.nodes, [str(cause) for cause in verdict.causes]) == (
        Blame.CAPACITY,
        2,
        ["2 Insufficient cpu"],
    )
    assert "no node was found for it within 100 s: none of the 2 nodes can take it" in verdict.summary


NO_STAGE: dict[str, tuple[Pod, tuple[Event, ...]]] = {
    "ready": (pod("Running", container(running(), ready=True)), ()),
    "gated": (unscheduled("SchedulingGated", gates=("x",)), ()),
    "a gate was lifted just now": (unscheduled("SchedulingGated"), ()),
    "ended": (pod("Failed", container(terminated(1))), ()),
    "deleted": (pod("Pending", deleted=1, grace=10**6), ()),
    "between two runs": (pod("Running", container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=1)), ()),
    "runs since an unknown time": (pod("Running", container({"running": {}})), ()),
    "a Pod without a time": (pod(conditions=(), node="", phase=""), ()),
}


@pytest.mark.parametrize("name", NO_STAGE)
def test_what_is_in_no_stage_runs_out_of_no_time(name: str) -> None:
    of, events = NO_STAGE[name]
    if name == "a Pod without a time":
        of = msgspec.structs.replace(of, metadata=msgspec.structs.replace(of.metadata, creation_timestamp=None))
    found = diagnose(of, events, now=T0 + 10**5, policy=POLICY)
    assert found is None or found.category is not Category.STARTUP_TIMEOUT
    assert out_of_time(of, events, now=T0 + 10**5, policy=POLICY, waited=3) is None


def test_somebody_elses_patience_gives_the_stage_too() -> None:
    verdict = out_of_time(IN_SANDBOX, now=T0 + 31, policy=POLICY, waited=30)
    assert verdict is not None
    assert (verdict.category, verdict.stage) == (Category.STARTUP_TIMEOUT, Stage.PULL)
    assert "within 30 s" in verdict.summary
    assert "ContainerCreating" in str(verdict.evidence[0])


def test_what_keeps_a_worker_from_being_ready_is_shown() -> None:
    failing = event("Unhealthy", "Readiness probe failed: 503", count=9)
    verdict = diagnose(STARTS, [failing], now=T0 + 400, policy=POLICY)
    assert verdict is not None
    assert verdict.blame is Blame.WORKER
    said = " ".join(map(str, verdict.evidence))
    assert "ContainersNotReady" in said
    assert "event Unhealthy (x9): Readiness probe failed: 503" in said


def test_a_scheduler_that_does_not_run_is_suspected() -> None:
    verdict = diagnose(pod(conditions=(), node=""), now=T0 + 101, policy=POLICY)
    assert verdict is not None
    assert (verdict.blame, verdict.stage) == (Blame.PLATFORM, Stage.SCHEDULE)
    assert "does a scheduler run?" in str(verdict.evidence[0])


@pytest.mark.parametrize(("spent", "delay", "wants"), [(1, 5, False), (4, 5, True), (40, 20, True), (90, 10, True)])
def test_the_longer_it_lasts_the_rarer_it_is_looked_at(spent: float, delay: float, wants: bool) -> None:
    of = unscheduled("Unschedulable", "0/2 nodes are available: 2 Insufficient cpu.")
    found = examine(of, now=T0 + spent, policy=POLICY)
    assert (found.recheck_after, found.wants_events) == (delay, wants)
    assert found.verdict is not None
    assert found.verdict.recheck_after == delay


def test_a_shorter_policy_is_obeyed() -> None:
    strict = StartupPolicy(schedule=5, image_retries=0, settle=0)
    of = unscheduled("Unschedulable", "0/1 nodes are available: 1 x.")
    late = diagnose(of, now=T0 + 6, policy=strict)
    assert late is not None
    assert late.category is Category.STARTUP_TIMEOUT
    image = pod("Pending", container(waiting("ErrImagePull", "i/o timeout")))
    gone = diagnose(image, now=T0 + 2, policy=strict)
    assert gone is not None
    assert gone.terminal
    secret = pod("Pending", container(waiting("CreateContainerConfigError", 'secret "s" not found')))
    assert diagnose(secret, now=T0 + 1, policy=strict) is not None


def test_a_pod_that_contradicts_itself_is_in_no_stage_whatever_the_time() -> None:
    unscheduled_and_running = pod("Running", conditions=(condition("PodScheduled", "False"),))
    found = examine(unscheduled_and_running, now=T0 + 10**6, policy=POLICY)
    assert found.verdict is not None
    assert (found.verdict.category, found.recheck_after) == (Category.UNKNOWN, None)
