"""The verdict on made Pods: every category, in the forms that it comes in, and what is no trouble."""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core.config.startup_policy import DEFAULT_POLICY, StartupPolicy
from hodei_k8s_core.diagnosis import diagnose, examine
from hodei_k8s_core.diagnosis.waiting import back_off_sum
from hodei_k8s_core.event_list import Event
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.verdict import Blame, Category, Stage, Verdict
from tests.core.made_pods import (
    T0,
    condition,
    container,
    event,
    pod,
    running,
    terminated,
    unscheduled,
    waiting,
)

C, B = Category, Blame
DISRUPTED = "DisruptionTarget"
READY = condition("Ready"), condition("ContainersReady")
CUT_OFF = condition("Ready", "False"), condition("ContainersReady")
UNBOUND = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."
FULL = (
    "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: "
    "2 No preemption victims found for incoming pod."
)
MISFIT = (
    "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. "
    "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
)
BACK_OFF = 'Back-off pulling image "r/x"'
ABSENT = f"{BACK_OFF}: ErrImagePull: r/x: not found"
REFUSED = f"{BACK_OFF}: ErrImagePull: dial tcp: connection refused"
PULL_FAILED = 'Failed to pull image "r/x": dial tcp: connection refused'


def ended(code: int, reason: str = "Error", message: str = "", **more: float | None) -> dict:
    return container(terminated(code, reason, message, **more))


def disrupted(reason: str, *containers: dict, since: float = 8, phase: str = "Failed") -> Pod:
    return pod(phase, *containers, conditions=(condition(DISRUPTED, "True", reason, "told", since=since),), deleted=8)


def failed(reason: str, message: str = "", *containers: dict, **more: object) -> Pod:
    return pod("Failed", *containers, reason=reason, message=message, **more)


def verdict(
    of: Pod, now: float = 20, events: tuple[Event, ...] = (), policy: StartupPolicy = DEFAULT_POLICY
) -> Verdict | None:
    return diagnose(of, events, now=T0 + now, policy=policy)


