"""The coordinator of a fleet's logs: whom it follows, in which order it gives, and what it makes of failures."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core import operations
from hodei_k8s_core.coordinators import FleetLogItem, FleetLogs, Start
from hodei_k8s_core.coordinators.fleet_logs import WATCH
from hodei_k8s_core.errors import AuthenticationFailed, ConfigurationError, ConnectionFailed, WorkerNotFound
from hodei_k8s_core.log_entry import GapReason, LogEntry, LogGap
from hodei_k8s_core.simulation import Behaviour, World
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import ChangeKind, Freshness, WatchHealth, WorkerChange
from tests.core.operation_cases import CONFIG, SPEC

SYNCED = WatchHealth(freshness=Freshness.SYNCED, since=0.0)


def change(name: str, state: WorkerState = WorkerState.READY, kind: ChangeKind = ChangeKind.ADDED) -> WorkerChange:
    handle = WorkerHandle(
        worker_id=name,
        provider_resource_id=f"hodei-worker-{name}",
        provider_id="tests",
        created_at=0.0,
        metadata={"pod_uid": f"uid-{name}", "namespace": CONFIG.namespace},
    )
    return WorkerChange(kind=kind, info=WorkerInfo(handle=handle, state=state))


def started(actions: Any) -> list[str]:
    assert all(isinstance(action, Start) for action in actions)
    return [action.child for action in actions]


def lines(*messages: str) -> list[LogEntry]:
    return [LogEntry(1, message) for message in messages]


def taken(fleet: FleetLogs) -> list[tuple[str, list[str]]]:
    """Everything that can be taken, batch by batch."""
    batches = []
    while (batch := fleet.take()) is not None:
        child, items = batch
        assert all(isinstance(item, FleetLogItem) for item in items)
        batches.append((child, [item.message for item in items]))
    return batches


def following(*names: str) -> FleetLogs:
    fleet = FleetLogs(CONFIG)
    fleet.begin()
    fleet.emitted(WATCH, [change(name) for name in names])
    return fleet


def test_it_begins_with_the_watch() -> None:
    fleet = FleetLogs(CONFIG, selector="tier=fast")
    assert started(fleet.begin()) == [WATCH]
    assert fleet.take() is None
    assert not fleet.is_over


def test_a_worker_is_followed_once_it_has_begun() -> None:
    fleet = FleetLogs(CONFIG)
    assert fleet.emitted(WATCH, [change("a", WorkerState.CREATING), SYNCED]) == []
    again = change("a", WorkerState.CONNECTING, ChangeKind.CHANGED)
    assert started(fleet.emitted(WATCH, [again])) == ["uid-a"]
    assert fleet.emitted(WATCH, [change("a", WorkerState.READY, ChangeKind.CHANGED)]) == []
    assert started(fleet.emitted(WATCH, [change("b", WorkerState.TERMINATED)])) == ["uid-b"]


def test_all_are_given_in_turn_however_much_one_writes() -> None:
    fleet = following("a", "b")
    for number in range(3):
        assert fleet.has_room("uid-a")
        fleet.emitted("uid-a", lines(f"a{number}"))
        if number == 0:
            fleet.emitted("uid-b", lines("b0", "b1"))
        assert not fleet.has_room("uid-a")
        assert taken(fleet) == [("uid-a", [f"a{number}"]), *([("uid-b", ["b0", "b1"])] if number == 0 else [])]


def test_an_empty_batch_takes_no_turn() -> None:
    fleet = following("a")
    fleet.emitted("uid-a", [])
    assert fleet.take() is None
    assert fleet.has_room("uid-a")


def test_what_is_given_says_whose_it_is() -> None:
    fleet = following("a")
    fleet.emitted("uid-a", lines("x"))
    batch = fleet.take()
    assert batch is not None
    (item,) = batch[1]
    assert (item.worker_id, item.message, item.cursor) == ("a", "x", "")


@pytest.mark.parametrize(
    ("error", "reason"),
    [(WorkerNotFound("gone"), GapReason.GONE), (ConnectionFailed("away"), GapReason.UNAVAILABLE)],
)
def test_a_log_that_cannot_be_read_is_a_gap_behind_what_was_read(error: Exception, reason: GapReason) -> None:
    fleet = following("a")
    fleet.emitted("uid-a", lines("x"))
    assert not fleet.failed("uid-a", error)
    batch = fleet.take()
    assert batch is not None
    gap = batch[1][-1].item
    assert isinstance(gap, LogGap)
    assert (gap.reason, gap.detail) == (reason, str(error))
    assert len(batch[1]) == 2
    assert not fleet.is_over
    fleet = following("a")
    fleet.failed("uid-a", error)
    assert len(taken(fleet)) == 1


@pytest.mark.parametrize(("child", "error"), [(WATCH, AuthenticationFailed("no")), ("uid-a", RuntimeError("a bug"))])
def test_without_the_watch_it_is_over_and_bugs_are_told(child: str, error: Exception) -> None:
    fleet = following("a")
    fleet.failed(child, error)
    assert fleet.is_over
    assert fleet.error is error


def test_nothing_is_kept_of_workers_that_are_gone() -> None:
    fleet = FleetLogs(CONFIG)
    for name in map(str, range(5)):
        child = f"uid-{name}"
        fleet.emitted(WATCH, [change(name)])
        fleet.emitted(child, lines("x"))
        fleet.emitted(WATCH, [change(name, WorkerState.TERMINATED, ChangeKind.REMOVED)])
        fleet.ended(child, "")
        assert taken(fleet) == [(child, ["x"])]
    assert not fleet._followed
    assert not fleet._removed
    fleet.emitted(WATCH, [change("never", WorkerState.CREATING), change("never", kind=ChangeKind.REMOVED)])
    assert not fleet._removed


def first_log_request(fleet: FleetLogs, world: World, handle: WorkerHandle) -> Any:
    info = world.run(operations.describe_worker(CONFIG, handle)).result
    (start,) = fleet.emitted(WATCH, [WorkerChange(kind=ChangeKind.ADDED, info=info)])
    assert isinstance(start, Start)
    outcome = world.run(start.stream)
    return next(r for r in outcome.requests if r.path.endswith("/log")), outcome.emitted


def test_where_each_log_begins() -> None:
    world = World(behaviours={"job:1": Behaviour(logs=((0.0, "one"), (0.1, "two")), exit_code=0, run=0.5)})
    handle = world.run(operations.create_worker(CONFIG, SPEC)).result
    world.advance(5)
    request, entries = first_log_request(FleetLogs(CONFIG, tail=1), world, handle)
    assert request.parameter("tailLines") == "1"
    assert [entry.message for entry in entries] == ["two"]
    synced = FleetLogs(CONFIG, tail=1)
    synced.emitted(WATCH, [SYNCED])
    request, entries = first_log_request(synced, world, handle)
    assert request.parameter("tailLines") is None
    assert [entry.message for entry in entries] == ["one", "two"]
    _, rest = first_log_request(FleetLogs(CONFIG, since={"w1": entries[0].cursor}, tail=7), world, handle)
    assert [entry.message for entry in rest] == ["two"]
    assert first_log_request(FleetLogs(CONFIG, since=2 * 10**18), world, handle)[1] == []


def test_what_makes_no_sense_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError):
        FleetLogs(CONFIG, since={"a": "no cursor"})
    with pytest.raises(ConfigurationError):
        FleetLogs(CONFIG, tail=-1)
