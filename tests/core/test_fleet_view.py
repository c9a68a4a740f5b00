"""The picture of a fleet: what the items make of it."""

from __future__ import annotations

import pytest

from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.verdict import Blame, Category, Verdict
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import ChangeKind, Freshness, WatchHealth, WorkerChange

SYNCED = WatchHealth(freshness=Freshness.SYNCED, since=1.0)
STALE = WatchHealth(freshness=Freshness.STALE, since=2.0, because="silent")
BAD_IMAGE = Verdict(
    category=Category.IMAGE_INVALID, blame=Blame.IMAGE, terminal=True, retryable=False, summary="no such name"
)


def info(worker_id: str, state: WorkerState = WorkerState.READY, uid: str = "u1", **more) -> WorkerInfo:
    handle = WorkerHandle(
        worker_id=worker_id,
        provider_resource_id=f"hodei-worker-{worker_id}",
        provider_id="tests",
        created_at=0.0,
        metadata={"pod_uid": uid},
    )
    return WorkerInfo(handle=handle, state=state, **more)


def added(worker: WorkerInfo) -> WorkerChange:
    return WorkerChange(kind=ChangeKind.ADDED, info=worker)


def changed(worker: WorkerInfo) -> WorkerChange:
    return WorkerChange(kind=ChangeKind.CHANGED, info=worker)


def removed(worker: WorkerInfo) -> WorkerChange:
    return WorkerChange(kind=ChangeKind.REMOVED, info=worker)


def test_it_is_empty_and_of_no_known_age_at_first() -> None:
    view = FleetView()
    assert (view.workers, view.health, view.is_synced) == ({}, None, False)


def test_it_is_what_was_told() -> None:
    view = FleetView()
    view.apply(
        [added(info("a", WorkerState.CREATING)), added(info("b")), SYNCED, changed(info("a")), removed(info("b"))]
    )
    assert view.workers == {"a": info("a")}
    assert view.get("a") == info("a")
    assert view.get("b") is None
    assert view.is_synced


def test_its_age_is_the_last_that_was_told() -> None:
    view = FleetView()
    view.apply([SYNCED, STALE])
    assert (view.health, view.is_synced) == (STALE, False)


def test_it_counts_by_state_and_by_verdict() -> None:
    stuck = [info(f"s{n}", WorkerState.CREATING, verdict=BAD_IMAGE) for n in range(2)]
    view = FleetView([info("a"), info("b"), info("c", WorkerState.BUSY), *stuck])
    assert view.count_by_state() == {WorkerState.READY: 2, WorkerState.BUSY: 1, WorkerState.CREATING: 2}
    assert view.count_by_verdict() == {Category.IMAGE_INVALID: 2}


def test_a_removal_of_another_pod_with_that_id_takes_nothing_away() -> None:
    view = FleetView([info("a", uid="u2")])
    view.apply([removed(info("a", uid="u1")), removed(info("z"))])
    assert view.workers == {"a": info("a", uid="u2")}


def test_what_it_gives_does_not_change() -> None:
    view = FleetView([info("a")])
    before, workers = view.snapshot(), view.workers
    view.apply([removed(info("a")), STALE])
    assert before.workers == workers == {"a": info("a")}
    assert before.health is None


class Glance:
    """A worker that was seen, and of which it is counted how often it was described."""

    def __init__(self, worker: WorkerInfo) -> None:
        self._worker = worker
        self.described = 0
        self.worker_id = worker.worker_id
        self.pod_uid = worker.handle.pod_uid
        self.state = worker.state
        self.verdict = worker.verdict

    @property
    def info(self) -> WorkerInfo:
        self.described += 1
        return self._worker


def test_a_worker_is_described_when_it_is_read() -> None:
    view, glance = FleetView(), Glance(info("a", verdict=BAD_IMAGE))
    change = WorkerChange(kind=ChangeKind.ADDED, info=glance)
    view.apply([change])
    copy = view.snapshot()
    assert (change.worker_id, change.kind, list(view.workers), len(view.workers)) == ("a", ChangeKind.ADDED, ["a"], 1)
    assert "a" in view.workers
    assert (view.count_by_state(), view.count_by_verdict()) == ({WorkerState.READY: 1}, {Category.IMAGE_INVALID: 1})
    assert glance.described == 0
    assert change.info == view.get("a") == view.workers["a"] == copy.workers["a"]
    assert glance.described == 4


def test_a_change_is_a_value() -> None:
    change = added(info("a"))
    assert change == WorkerChange(kind=ChangeKind.ADDED, info=Glance(info("a")))
    assert change != changed(info("a"))
    assert change != added(info("b"))
    assert change != WorkerChange(kind=ChangeKind.ADDED, info=info("a"), gone=True)
    assert change != "added a"
    assert repr(change) == f"WorkerChange(kind={ChangeKind.ADDED!r}, info={info('a')!r}, gone=False)"
    with pytest.raises(AttributeError):
        change.kind = ChangeKind.REMOVED  # type: ignore[misc]
    with pytest.raises(TypeError):
        hash(change)


def test_the_workers_of_a_view_show_themselves() -> None:
    assert repr(FleetView([info("a")]).workers) == repr({"a": info("a")})