# name: Pod, now, category, blame, terminal, retryable, words of the summary
POD_ALONE = {
    "exited": (pod("Failed", ended(3, message="no disk")), 20, C.EXITED, B.WORKER, True, False, "code 3: no disk"),
    "exited by a signal": (pod("Failed", ended(139)), 20, C.EXITED, B.WORKER, True, False, "139 (SIGSEGV)"),
    "exited, may be restarted": (
        pod("Running", ended(1), restart="Always"),
        *(20, C.EXITED, B.WORKER, False, False, "code 1"),
    ),
    "exited before it was deleted": (
        pod("Failed", ended(3), deleted=15),
        *(20, C.EXITED, B.WORKER, True, False, "code 3"),
    ),
    "exited, and its deletion is confirmed": (
        pod("Failed", ended(3), deleted=15, grace=0),
        *(20, C.EXITED, B.WORKER, True, False, "code 3"),
    ),
    "its end is not known": (
        pod("Failed", ended(137, "ContainerStatusUnknown", "could not be located")),
        *(20, C.UNKNOWN, B.PLATFORM, True, True, "could not be located"),
    ),
    "out of memory": (
        pod("Running", ended(137, "OOMKilled")),
        *(20, C.OUT_OF_MEMORY, B.WORKER, True, False, "memory"),
    ),
    "out of memory again and again": (
        pod("Running", container(waiting("CrashLoopBackOff"), restarts=3, last=terminated(137, "OOMKilled"))),
        *(20, C.OUT_OF_MEMORY, B.WORKER, True, False, "memory"),
    ),
    "start failed": (
        pod("Failed", ended(128, "StartError", "no such file", start=None)),
        *(20, C.START_FAILED, B.IMAGE, True, False, "no such file"),
    ),
    "start failed without a known reason": (
        pod("Failed", ended(128, "Error", "runc said no", start=None)),
        *(20, C.START_FAILED, B.IMAGE, True, False, "runc said no"),
    ),
    "exit code 128 of a program": (pod("Failed", ended(128)), 20, C.EXITED, B.WORKER, True, False, "code 128"),
    "init failed": (
        pod("Failed", container(waiting("PodInitializing")), init=(container(terminated(2), "setup"),)),
        *(20, C.INIT_FAILED, B.CONFIGURATION, True, False, "setup ended with exit code 2"),
    ),
    "init crash loop": (
        pod(
            "Pending",
            container(waiting("PodInitializing")),
            init=(container(waiting("CrashLoopBackOff"), "setup", restarts=1, last=terminated(2)),),
            restart="Always",
        ),
        *(20, C.INIT_FAILED, B.CONFIGURATION, False, False, "setup ended with exit code 2"),
    ),
    "crash loop": (
        pod(
            "Running",
            container(waiting("CrashLoopBackOff", "back-off"), restarts=1, last=terminated(1)),
            restart="Always",
        ),
        *(20, C.CRASH_LOOP, B.WORKER, False, False, "1 times"),
    ),
    "crash loop for good": (
        pod(
            "Running",
            container(waiting("CrashLoopBackOff", "back-off"), restarts=3, last=terminated(1)),
            restart="Always",
        ),
        *(20, C.CRASH_LOOP, B.WORKER, True, False, "3 times"),
    ),
    "crash loop without a known end": (
        pod("Running", container(waiting("CrashLoopBackOff", "back-off 10s"), restarts=1)),
        *(20, C.CRASH_LOOP, B.WORKER, False, False, "back-off 10s"),
    ),
    "deadline": (
        failed("DeadlineExceeded", "too long", ended(137), deadline=60),
        *(80, C.DEADLINE_EXCEEDED, B.WORKER, True, False, "the 60 s that it may live"),
    ),
    "deadline before it started": (
        failed("DeadlineExceeded", "too long"),
        *(80, C.DEADLINE_EXCEEDED, B.PLATFORM, True, True, "did not even start"),
    ),
    "evicted": (
        failed("Evicted", "The node was low on resource: memory.", ended(137)),
        *(20, C.EVICTED, B.CAPACITY, True, True, "low on resource"),
    ),
    "evicted for its own storage": (
        failed("Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.", ended(137)),
        *(20, C.EVICTED, B.WORKER, True, False, "more storage than it may"),
    ),
    "evicted, told twice": (
        pod(
            "Failed",
            ended(0, "Completed"),
            conditions=(condition(DISRUPTED, "True", "TerminationByKubelet"),),
            reason="Evicted",
            message="The node was low on resource: disk.",
        ),
        *(20, C.EVICTED, B.CAPACITY, True, True, "low on resource: disk"),
    ),
    "drained": (
        disrupted("EvictionByEvictionAPI", ended(143), phase="Running"),
        *(20, C.EVICTED, B.OPERATOR, True, True, "drained: told"),
    ),
    "drained, and ended well": (
        disrupted("EvictionByEvictionAPI", ended(0, "Completed"), phase="Running"),
        *(20, C.EVICTED, B.OPERATOR, True, True, "drained"),
    ),
    "ended by its node": (
        disrupted("TerminationByKubelet", ended(137)),
        *(20, C.EVICTED, B.PLATFORM, True, True, "its node ended it"),
    ),
    "ended for a reason of the future": (
        disrupted("Tuesday", ended(137)),
        *(20, C.EVICTED, B.PLATFORM, True, True, "from outside"),
    ),
    "disrupted after it had failed": (
        disrupted("DeletionByTaintManager", ended(3, end=7)),
        *(20, C.EXITED, B.WORKER, True, False, "code 3"),
    ),
    "preempted": (
        disrupted("PreemptionByScheduler", ended(137)),
        *(20, C.PREEMPTED, B.CAPACITY, True, True, "more important"),
    ),
    "preempted by its node": (failed("Preempting", "critical"), 20, C.PREEMPTED, B.CAPACITY, True, True, "critical"),
    "node lost by taint": (
        disrupted("DeletionByTaintManager", container(running(), ready=True), phase="Running"),
        *(20, C.NODE_LOST, B.PLATFORM, True, True, "taint"),
    ),
    "node gone": (
        disrupted("DeletionByPodGC", container(running())),
        *(20, C.NODE_LOST, B.PLATFORM, True, True, "is gone"),
    ),
    "node lost": (failed("NodeLost", "x"), 20, C.NODE_LOST, B.PLATFORM, True, True, "is lost: x"),
    "node does not answer": (
        pod("Running", container(running(), ready=True), conditions=CUT_OFF),
        *(60, C.NODE_LOST, B.PLATFORM, False, True, "does not answer (node-1)"),
    ),
    "phase unknown": (pod("Unknown"), 60, C.NODE_LOST, B.PLATFORM, False, True, "does not tell"),
    "node refused": (
        failed("OutOfcpu", "not enough cpu"),
        *(20, C.NODE_REJECTED, B.CAPACITY, True, True, "OutOfcpu): not enough cpu"),
    ),
    "node refused by topology": (
        failed("TopologyAffinityError"),
        *(20, C.NODE_REJECTED, B.PLATFORM, True, True, "TopologyAffinityError"),
    ),
    "node refused at admission": (
        failed("UnexpectedAdmissionError", "devices"),
        *(20, C.NODE_REJECTED, B.PLATFORM, True, True, "devices"),
    ),
    "node shut down": (failed("Terminated", "", ended(137)), 20, C.EVICTED, B.PLATFORM, True, True, "shut down"),
    "failed, and nothing says why": (pod("Failed"), 20, C.UNKNOWN, B.PLATFORM, True, True, "nothing says why"),
    "failed for an unknown reason after it ran": (
        failed("Strange", "", ended(4)),
        *(20, C.EXITED, B.WORKER, True, False, "code 4"),
    ),
    "terminating, held by finalizers": (
        pod("Failed", ended(137), deleted=10, finalizers=("a/b", "c/d")),
        *(75, C.TERMINATING_STUCK, B.OPERATOR, True, True, "a/b, c/d"),
    ),
    "terminating, node silent": (
        pod("Running", container(running(), ready=True), conditions=READY, deleted=10),
        *(75, C.TERMINATING_STUCK, B.PLATFORM, False, True, "(node-1) has not confirmed"),
    ),
    "terminating, node dead": (
        pod("Running", container(running(), ready=True), conditions=CUT_OFF, deleted=10),
        *(75, C.NODE_LOST, B.PLATFORM, False, True, "does not answer"),
    ),
    "image refused": (
        pod("Pending", container(waiting("ErrImagePull", "r/x: not found"))),
        *(2, C.IMAGE_UNAVAILABLE, B.IMAGE, True, False, "has no such image"),
    ),
    "image refused, backing off": (
        pod("Pending", container(waiting("ImagePullBackOff", ABSENT))),
        *(2, C.IMAGE_UNAVAILABLE, B.IMAGE, True, False, "has no such image"),
    ),
    "registry asks for credentials": (
        pod("Pending", container(waiting("ErrImagePull", "status: 401 Unauthorized"))),
        *(2, C.IMAGE_UNAVAILABLE, B.CONFIGURATION, True, False, "credentials"),
    ),
    "registry unreachable": (
        pod("Pending", container(waiting("ImagePullBackOff", REFUSED))),
        *(60, C.IMAGE_UNAVAILABLE, B.PLATFORM, False, True, "could not be reached"),
    ),
    "registry unreachable for too long": (
        pod("Pending", container(waiting("ImagePullBackOff", REFUSED))),
        *(72, C.IMAGE_UNAVAILABLE, B.PLATFORM, True, True, "could not be reached"),
    ),
    "image of a sidecar": (
        pod("Pending", container(running(), ready=True), container(waiting("ErrImagePull", "x: not found"), "proxy")),
        *(20, C.IMAGE_UNAVAILABLE, B.IMAGE, True, False, "has no such image"),
    ),
    "image of an init container": (
        pod("Pending", container(waiting("PodInitializing")), init=(container(waiting("InvalidImageName"), "setup"),)),
        *(20, C.IMAGE_INVALID, B.IMAGE, True, False, "name"),
    ),
    "image must not be pulled": (
        pod("Pending", container(waiting("ErrImageNeverPull", "x"))),
        *(2, C.IMAGE_UNAVAILABLE, B.IMAGE, True, False, "must not be pulled"),
    ),
    "image name": (
        pod("Pending", container(waiting("InvalidImageName", "bad"))),
        *(2, C.IMAGE_INVALID, B.IMAGE, True, False, "bad"),
    ),
    "image signature": (
        pod("Pending", container(waiting("SignatureValidationFailed", "bad"))),
        *(2, C.IMAGE_INVALID, B.IMAGE, True, False, "signature"),
    ),
    "config missing": (
        pod("Pending", container(waiting("CreateContainerConfigError", 'secret "s" not found'))),
        *(11, C.CONFIG_INVALID, B.CONFIGURATION, True, False, '"s" not found'),
    ),
    "config contradicts the image": (
        pod("Pending", container(waiting("CreateContainerConfigError", "image will run as root"))),
        *(2, C.CONFIG_INVALID, B.CONFIGURATION, True, False, "as root"),
    ),
    "config not read yet": (
        pod("Pending", container(waiting("CreateContainerConfigError", "failed to sync secret cache: timed out"))),
        *(20, C.START_FAILED, B.PLATFORM, False, True, "failed to sync"),
    ),
    "no program": (
        pod("Pending", container(waiting("CreateContainerError", "no command specified"))),
        *(2, C.START_FAILED, B.IMAGE, True, False, "no program of its own"),
    ),
    "container cannot be made": (
        pod("Pending", container(waiting("CreateContainerError", "name is reserved"))),
        *(20, C.START_FAILED, B.PLATFORM, False, True, "tries again: name is reserved"),
    ),
    "gated": (
        unscheduled("SchedulingGated", gates=("kueue.x-k8s.io/admission",)),
        *(9000, C.SCHEDULING_GATED, B.OPERATOR, False, True, "kueue.x-k8s.io/admission"),
    ),
    "gated, and the scheduler does not say so": (
        pod(conditions=(), node="", gates=("a", "hodei.io/b")),
        *(20, C.SCHEDULING_GATED, B.OPERATOR, False, True, "a, hodei.io/b"),
    ),
    "gated by a creator that is gone": (
        unscheduled("SchedulingGated", gates=("hodei.io/secret",)),
        *(301, C.SCHEDULING_GATED, B.OPERATOR, False, True, "hodei.io/secret"),
    ),
    "no room": (
        unscheduled("Unschedulable", FULL),
        20,
        C.UNSCHEDULABLE,
        B.CAPACITY,
        False,
        True,
        "none of the 2 nodes",
    ),
    "no node fits": (
        unscheduled("Unschedulable", MISFIT),
        *(20, C.UNSCHEDULABLE, B.CONFIGURATION, False, True, "affinity/selector"),
    ),
    "no nodes": (
        unscheduled("Unschedulable", "no nodes available to schedule pods"),
        *(20, C.UNSCHEDULABLE, B.CAPACITY, False, True, "the cluster has no nodes"),
    ),
    "cordoned": (
        unscheduled("Unschedulable", "0/1 nodes are available: 1 node(s) were unschedulable."),
        *(20, C.UNSCHEDULABLE, B.OPERATOR, False, True, "the one node"),
    ),
    "scheduler fails": (
        unscheduled("SchedulerError", "binding rejected"),
        *(20, C.UNSCHEDULABLE, B.PLATFORM, False, True, "binding rejected"),
    ),
    "claim missing": (
        unscheduled("Unschedulable", '0/1 nodes are available: persistentvolumeclaim "c" not found.'),
        *(11, C.VOLUME_UNAVAILABLE, B.CONFIGURATION, True, False, '"c" not found'),
    ),
    "claim not bound": (
        unscheduled("Unschedulable", UNBOUND),
        *(20, C.VOLUME_UNAVAILABLE, B.PLATFORM, False, True, "unbound immediate"),
    ),
    "claim of an ephemeral volume": (
        unscheduled(
            "Unschedulable",
            "0/1 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "
            '"p-scratch". not found.',
        ),
        *(20, C.VOLUME_UNAVAILABLE, B.PLATFORM, False, True, "p-scratch"),
    ),
    "two states at once": (
        pod("Running", container(running() | terminated(0))),
        *(20, C.UNKNOWN, B.PLATFORM, False, True, "contradicts itself"),
    ),
    "succeeded with an exit code": (pod("Succeeded", ended(1)), 20, C.UNKNOWN, B.PLATFORM, False, True, "exit code 1"),
    "succeeded and runs": (
        pod("Succeeded", container(running())),
        *(20, C.UNKNOWN, B.PLATFORM, False, True, "running"),
    ),
    "failed and runs": (pod("Failed", container(running())), 20, C.UNKNOWN, B.PLATFORM, False, True, "running"),
    "runs without a node": (
        pod("Running", conditions=(condition("PodScheduled", "False", "Unschedulable"),), node=""),
        *(20, C.UNKNOWN, B.PLATFORM, False, True, "Unschedulable"),
    ),
    "a phase of the future": (pod("Paused"), 20, C.UNKNOWN, B.PLATFORM, False, True, "Paused"),
}

