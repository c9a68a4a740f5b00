"""Pods of which nothing is wrong, however they look: `None`, as long as all is well or goes as it was asked to."""

from __future__ import annotations

import pytest

from tests.core.made_pods import (
    IS_READY,
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

WELL = {
    "just created": (pod(conditions=(), node=""), 1),
    "a node is sought": (pod(conditions=(), node=""), 299),
    "the image is pulled": (pod("Pending", container(waiting("ContainerCreating"))), 500),
    "runs, not ready": (pod("Running", container(running())), 200),
    "ready": (pod("Running", container(running(), ready=True), conditions=IS_READY), 9999),
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
    "its init container failed once, but it runs": (
        pod("Running", container(running(), ready=True), init=(container(terminated(1), "setup"),)),
        9999,
    ),
    "a gate was lifted just now": (unscheduled("SchedulingGated"), 20),
    "it has succeeded, whatever the scheduler said": (
        pod("Succeeded", conditions=(condition("PodScheduled", "False", "Unschedulable"),)),
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


@pytest.mark.parametrize("name", WELL)
def test_nothing_is_wrong(name: str) -> None:
    of, now = WELL[name]
    assert verdict(of, now) is None
