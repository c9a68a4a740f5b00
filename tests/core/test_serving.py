"""What a process that watches over fleets says of itself: probes, and the fleet as a document."""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core.api_path import unusable_name
from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.lease import lease_name
from hodei_k8s_core.names import dns_subdomain_problem
from hodei_k8s_core.operations.lead import Leadership
from hodei_k8s_core.serving.fleet_document import LastReconcile, cluster_document
from hodei_k8s_core.serving.probes import Loop, stalled, unready
from hodei_k8s_core.verdict import Blame, Category, Verdict
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import Freshness, WatchHealth


def health(freshness: Freshness) -> WatchHealth:
    return WatchHealth(freshness=freshness, since=1.0, because="" if freshness is Freshness.SYNCED else "closed")


def test_a_loop_that_moves_is_alive() -> None:
    loops = {"watch": Loop(100.0, 60.0), "reconcile": Loop(40.0, 60.0)}
    assert stalled(loops, 100.0) == ()
    assert stalled(loops, 101.0) == ("reconcile has not moved for 61 s, the limit is 60 s",)


@pytest.mark.parametrize(
    ("watch", "reasons"),
    [
        (None, ("ci: the workers have not been read yet",)),
        (health(Freshness.SYNCED), ()),
        (health(Freshness.RECONNECTING), ()),
        (health(Freshness.STALE), ("ci: the picture of the workers is stale: closed",)),
    ],
)
def test_ready_is_who_has_a_picture_that_is_not_stale(watch: WatchHealth | None, reasons: tuple[str, ...]) -> None:
    assert unready({"ci": watch}, is_stopping=False) == reasons
    assert unready({"ci": watch}, is_stopping=True) == ("the process is stopping", *reasons)


def info(ident: str, verdict: Verdict | None = None) -> WorkerInfo:
    handle = WorkerHandle(worker_id=ident, provider_resource_id=f"p-{ident}", provider_id="ci", created_at=1.0)
    return WorkerInfo(handle=handle, state=WorkerState.READY, verdict=verdict)


def test_the_fleet_as_a_document() -> None:
    stuck = Verdict(
        category=Category.CRASH_LOOP, blame=Blame.WORKER, terminal=True, retryable=False, summary="it crashes"
    )
    view = FleetView([info("b", stuck), info("a")], health(Freshness.SYNCED))
    last = LastReconcile(at=5.0, outcomes={"done": 2})
    document = cluster_document("ci", "ns", view, Leadership(until=20.0, holder="me"), last, now=10.0)
    told = msgspec.json.decode(msgspec.json.encode(document))
    assert (told["leads"], told["holder"], told["namespace"]) == (True, "me", "ns")
    assert (told["states"], told["troubles"]) == ({"ready": 2}, {"crash_loop": 1})
    assert [worker["handle"]["worker_id"] for worker in told["workers"]] == ["a", "b"]
    assert told["watch"]["freshness"] == "synced"
    assert told["last_reconcile"]["outcomes"] == {"done": 2}
    assert not cluster_document("ci", "ns", view, Leadership(until=20.0), None, now=20.0).leads


@pytest.mark.parametrize("provider_id", ["ci", "eu-west", "EU_West.1", "a" * 63, "9", "Ä"])
def test_the_lease_of_a_provider_has_a_name_that_kubernetes_takes(provider_id: str) -> None:
    name = lease_name(provider_id)
    assert dns_subdomain_problem(name) is None
    assert unusable_name("name", name) == ()


def test_two_providers_never_share_a_lease() -> None:
    ids = ["ci", "CI", "c.i", "c_i", "c-i"]
    assert len({lease_name(one) for one in ids}) == len(ids)
    assert lease_name("ci") == "hodei-k8s-ci"
