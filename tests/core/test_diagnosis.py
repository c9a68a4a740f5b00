"""The verdict on made Pods: every category, in the forms that it comes in, and what is no trouble."""

from __future__ import annotations

import pytest

from hodei_k8s_core.pod import Pod
from hodei_k8s_core.verdict import Blame, Category, Stage
from tests.core.made_pods import (
    BACK_OFF,
    FULL,
    IS_READY,
    MISFIT,
    UNREACHABLE,
    condition,
    container,
    disrupted,
    ended,
    pod,
    running,
    terminated,
    unscheduled,
    verdict,
    waiting,
)

C, B = Category, Blame
CUT_OFF = condition("Ready", "False"), condition("ContainersReady")
UNBOUND = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."
ABSENT = f"{BACK_OFF}: ErrImagePull: r/x: not found"


def failed(reason: str, message: str = "", *containers: dict, **more: object) -> Pod:
    return pod("Failed", *containers, reason=reason, message=message, **more)


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
            conditions=(condition("DisruptionTarget", "True", "TerminationByKubelet"),),
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
    "node gone, and nobody deletes it": (
        pod("Failed", container(running()), conditions=(condition("DisruptionTarget", "True", "DeletionByPodGC"),)),
        *(20, C.NODE_LOST, B.PLATFORM, True, True, "is gone"),
    ),
    "drained, and ended well in the same second": (
        pod(
            "Running",
            ended(0, "Completed", end=8),
            conditions=(condition("DisruptionTarget", "True", "EvictionByEvictionAPI", since=8),),
        ),
        *(20, C.EVICTED, B.OPERATOR, True, True, "drained"),
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
        pod("Running", container(running(), ready=True), conditions=IS_READY, deleted=10),
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
        pod("Pending", container(waiting("ImagePullBackOff", UNREACHABLE))),
        *(60, C.IMAGE_UNAVAILABLE, B.PLATFORM, False, True, "could not be reached"),
    ),
    "registry unreachable for too long": (
        pod("Pending", container(waiting("ImagePullBackOff", UNREACHABLE))),
        *(72, C.IMAGE_UNAVAILABLE, B.PLATFORM, True, True, "could not be reached"),
    ),
    "registry unreachable for just too long": (
        pod("Pending", container(waiting("ImagePullBackOff", UNREACHABLE))),
        *(71, C.IMAGE_UNAVAILABLE, B.PLATFORM, True, True, "could not be reached"),
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


@pytest.mark.parametrize("name", POD_ALONE)
def test_the_verdict_on_a_pod_alone(name: str) -> None:
    of, now, category, blame, terminal, retryable, words = POD_ALONE[name]
    found = verdict(of, now)
    assert found is not None
    assert (found.category, found.blame, found.terminal, found.retryable) == (category, blame, terminal, retryable)
    assert words in found.summary
    assert found.evidence
    assert all(item.source and item.says for item in found.evidence)


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