WELL = {
    "just created": (pod(conditions=(), node=""), 1),
    "a node is sought": (pod(conditions=(), node=""), 299),
    "the image is pulled": (pod("Pending", container(waiting("ContainerCreating"))), 500),
    "runs, not ready": (pod("Running", container(running())), 200),
    "ready": (pod("Running", container(running(), ready=True), conditions=READY), 9999),
    "succeeded": (pod("Succeeded", ended(0, "Completed")), 9999),
    "succeeded, a sidecar goes on": (pod("Running", ended(0, "Completed"), container(running(), "proxy")), 9999),
    "succeeded, a sidecar failed": (pod("Failed", ended(0, "Completed"), container(terminated(1), "proxy")), 9999),
    "ended well, then disrupted": (
        disrupted("EvictionByEvictionAPI", ended(0, "Completed", end=7), phase="Running"),
        20,
    ),
    "succeeded, and was drained": (disrupted("EvictionByEvictionAPI", ended(0, "Completed"), phase="Succeeded"), 20),
    "deleted": (pod("Running", container(running(), ready=True), deleted=10), 40),
    "deleted, with finalizers": (pod("Running", container(running()), deleted=10, finalizers=("a",)), 60),
    "deleted in time to the second": (pod("Running", container(running()), deleted=10), 70),
    "ended because it was deleted": (pod("Failed", ended(143, end=11), deleted=10), 40),
    "ended, and its deletion is confirmed": (pod("Failed", ended(137, end=11), deleted=12, grace=0), 40),
    "its init container fails as it is deleted": (
        pod("Pending", container(waiting("PodInitializing")), init=(container(terminated(143), "setup"),), deleted=9),
        20,
    ),
    "runs again after a crash": (
        pod("Running", container(running(), ready=True, restarts=1, last=terminated(1))),
        9999,
    ),
    "a native sidecar ended with an error": (
        pod("Running", container(running(), ready=True), init=(container(terminated(1), "p"),), sidecars=("p",)),
        9999,
    ),
    "a native sidecar crashes while the worker waits": (
        pod("Pending", container(waiting("PodInitializing")), init=(container(terminated(1), "p"),), sidecars=("p",)),
        20,
    ),
    "a readiness gate is closed": (
        pod(
            "Running",
            container(running(), ready=True),
            conditions=(condition("Ready", "False", "ReadinessGatesNotReady"), condition("ContainersReady")),
        ),
        9999,
    ),
    "its creator makes its Secret": (unscheduled("SchedulingGated", gates=("hodei.io/secret",)), 299),
    "its Secret is young": (
        pod("Pending", container(waiting("CreateContainerConfigError", 'secret "s" not found'))),
        9,
    ),
    "its claim is young": (
        unscheduled("Unschedulable", '0/1 nodes are available: persistentvolumeclaim "c" not found.'),
        9,
    ),
    "a crash loop of a sidecar while it runs": (
        pod("Running", container(running(), ready=True), container(waiting("CrashLoopBackOff"), "proxy", restarts=9)),
        9999,
    ),
    "a deletion with a time that is none": (pod("Running", container(running()), deleted=-(10**9)), -(10**9) - 10),
}  # fmt: skip


