"""What operations observe for metrics, where it arises: phases, troubles, watches that are heard, logs, gaps."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core import operations
from hodei_k8s_core.effects import SILENCE
from hodei_k8s_core.log_entry import LogGap
from hodei_k8s_core.observations import (
    LogGapMet,
    LogReceived,
    PodStarted,
    ReconcilePlanned,
    VerdictMet,
    WatchHeard,
)
from hodei_k8s_core.operations.reconcile import plan_fleet
from hodei_k8s_core.simulation import Behaviour, CutStream, LoseRequest, Rule, World
from hodei_k8s_core.verdict import Blame, Category
from hodei_k8s_core.worker import WorkerState
from tests.core.fleet_history import NAMES
from tests.core.operation_cases import CONFIG
from tests.core.test_apply_plan import aged
from tests.core.test_follow_worker_logs import LINES, follow, size_of_log, world_with
from tests.core.test_wait_for_workers import BEHAVIOURS, created
from tests.core.test_wait_verdicts import ABSENT, wait, world_of
from tests.core.test_watch_workers import item, watched
from tests.core.watch_script import OPEN, After, bookmark, page


def seen(outcome: Any, kind: type) -> list[Any]:
    return [one for one in outcome.observations if isinstance(one, kind)]


def test_a_start_tells_its_phases() -> None:
    world = World(behaviours=BEHAVIOURS)
    outcome = world.run(operations.wait_for_worker(CONFIG, created(world, "w1")))
    (start,) = seen(outcome, PodStarted)
    assert start.phases.keys() >= {"schedule", "start", "ready"}
    assert sum(start.phases.values()) == pytest.approx(start.seconds, abs=1)


def test_a_wait_tells_of_a_trouble_once() -> None:
    outcome = wait(world_of(ABSENT))
    (met,) = seen(outcome, VerdictMet)
    assert (met.category, met.blame, met.terminal) == (Category.IMAGE_UNAVAILABLE, Blame.IMAGE, True)
    assert met.pod_uid


def test_a_wait_for_many_tells_of_the_trouble_of_each() -> None:
    world = World(behaviours={"bad:1": Behaviour(exit_code=3, run=1.0), "job:1": Behaviour()})
    handles = [created(world, "w1", "bad:1"), created(world, "w2", "job:1")]
    outcome = world.run(operations.wait_for_workers(CONFIG, handles, until=WorkerState.BUSY, timeout=30))
    assert [met.category for met in seen(outcome, VerdictMet)] == [Category.EXITED]


def test_a_watch_tells_that_it_is_heard_once_a_second_at_most() -> None:
    quick = [After(0.3, bookmark(200 + n)) for n in range(8)]
    script = watched(page(item(NAMES[0], 1)), OPEN, *quick, After(60.0, SILENCE))
    heard = [one for one in script.observations if isinstance(one, WatchHeard)]
    assert heard == [WatchHeard("fleet")] * 3


def test_a_wait_does_not_speak_for_the_watch_on_the_fleet() -> None:
    world = World(behaviours=BEHAVIOURS)
    handle = created(world, "w1")
    assert not seen(world.run(operations.wait_for_worker(CONFIG, handle)), WatchHeard)
    assert not seen(world.run(operations.wait_for_workers(CONFIG, [handle])), WatchHeard)


def test_a_followed_log_tells_how_many_bytes_came() -> None:
    world, handle = world_with()
    outcome = follow(world, handle)
    assert sum(one.size for one in seen(outcome, LogReceived)) >= size_of_log()
    whole = world.run(operations.get_worker_logs(CONFIG, handle))
    assert len(whole.result) == len(LINES)
    assert sum(one.size for one in seen(whole, LogReceived)) == size_of_log()


def test_a_gap_in_a_log_is_told() -> None:
    world, handle = world_with()
    world.plan.add(Rule("get", "pods/log", CutStream(38 * 7)))
    for request in ("get", "list"):
        world.plan.add(Rule(request, "pods", LoseRequest(), nth=2, times=6))
    world.at(4.6, lambda cluster: cluster.rotate_logs(4.6))
    outcome = follow(world, handle)
    gaps = [one.reason.value for one in outcome.emitted if isinstance(one, LogGap)]
    assert [one.reason for one in seen(outcome, LogGapMet)] == gaps == ["rotated"]


def test_a_plan_tells_how_much_it_would_do() -> None:
    world, _ = aged()
    outcome = world.run(plan_fleet(CONFIG, []))
    assert seen(outcome, ReconcilePlanned) == [ReconcilePlanned({"destroy orphan": 1}, False)]
