"""Patches and deletions of Pods: who may change what, and when a Pod is gone."""

from __future__ import annotations

import pytest

from hodei_k8s_core.http import Request
from hodei_k8s_core.simulation import Behaviour, Cluster, Unschedulable
from tests.core.simulation_requests import (
    PODS,
    ask,
    create,
    delete,
    get,
    patch,
    refusal,
)

NOWHERE = Behaviour(fail=Unschedulable())

# --- patch


def test_a_patch_merges_metadata_and_makes_a_new_version() -> None:
    cluster = Cluster()
    before = ask(cluster, create(annotations={"keep": "1", "drop": "1"}))["metadata"]
    asked = {"annotations": {"new": "2", "drop": None}, "labels": None, "uid": before["uid"]}
    after = ask(cluster, patch("a", {"metadata": {**asked, "resourceVersion": before["resourceVersion"]}}))["metadata"]
    assert after["annotations"] == {"keep": "1", "new": "2"}
    assert "labels" not in after
    assert int(after["resourceVersion"]) == int(before["resourceVersion"]) + 1


def test_a_patch_that_changes_nothing_makes_no_version() -> None:
    cluster = Cluster()
    before = ask(cluster, create())
    assert ask(cluster, patch("a", {"metadata": {"annotations": {"x": None}}})) == before


def test_a_patch_of_the_spec_or_with_a_wrong_label_is_refused() -> None:
    cluster = Cluster()
    ask(cluster, create())
    assert refusal(cluster, patch("a", {"spec": {"restartPolicy": "Always"}}))[:2] == (422, "Invalid")
    assert refusal(cluster, patch("a", {"metadata": {"labels": {"x": "a b"}}}))[:2] == (422, "Invalid")


# --- delete


def test_an_unscheduled_pod_goes_at_once_in_two_versions() -> None:
    cluster = Cluster(behaviours=lambda _: NOWHERE)
    made = ask(cluster, create())
    gone = ask(cluster, delete(preconditions={"uid": made["metadata"]["uid"]}), 0.05)
    assert gone["metadata"]["deletionGracePeriodSeconds"] == 0
    assert gone["metadata"]["generation"] == 2
    assert int(gone["metadata"]["resourceVersion"]) == int(made["metadata"]["resourceVersion"]) + 2
    assert refusal(cluster, get(f"{PODS}/a"))[0] == 404


@pytest.mark.parametrize(
    ("request_", "grace"),
    [
        (delete(), 30),
        (delete(gracePeriodSeconds=7), 7),
        (delete(gracePeriodSeconds=-1), 1),
        (Request("DELETE", f"{PODS}/a", (("gracePeriodSeconds", "9"),)), 9),
    ],
)
def test_a_running_pod_terminates_within_its_grace_period(request_: Request, grace: int) -> None:
    cluster = Cluster()
    ask(cluster, create())
    reply = ask(cluster, request_, 5.0)
    assert reply["metadata"]["deletionGracePeriodSeconds"] == grace
    assert reply["metadata"]["deletionTimestamp"] == f"2026-09-21T14:13:{25 + grace:02d}Z"
    assert reply["status"]["phase"] == "Running"
    cluster.advance(5.5)
    assert "a" in cluster.pods("hodei-workers")
    cluster.advance(6.0)
    assert "a" not in cluster.pods("hodei-workers")


def test_grace_zero_removes_the_record_at_once() -> None:
    cluster = Cluster()
    ask(cluster, create())
    ask(cluster, delete(gracePeriodSeconds=0), 5.0)
    assert cluster.pods("hodei-workers") == {}
    ask(cluster, create(), 5.0)
    cluster.advance(100.0)
    assert cluster.pods("hodei-workers")["a"]["status"]["phase"] == "Running"


def test_a_grace_period_only_gets_shorter() -> None:
    cluster = Cluster(behaviours=lambda _: Behaviour(term=None))
    ask(cluster, create())
    first = ask(cluster, delete(gracePeriodSeconds=20), 5.0)
    longer = ask(cluster, delete(gracePeriodSeconds=25), 6.0)
    assert longer["metadata"]["deletionTimestamp"] == first["metadata"]["deletionTimestamp"]
    shorter = ask(cluster, delete(gracePeriodSeconds=2), 7.0)
    assert shorter["metadata"]["deletionTimestamp"] == "2026-09-21T14:13:29Z"
    assert shorter["metadata"]["generation"] == 2
    cluster.advance(8.9)
    assert "a" in cluster.pods("hodei-workers")
    cluster.advance(9.8)
    assert "a" not in cluster.pods("hodei-workers")


def test_a_name_is_taken_until_its_pod_is_gone() -> None:
    cluster = Cluster()
    ask(cluster, create())
    ask(cluster, delete(), 5.0)
    assert refusal(cluster, create(), 5.1)[1:] == (
        "AlreadyExists",
        'object is being deleted: pods "a" already exists',
    )
    assert ask(cluster, create(), 10.0)["metadata"]["uid"] != "00000001-0000-4000-8000-000000000001"


def test_a_finalizer_keeps_a_pod_terminating_until_it_is_removed() -> None:
    cluster = Cluster()
    ask(cluster, create(finalizers=["hodei.io/hold"]))
    ask(cluster, delete(), 5.0)
    cluster.advance(60.0)
    held = cluster.pods("hodei-workers")["a"]
    assert held["status"]["phase"] == "Failed"
    assert held["metadata"]["deletionGracePeriodSeconds"] == 0
    assert ask(cluster, delete(), 61.0)["metadata"] == held["metadata"]
    freed = ask(cluster, patch("a", {"metadata": {"finalizers": []}}), 62.0)
    assert freed["metadata"]["resourceVersion"] == held["metadata"]["resourceVersion"]
    assert "finalizers" not in freed["metadata"]
    assert cluster.pods("hodei-workers") == {}


def test_a_finalizer_that_goes_before_the_containers_end_lets_them_end() -> None:
    cluster = Cluster()
    ask(cluster, create(finalizers=["hodei.io/hold"]))
    ask(cluster, delete(), 5.0)
    ask(cluster, patch("a", {"metadata": {"finalizers": None}}), 5.0)
    assert "a" in cluster.pods("hodei-workers")
    cluster.advance(6.0)
    assert "a" not in cluster.pods("hodei-workers")


def test_an_unscheduled_pod_with_a_finalizer_stays() -> None:
    cluster = Cluster(behaviours=lambda _: NOWHERE)
    ask(cluster, create(finalizers=["hodei.io/hold"]))
    held = ask(cluster, delete(), 1.0)
    assert held["metadata"]["deletionGracePeriodSeconds"] == 0
    assert refusal(cluster, patch("a", {"metadata": {"finalizers": ["hodei.io/new"]}}), 1.0) == (
        422,
        "Invalid",
        (
            'Pod "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being '
            'deleted, found new finalizers []string{"hodei.io/new"}'
        ),
    )