@pytest.mark.parametrize("name", POD_ALONE)
def test_the_verdict_on_a_pod_alone(name: str) -> None:
    of, now, category, blame, terminal, retryable, words = POD_ALONE[name]
    found = verdict(of, now)
    assert found is not None
    assert (found.category, found.blame, found.terminal, found.retryable) == (category, blame, terminal, retryable)
    assert words in found.summary
    assert found.evidence
    assert all(item.source and item.says for item in found.evidence)


@pytest.mark.parametrize("name", WELL)
def test_nothing_is_wrong(name: str) -> None:
    of, now = WELL[name]
    assert verdict(of, now) is None


def test_every_category_is_here_or_in_the_other_tables() -> None:
    here = {row[2] for row in POD_ALONE.values()}
    assert set(Category) - here == {C.QUOTA_EXCEEDED, C.ADMISSION_DENIED, C.STARTUP_TIMEOUT}


def test_what_an_end_says_is_in_the_verdict() -> None:
    found = verdict(pod("Failed", ended(139, message="core dumped")))
    assert found is not None
    assert (found.exit_code, found.signal, found.termination_message) == (139, "SIGSEGV", "core dumped")


def test_a_trouble_of_the_start_names_its_stage() -> None:
    found = verdict(unscheduled("Unschedulable", FULL))
    assert found is not None
    assert (found.stage, found.nodes) == (Stage.SCHEDULE, 2)


