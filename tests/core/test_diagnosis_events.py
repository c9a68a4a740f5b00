"""What events add to the verdict on a Pod: what only they tell, how often pulls failed, what an autoscaler does."""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core.diagnosis import diagnose, examine
from hodei_k8s_core.diagnosis.waiting import back_off_sum
from hodei_k8s_core.event_list import Event
from hodei_k8s_core.verdict import Blame, Category
from tests.core.made_pods import (
    BACK_OFF,
    FULL,
    MISFIT,
    T0,
    UNREACHABLE,
    condition,
    container,
    event,
    pod,
    unscheduled,
    verdict,
    waiting,
)

C, B = Category, Blame
PULL_FAILED = 'Failed to pull image "r/x": dial tcp: connection refused'
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
    assert found.verdict is None or found.verdict.retryable is not terminal
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
    of = pod("Pending", container(waiting("ImagePullBackOff", UNREACHABLE)))
    found = examine(of, [event("Failed", PULL_FAILED, count=count)], now=T0 + 100)
    assert found.verdict is not None
    assert found.verdict.terminal is terminal
    assert f"{count} times" in found.verdict.summary
    assert f"event Failed (x{count}): {PULL_FAILED}" in map(str, found.verdict.evidence)


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


def test_what_the_pod_says_of_its_pull_counts_more_than_an_older_event() -> None:
    of = pod("Pending", container(waiting("ErrImagePull", "r/x: not found")))
    found = verdict(of, 5, (event("Failed", PULL_FAILED),))
    assert found is not None
    assert (found.terminal, found.blame) == (True, B.IMAGE)


def test_a_claim_that_is_not_bound_is_looked_at_again() -> None:
    of = unscheduled("Unschedulable", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
    early, late = examine(of, now=T0 + 1), examine(of, now=T0 + 40)
    assert (early.wants_events, early.recheck_after) == (False, 5)
    assert (late.wants_events, late.recheck_after) == (True, 20)
