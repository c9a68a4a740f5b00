"""The watch that a view's waiters share: what events tell of an awaited worker, and of no other."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core import operations
from hodei_k8s_core.effects import StopRequested
from hodei_k8s_core.errors import NotReady, ProvisioningTimeout
from hodei_k8s_core.operations.attentive_watch import SharedWatch
from hodei_k8s_core.operations.worker_wait import Waits, WorkerWait
from hodei_k8s_core.simulation.behaviour import Behaviour, Unschedulable
from hodei_k8s_core.simulation.driver import Outcome, Throw
from hodei_k8s_core.simulation.world import World
from hodei_k8s_core.verdict import Category, Stage
from hodei_k8s_core.worker import WorkerHandle, WorkerState
from hodei_k8s_core.worker_change import FleetItem, WorkerChange
from tests.core.simulation_requests import delete
from tests.core.test_wait_for_workers import BEHAVIOURS, CONFIG, created
from tests.core.test_wait_for_workers_events import PATIENT, add_event, event_lists, stuck_world

READY = frozenset({WorkerState.READY})
BAD_VOLUME = 'MountVolume.SetUp failed for volume "v" : secret "absent" not found'

SOMEBODY = WorkerHandle(
    worker_id="other", provider_resource_id="hodei-worker-other", provider_id="tests", created_at=0.0
)
"""Whom nobody sees: the stream goes on for as long as it is waited for."""


class View:
    """Who waits, as the desk of a view does it; the stream ends when `enough`, or when nobody waits any more."""

    def __init__(self, config: Any = PATIENT) -> None:
        self.waits = Waits()
        self.watch = SharedWatch(config, self.waits)
        self.items: list[FleetItem] = []
        self.ended_at: dict[str, float] = {}

    def wait_for(self, handle: WorkerHandle) -> WorkerWait:
        wait = WorkerWait(handle, READY)
        self.waits.add(wait)
        return wait

    def run(self, world: World, *, seconds: float) -> Outcome[None]:
        began = world.now

        def on_emit(items: Any) -> Throw | None:
            for item in items:
                self.items.append(item)
                if not (isinstance(item, WorkerChange) and self.watch.is_hasty(item)):
                    over = self.waits.tell([item])
                    self.ended_at.update({wait.handle.worker_id: world.now - began for wait in over})
            return None if self.waits else Throw(StopRequested())

        limited = operations.with_deadline(self.watch.run(), seconds, what="run the view")
        return world.run(limited, on_emit=on_emit)


def ended_alone(world: World, handle: WorkerHandle) -> tuple[Any, float]:
    """How `wait_for_worker` ends, and after how many seconds."""
    outcome = world.run(operations.wait_for_worker(PATIENT, handle, timeout=600))
    return outcome.error, outcome.seconds


@pytest.mark.parametrize("fail", [None, Unschedulable()])
def test_a_worker_of_the_view_ends_as_one_that_is_waited_for_alone(fail: Any) -> None:
    options = () if fail is None else (fail,)
    alone, (handle,) = stuck_world(1, *options)
    ours, (same,) = stuck_world(1, *options)
    if fail is None:
        alone.at(2, lambda _: add_event(alone, handle, "FailedMount", BAD_VOLUME))
        ours.at(2, lambda _: add_event(ours, same, "FailedMount", BAD_VOLUME))
    expected, seconds = ended_alone(alone, handle)
    view = View()
    wait = view.wait_for(same)
    view.run(ours, seconds=600)
    assert type(wait.error) is type(expected)
    found = None if wait.error is None else wait.error.verdict
    assert found is not None
    assert (found.category, found.summary) == (expected.verdict.category, expected.verdict.summary)
    assert view.ended_at["stuck0"] == pytest.approx(seconds, abs=1.5)


def test_who_comes_to_wait_for_a_puzzle_is_noticed_though_the_server_tells_nothing() -> None:
    world, (handle,) = stuck_world(1)
    add_event(world, handle, "FailedMount", BAD_VOLUME)
    view = View()
    waits: list[WorkerWait] = []
    view.waits.add(WorkerWait(SOMEBODY, READY))
    world.at(20, lambda _: waits.append(view.wait_for(handle)))
    world.at(25, lambda _: view.waits.discard(next(iter(view.waits))))
    view.run(world, seconds=40)
    (wait,) = waits
    assert isinstance(wait.error, NotReady)
    assert wait.error.verdict is not None
    assert wait.error.verdict.category is Category.VOLUME_UNAVAILABLE
    assert view.ended_at["stuck0"] < 22


def test_as_long_as_nobody_waits_for_a_puzzle_no_events_are_asked_for() -> None:
    world, _ = stuck_world(3)
    view = View()
    view.waits.add(WorkerWait(SOMEBODY, READY))
    outcome = view.run(world, seconds=40)
    assert event_lists(outcome) == []
    assert any(isinstance(item, WorkerChange) and view.watch.is_hasty(item) for item in view.items)


def test_many_who_wait_for_stuck_workers_share_one_list_per_recheck() -> None:
    world, handles = stuck_world(30)
    view = View()
    for handle in handles:
        view.wait_for(handle)
    asked = event_lists(view.run(world, seconds=40))
    assert 2 <= len(asked) <= 8
    assert {request.parameter("fieldSelector") for request in asked} == {"involvedObject.kind=Pod"}


def test_an_awaited_worker_comes_with_its_timeline_and_another_without() -> None:
    world = World(behaviours=BEHAVIOURS)
    handle, _ = created(world, "w1"), created(world, "w2")
    view = View(CONFIG)
    wait = view.wait_for(handle)
    view.run(world, seconds=40)
    assert wait.info is not None
    assert wait.info.timeline is not None
    assert wait.info.timeline.ready is not None
    others = [item.info for item in view.items if isinstance(item, WorkerChange) and item.worker_id == "w2"]
    assert others
    assert all(info.timeline is None for info in others)


def test_a_puzzle_that_went_away_costs_no_look_any_more() -> None:
    """The other worker is well and only waited for, so nothing is due, and nothing spins."""
    world = World(behaviours={"stuck:1": Behaviour(pull=1000.0), "service:1": Behaviour()})
    handles = [created(world, "w1", "stuck:1"), created(world, "w2")]
    world.at(20, lambda cluster: cluster.handle(delete(handles[0].pod_name), world.now))
    outcome = world.run(operations.wait_for_workers(PATIENT, handles, until=WorkerState.BUSY, timeout=80))
    assert isinstance(outcome.result[0].error, NotReady)
    assert outcome.seconds == pytest.approx(80, abs=1)
    assert len(outcome.effects) < 300


def test_a_wait_that_runs_out_of_its_time_tells_the_stage_that_did() -> None:
    alone, (handle,) = stuck_world(1)
    expected: Any = alone.run(operations.wait_for_worker(PATIENT, handle, timeout=20)).error
    many, handles = stuck_world(2)
    for outcome in many.run(operations.wait_for_workers(PATIENT, handles, timeout=20)).result:
        assert isinstance(outcome.error, ProvisioningTimeout)
        assert outcome.error.verdict is not None
        assert outcome.error.verdict.stage is Stage.PULL
        assert outcome.error.verdict.summary == expected.verdict.summary
    view, (same,) = View(), handles[:1]
    assert view.watch.lateness(same, 20, 0.0) is None  # nothing was seen yet
    wait = view.wait_for(same)
    view.run(many, seconds=5)
    late = view.watch.lateness(same, 5, many.clock.wall)
    assert not wait.is_over
    assert late is not None
    assert (late.category, late.stage) == (Category.STARTUP_TIMEOUT, Stage.PULL)
