"""What pages and events change: told once, whole, and as far as it is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.diagnosis.look import Judge, Look
from hodei_k8s_core.operations.fleet_fold import FIRST_RECHECK, FleetFold
from hodei_k8s_core.operations.pod_listing import Page
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.simulation.wire import EPOCH
from hodei_k8s_core.verdict import Category
from hodei_k8s_core.watch_event import Added, Deleted, Modified
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_core.worker_change import WorkerChange
from tests.core.fleet_history import annotated, pod_json, running, with_meta

NOW = float(EPOCH + 1)


def pod(name: str, uid: str = "u1", *changes: Any) -> Pod:
    value = pod_json(f"hodei-worker-{name}", uid)
    for change in changes:
        value = change(value)
    return parse_pod(msgspec.json.encode(value))


def look_at(name: str, now: float) -> Look:
    return Look(pod(name), now, Judge(StartupPolicy()))


def listed(*pods: Pod, begins: bool = True, ends: bool = True) -> Page:
    return Page(pods, "1", begins=begins, ends=ends)


def told(changes: Sequence[WorkerChange]) -> list[tuple[str, str, bool]]:
    return [(change.kind.value, change.worker_id, change.gone) for change in changes]


@pytest.fixture
def fold() -> FleetFold:
    return FleetFold(StartupPolicy())


def test_a_list_adds_and_a_list_again_tells_nothing(fold: FleetFold) -> None:
    both = listed(pod("a"), pod("b"))
    assert told(fold.page(both, NOW)) == [("added", "a", False), ("added", "b", False)]
    assert fold.page(both, NOW) == []


def test_what_a_list_does_not_show_any_more_is_removed_with_its_last_state(fold: FleetFold) -> None:
    fold.page(listed(pod("a", "u1", running), pod("b")), NOW)
    [removed] = fold.page(listed(pod("b")), NOW)
    assert told([removed]) == [("removed", "a", False)]
    assert removed.info.state is WorkerState.READY


def test_removals_come_with_the_last_page(fold: FleetFold) -> None:
    fold.page(listed(pod("a"), pod("b"), pod("c")), NOW)
    assert fold.page(listed(pod("b"), ends=False), NOW) == []
    assert told(fold.page(listed(pod("c"), begins=False), NOW)) == [("removed", "a", False)]


def test_a_list_that_begins_again_forgets_the_pages_before(fold: FleetFold) -> None:
    """`a` was in a page of a list that was given up; it is gone by the time of the next."""
    fold.page(listed(pod("a"), pod("b")), NOW)
    fold.page(listed(pod("a"), ends=False), NOW)
    assert told(fold.page(listed(pod("b")), NOW)) == [("removed", "a", False)]


def test_the_same_name_with_another_uid_is_removed_and_added(fold: FleetFold) -> None:
    fold.page(listed(pod("a")), NOW)
    assert told(fold.page(listed(pod("a", "u2")), NOW)) == [("removed", "a", True), ("added", "a", False)]
    assert told(fold.events([Modified(pod("a", "u3"))], NOW)) == [("removed", "a", True), ("added", "a", False)]


def test_a_change_that_no_host_can_see_is_none(fold: FleetFold) -> None:
    fold.events([Added(pod("a"))], NOW)
    assert fold.events([Modified(pod("a", "u1", lambda pod: annotated(pod, "other.io/x", "1")))], NOW) == []
    assert fold.events([Added(pod("a"))], NOW) == []
    assert told(fold.events([Modified(pod("a", "u1", running))], NOW)) == [("changed", "a", False)]


def test_a_deletion_that_was_under_way_is_told_as_done(fold: FleetFold) -> None:
    fold.events([Added(pod("a")), Added(pod("b"))], NOW)
    deleting = pod("a", "u1", lambda pod: with_meta(pod, deletionTimestamp="2026-09-21T14:13:50Z"))
    assert told(fold.events([Deleted(deleting), Deleted(pod("b"))], NOW)) == [
        ("removed", "a", True),
        ("removed", "b", False),
    ]


def test_a_removal_is_told_once_and_not_of_another_pod(fold: FleetFold) -> None:
    fold.events([Added(pod("a", "u2"))], NOW)
    assert fold.events([Deleted(pod("a", "u1")), Deleted(pod("z"))], NOW) == []
    assert len(fold.events([Deleted(pod("a", "u2")), Deleted(pod("a", "u2"))], NOW)) == 1


def test_time_alone_can_change_a_verdict(fold: FleetFold) -> None:
    """A worker whose node does nothing: no event comes, and its start runs out of time."""
    fold.events([Added(pod("a"))], NOW)
    assert NOW < fold.recheck_at < NOW + 10
    assert fold.recheck(fold.recheck_at) == []
    changes: list[WorkerChange] = []
    while not changes:
        changes = fold.recheck(fold.recheck_at)
    assert told(changes) == [("changed", "a", False)]
    assert changes[0].info.verdict is not None
    assert changes[0].info.verdict.category is Category.STARTUP_TIMEOUT
    assert fold.recheck_at == float("inf")


def test_only_what_is_due_is_looked_at_again(fold: FleetFold) -> None:
    fold.events([Added(pod("a"))], NOW)
    before = fold.recheck_at
    assert fold.recheck(NOW) == []
    assert fold.recheck_at == before


def test_a_verdict_that_only_counts_seconds_is_not_told_again(fold: FleetFold) -> None:
    """Its evidence says by how much a deletion is late, at every look another number."""
    overdue = pod("a", "u1", lambda pod: with_meta(pod, deletionTimestamp="2026-09-21T14:13:30Z"))
    [added] = fold.events([Added(overdue)], NOW + 100)
    assert added.info.verdict is not None
    assert fold.events([Modified(overdue)], NOW + 130) == []


def test_memory_is_bounded_by_the_fleet(fold: FleetFold) -> None:
    for round_ in range(50):
        name = pod("a", f"u{round_}")
        fold.events([Added(name), Modified(name), Deleted(name)], NOW)
    assert len(fold) == 0
    fold.page(listed(*(pod(f"w{n}") for n in range(20))), NOW)
    assert len(fold) == 20


def test_a_pod_is_examined_when_time_can_have_changed_what_was_said_of_it(fold: FleetFold) -> None:
    """Until a second has passed nobody knows when that is; then it is known exactly."""
    fold.events([Added(pod("a"))], NOW)
    assert fold.recheck_at == NOW + FIRST_RECHECK
    assert fold.recheck(fold.recheck_at) == []
    assert fold.recheck_at == look_at("a", NOW).recheck_at
    assert fold.changing("hodei-worker-a") == pod("a")
    assert fold.changing("hodei-worker-z") is None
    fold.events([Modified(pod("a", "u1", running))], NOW + 2)
    assert fold.changing("hodei-worker-a") is None
    fold.recheck(NOW + 2)
    assert fold.recheck_at == float("inf")


def test_events_can_say_more_of_what_stands_still(fold: FleetFold) -> None:
    later = NOW + 60
    fold.events([Added(pod("a")), Added(pod("b", "u2", running))], later)
    fold.find_puzzles()
    assert dict(fold.puzzles) == {"u1": pod("a")}
    fold.events([Deleted(pod("a"))], later)
    assert not fold.puzzles


def test_the_same_pod_again_is_looked_at_only_when_it_is_time(fold: FleetFold) -> None:
    fold.events([Added(pod("a"))], NOW)
    assert fold.events([Modified(pod("a"))], NOW + 10_000)[0].info.verdict is not None
    assert fold.page(listed(pod("a")), NOW + 20_000) == []