# Events.

MOUNT = 'MountVolume.SetUp failed for volume "v" : {}'
PREPARING = pod(
    "Pending",
    container(waiting("ContainerCreating")),
    conditions=(condition("PodScheduled"), condition("PodReadyToStartContainers", "False")),
)


@pytest.mark.parametrize(
    ("events", "now", "category", "blame", "terminal"),
    [
        ([event("FailedMount", MOUNT.format('secret "s" not found'))], 11, C.VOLUME_UNAVAILABLE, B.CONFIGURATION, True),
        ([event("FailedMount", MOUNT.format("timed out"))], 11, C.VOLUME_UNAVAILABLE, B.PLATFORM, False),
        ([event("FailedAttachVolume", "Multi-Attach error")], 11, C.VOLUME_UNAVAILABLE, B.PLATFORM, False),
        ([event("FailedCreatePodSandBox", "no address")], 11, C.START_FAILED, B.PLATFORM, False),
        ([event("FailedMount", MOUNT.format('object "n"/"s" not registered'))], 11, None, None, None),
        ([event("FailedMount", MOUNT.format('secret "s" not found'))], 9, None, None, None),
        ([event("Scheduled", "assigned")], 11, None, None, None),
    ],
)
def test_what_only_events_tell(
    events: list[Event], now: float, category: Category | None, blame: Blame | None, terminal: bool | None
) -> None:
    found = examine(PREPARING, events, now=T0 + now)
    got = None if found.verdict is None else (found.verdict.category, found.verdict.blame, found.verdict.terminal)
    assert got == (None if category is None else (category, blame, terminal))
    assert found.recheck_after is not None or terminal


