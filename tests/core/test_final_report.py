"""Destroying with a report: nothing that the worker wrote is missing, whatever happens on the way."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core import operations
from hodei_k8s_core.errors import ConfigurationError, Timeout
from hodei_k8s_core.observations import PodDestroyed
from hodei_k8s_core.simulation import Behaviour, CutStream, Rule, Stall, StallStream, World, image_cannot_be_pulled
from hodei_k8s_core.verdict import Category
from hodei_k8s_core.worker import WorkerHandle, WorkerState
from tests.core.operation_cases import CONFIG, SPEC, ended, pods, ready

TALKS = Behaviour(logs=((0.0, "one"), (0.3, "two")), on_term=("stopping", "stopped"), term=1.5)
ALL = ["one", "two", "stopping", "stopped"]


def world_with(behaviour: Behaviour = TALKS) -> tuple[World, WorkerHandle]:
    world = World(behaviours={"job:1": behaviour})
    handle = ready(world) if behaviour.fail is None else world.run(operations.create_worker(CONFIG, SPEC)).result
    world.advance(2)
    return world, handle


def destroy(world: World, handle: WorkerHandle, **options: Any) -> Any:
    return world.run(operations.destroy_worker_with_report(CONFIG, handle, **options))


def messages(report: Any) -> list[str]:
    return [line.message for line in report.lines]


def test_the_last_words_are_in_the_report() -> None:
    world, handle = world_with()
    outcome = destroy(world, handle)
    report = outcome.result
    assert messages(report) == ALL
    assert report.is_complete
    assert (report.state, report.exit_code, report.signal) == (WorkerState.TERMINATED, 143, "SIGTERM")
    assert report.worker_id == "w1"
    assert report.verdict is None
    assert {"created", "started", "finished", "deleted"} <= set(report.timeline.reached)
    assert report.cursor == report.lines[-1].cursor
    assert pods(world) == 0
    assert any(isinstance(told, PodDestroyed) for told in outcome.observations)
    assert outcome.emitted == []


def test_the_log_is_open_before_the_delete() -> None:
    world, handle = world_with()
    requests = [(request.method, request.path) for request in destroy(world, handle).requests]
    deleted = requests.index(("DELETE", f"/api/v1/namespaces/{CONFIG.namespace}/pods/{handle.pod_name}"))
    assert any(path.endswith("/log") for _, path in requests[:deleted])


def test_only_so_many_lines() -> None:
    assert messages(destroy(*world_with(), last_lines=3).result) == ALL[1:]
    report = destroy(*world_with(), last_lines=0).result
    assert report.lines == ()
    assert report.cursor


@pytest.mark.parametrize(
    "fault", [CutStream(40), CutStream(40, clean=True), CutStream(0, saying=b"failed to open log file x")]
)
def test_a_log_that_breaks_is_opened_again(fault: CutStream) -> None:
    world, handle = world_with()
    world.plan.add(Rule("get", "pods/log", fault))
    report = destroy(world, handle).result
    assert messages(report) == ALL
    assert report.is_complete


@pytest.mark.parametrize("fault", [StallStream(0), Stall(), StallStream(40)])
def test_a_log_that_hangs_holds_nothing_up(fault: Any) -> None:
    world, handle = world_with()
    world.plan.add(Rule("get", "pods/log", fault, times=None))
    outcome = destroy(world, handle, grace_period=3)
    assert not outcome.result.is_complete
    assert outcome.seconds < 40
    assert pods(world) == 0


def test_a_worker_that_had_ended_before() -> None:
    world = World(behaviours={"job:1": Behaviour(logs=((0.0, "one"),), exit_code=3, run=0.5)})
    report = destroy(world, ended(world)).result
    assert messages(report) == ["one"]
    assert report.exit_code == 3
    assert report.verdict is not None
    assert report.verdict.category is Category.EXITED


def test_a_worker_that_never_ran() -> None:
    world, handle = world_with(Behaviour(fail=image_cannot_be_pulled("job:1")))
    report = destroy(world, handle).result
    assert (report.lines, report.cursor, report.is_complete) == ((), "", True)
    assert report.verdict is not None
    assert report.verdict.category is Category.IMAGE_UNAVAILABLE


def test_a_worker_that_is_gone() -> None:
    world, handle = world_with()
    world.run(operations.destroy_worker(CONFIG, handle))
    report = destroy(world, handle).result
    assert report.state is WorkerState.TERMINATED
    assert report.lines == ()


def test_a_pod_that_stays_is_told() -> None:
    world, handle = world_with(Behaviour(stops=False))
    error = destroy(world, handle, grace_period=2).error
    assert isinstance(error, Timeout)
    assert "has not confirmed" in str(error)


@pytest.mark.parametrize("options", [{"grace_period": 0.5}, {"last_lines": -1}])
def test_what_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    world, handle = world_with()
    assert isinstance(destroy(world, handle, **options).error, ConfigurationError)
    assert pods(world) == 1


def test_asking_for_the_end_does_not_wait_for_it() -> None:
    world, handle = world_with()
    outcome = world.run(operations.begin_destroy_worker(CONFIG, handle, grace_period=1))
    assert outcome.result is None
    assert outcome.seconds < 1
    assert pods(world) == 1
    world.advance(5)
    assert pods(world) == 0
    assert world.run(operations.begin_destroy_worker(CONFIG, handle)).result is None
