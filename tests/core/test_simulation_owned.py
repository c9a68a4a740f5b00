"""Secrets, claims, gates and the garbage collector of the simulated cluster; compared with a real 1.36."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.http import Request
from hodei_k8s_core.simulation import Cluster
from hodei_k8s_core.simulation.garbage import COLLECTION_DELAY
from tests.core.simulation_requests import NAMESPACE, PODS, ask, create, delete, get, post, refusal

BASE = f"/api/v1/namespaces/{NAMESPACE}"
STRATEGIC = (("content-type", "application/strategic-merge-patch+json"),)
RESOURCES = [("secrets", "Secret"), ("persistentvolumeclaims", "PersistentVolumeClaim")]
GATES = [{"name": "a.io/x"}, {"name": "b.io/y"}]


def owned(kind: str, owner: str = "", name: str = "s") -> dict[str, Any]:
    owners = [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": owner}] if owner else []
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "ownerReferences": owners}}


def lift(*names: str, **metadata: str) -> Request:
    gates = [{"$patch": "delete", "name": name} for name in names]
    body = {"metadata": metadata, "spec": {"schedulingGates": gates}}
    return Request("PATCH", f"{PODS}/a", headers=STRATEGIC, body=msgspec.json.encode(body))


@pytest.mark.parametrize(("resource", "kind"), RESOURCES)
def test_an_object_is_made_read_and_deleted(resource: str, kind: str) -> None:
    cluster = Cluster()
    made = ask(cluster, post(owned(kind), f"{BASE}/{resource}"))
    assert made["kind"] == kind
    assert made["metadata"]["uid"]
    assert ask(cluster, get(f"{BASE}/{resource}/s")) == made
    assert [item["metadata"]["name"] for item in ask(cluster, get(f"{BASE}/{resource}"))["items"]] == ["s"]
    taken = refusal(cluster, post(owned(kind), f"{BASE}/{resource}"))
    assert taken == (409, "AlreadyExists", f'{resource} "s" already exists')
    told = ask(cluster, Request("DELETE", f"{BASE}/{resource}/s"))
    assert told["kind"] == ("Status" if kind == "Secret" else kind)  # a claim comes back, as a Pod does
    gone = refusal(cluster, Request("DELETE", f"{BASE}/{resource}/s"))
    assert gone == (404, "NotFound", f'{resource} "s" not found')


def test_a_namespace_must_be_there() -> None:
    reply = refusal(Cluster(), post(owned("Secret"), "/api/v1/namespaces/nowhere/secrets"))
    assert reply == (404, "NotFound", 'namespaces "nowhere" not found')


@pytest.mark.parametrize(("resource", "kind"), RESOURCES)
def test_what_a_pod_owns_goes_soon_after_it(resource: str, kind: str) -> None:
    cluster = Cluster()
    uid = ask(cluster, create())["metadata"]["uid"]
    ask(cluster, post(owned(kind, uid), f"{BASE}/{resource}"))
    ask(cluster, post(owned(kind, name="free"), f"{BASE}/{resource}"))
    cluster.advance(10)
    ask(cluster, delete(gracePeriodSeconds=0), 10)
    assert set(cluster.objects(resource, NAMESPACE)) == {"s", "free"}
    cluster.advance(10 + COLLECTION_DELAY)
    assert set(cluster.objects(resource, NAMESPACE)) == {"free"}


def test_what_is_made_for_a_pod_that_is_gone_goes_soon() -> None:
    cluster = Cluster()
    ask(cluster, post(owned("Secret", "no-such-uid"), f"{BASE}/secrets"))
    cluster.advance(COLLECTION_DELAY)
    assert cluster.objects("secrets", NAMESPACE) == {}


def test_a_pod_waits_until_its_last_gate_is_lifted() -> None:
    cluster = Cluster()
    made = ask(cluster, create(spec={"schedulingGates": GATES}))
    (condition,) = made["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "SchedulingGated")
    cluster.advance(100)
    assert ask(cluster, lift("a.io/x", uid=made["metadata"]["uid"]), 100)["spec"]["schedulingGates"] == [GATES[1]]
    assert ask(cluster, lift("a.io/x"), 100)["spec"]["schedulingGates"] == [GATES[1]]
    cluster.advance(200)
    assert "nodeName" not in ask(cluster, get(f"{PODS}/a"), 200)["spec"]
    assert "schedulingGates" not in ask(cluster, lift("b.io/y"), 200)["spec"]
    cluster.advance(210)
    assert ask(cluster, get(f"{PODS}/a"), 210)["status"]["phase"] == "Running"


def test_a_gated_pod_is_deleted_at_once() -> None:
    cluster = Cluster()
    ask(cluster, create(spec={"schedulingGates": GATES}))
    ask(cluster, delete(gracePeriodSeconds=30))
    assert cluster.pods(NAMESPACE) == {}


def test_a_foreign_uid_is_a_change_of_an_immutable_field() -> None:
    cluster = Cluster()
    ask(cluster, create(spec={"schedulingGates": GATES}))
    code, reason, message = refusal(cluster, lift("a.io/x", uid="nope"))
    assert (code, reason) == (422, "Invalid")
    assert 'metadata.uid: Invalid value: "nope": field is immutable' in message


def test_nothing_else_of_a_spec_can_be_patched() -> None:
    cluster = Cluster()
    ask(cluster, create())
    patch = Request("PATCH", f"{PODS}/a", headers=STRATEGIC, body=b'{"spec":{"nodeName":"n"}}')
    assert refusal(cluster, patch)[:2] == (422, "Invalid")