def test_events_are_wanted_when_a_node_takes_its_time_and_not_before() -> None:
    early, late = examine(PREPARING, now=T0 + 2), examine(PREPARING, now=T0 + 5)
    assert (early.wants_events, early.recheck_after) == (False, 2)
    assert (late.wants_events, late.recheck_after) == (True, 5)
    there = pod(
        "Pending",
        container(waiting("ContainerCreating")),
        conditions=(condition("PodScheduled"), condition("PodReadyToStartContainers")),
    )
    assert examine(there, now=T0 + 5).wants_events is False


def test_events_about_another_pod_do_not_count() -> None:
    other = event("FailedMount", MOUNT.format('secret "s" not found'))
    elsewhere = pod("Pending", container(waiting("ContainerCreating")))
    meta = msgspec.structs.replace(elsewhere.metadata, uid="uid-2")
    assert diagnose(msgspec.structs.replace(elsewhere, metadata=meta), [other], now=T0 + 60) is None
    assert diagnose(elsewhere, [other], now=T0 + 60) is not None


GROUPS_FULL = event("NotTriggerScaleUp", "pod didn't trigger scale-up: 2 max node group size reached")
NEVER_FITS = event(
    "NotTriggerScaleUp", "pod didn't trigger scale-up: 2 node(s) didn't match Pod's node affinity/selector"
)
SILENT = event("NotTriggerScaleUp", "pod didn't trigger scale-up:")


