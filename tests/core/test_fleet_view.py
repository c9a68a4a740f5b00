"""The picture of a fleet: what the items make of it."""

from __future__ import annotations

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