@pytest.mark.parametrize(
    ("message", "events", "terminal"),
    [
        (MISFIT, [NEVER_FITS], True),
        (MISFIT, [GROUPS_FULL], False),
        (MISFIT, [SILENT], False),
        (MISFIT, [], False),
        (FULL, [NEVER_FITS], False),  # it fits a node of today, once that is free
        (MISFIT, [NEVER_FITS, event("TriggeredScaleUp", "1->2", last=9)], False),
        (MISFIT, [event("TriggeredScaleUp", "1->2", last=4), NEVER_FITS], True),
        (MISFIT, [NEVER_FITS, event("Nominated", "Pod should schedule on: nodeclaim/x", last=9)], False),
    ],
)
def test_when_an_autoscaler_says_that_no_node_will_come(message: str, events: list[Event], terminal: bool) -> None:
    found = verdict(unscheduled("Unschedulable", message), 20, tuple(events))
    assert found is not None
    assert (found.category, found.terminal, found.retryable) == (C.UNSCHEDULABLE, terminal, not terminal)


@pytest.mark.parametrize("coming", [event("TriggeredScaleUp", "1->2"), event("Nominated", "nodeclaim/x")])
def test_a_node_that_is_being_added_is_waited_for_longer(coming: Event) -> None:
    of = unscheduled("Unschedulable", FULL)
    alone, added = verdict(of, 400), verdict(of, 400, (coming,))
    assert alone is not None
    assert added is not None
    assert (alone.category, added.category) == (C.STARTUP_TIMEOUT, C.UNSCHEDULABLE)
    assert "a node is being added" in added.summary
    late = verdict(of, 901, (coming,))
    assert late is not None
    assert late.category is C.STARTUP_TIMEOUT


@pytest.mark.parametrize(("count", "terminal"), [(3, False), (4, True)])
def test_events_count_the_pulls_that_failed(count: int, terminal: bool) -> None:
    of = pod("Pending", container(waiting("ImagePullBackOff", REFUSED)))
    found = examine(of, [event("Failed", PULL_FAILED, count=count)], now=T0 + 100)
    assert found.verdict is not None
    assert found.verdict.terminal is terminal
    assert f"{count} times" in found.verdict.summary


def test_a_back_off_that_does_not_say_why_is_explained_by_its_event() -> None:
    of = pod("Pending", container(waiting("ImagePullBackOff", BACK_OFF)))
    alone = examine(of, now=T0 + 5)
    assert alone.wants_events
    assert alone.verdict is not None
    assert not alone.verdict.terminal
    told = verdict(of, 5, (event("Failed", 'Failed to pull image "r/x": r/x: not found'),))
    assert told is not None
    assert (told.terminal, told.blame) == (True, B.IMAGE)


@pytest.mark.parametrize(
    ("retries", "seconds"), [(0, 0), (1, 10), (2, 30), (3, 70), (5, 310), (6, 610), (10**9, 310 + 300 * (10**9 - 5))]
)
def test_the_kubelet_waits_longer_after_each_pull(retries: int, seconds: float) -> None:
    assert back_off_sum(retries) == seconds
