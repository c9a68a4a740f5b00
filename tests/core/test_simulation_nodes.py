"""Nodes and the scheduler: where Pods go, and what becomes of those on a node that is lost, evicted or gone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.diagnosis import diagnose
from hodei_k8s_core.http import Request
from hodei_k8s_core.pod import parse_pod
from hodei_k8s_core.simulation import Behaviour, Cluster, make_node
from hodei_k8s_core.simulation.resources import RESOURCES
from hodei_k8s_core.simulation.wire import EPOCH
from hodei_k8s_core.verdict import Category
from hodei_k8s_core.worker_state import worker_state
from tests.core.simulation_requests import MERGE_PATCH, NAMESPACE, PODS, ask, create, delete, get, post

NODES = "/api/v1/nodes"
EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"


def asking(cpu: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "worker", "image": "worker:1", "resources": {"requests": {"cpu": cpu}}}
    return {"containers": [container], **spec}


def seen(cluster: Cluster, name: str, now: float) -> tuple[str, str]:
    """The node of a Pod, and what its condition PodScheduled says."""
    pod = ask(cluster, get(f"{PODS}/{name}"), now)
    told = {one["type"]: one.get("message", "") for one in pod["status"].get("conditions", ())}
    return pod["spec"].get("nodeName", ""), told.get("PodScheduled", "")


def ready(cluster: Cluster, now: float) -> dict[str, str]:
    status = ask(cluster, get(f"{PODS}/a"), now)["status"]
    return {one["type"]: one["status"] for one in status["conditions"]}


def test_pods_spread_over_the_nodes_that_have_room() -> None:
    cluster = Cluster(nodes=[make_node("n1", cpu="2"), make_node("n2", cpu="1")])
    for name in ("a", "b", "c"):
        ask(cluster, create(name, spec=asking("900m")))
        cluster.advance(1.0)
    assert [seen(cluster, name, 2.0)[0] for name in ("a", "b", "c")] == ["n1", "n2", "n1"]
    ask(cluster, create("d", spec=asking("500m")))
    told = (
        "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, "
        "preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
    )
    assert seen(cluster, "d", 3.0) == ("", told)


def test_what_waits_is_tried_again_when_a_pod_has_ended_or_gone() -> None:
    cluster = Cluster(behaviours={"job:1": Behaviour(exit_code=0, run=10)}, nodes=[make_node(cpu="1")])
    first = asking("1")
    first["containers"][0]["image"] = "job:1"
    ask(cluster, create("a", spec=first))
    ask(cluster, create("b", spec=asking("1")), 1.0)
    ask(cluster, create("c", spec=asking("1")), 1.5)
    assert seen(cluster, "b", 5.0)[0] == ""
    assert (seen(cluster, "b", 15.0)[0], seen(cluster, "c", 15.0)[0]) == ("lab-node", "")
    ask(cluster, delete("b"), 15.0)
    assert seen(cluster, "c", 20.0)[0] == "lab-node"


def test_what_waits_is_tried_again_when_a_node_or_a_claim_comes() -> None:
    cluster = Cluster(nodes=[make_node("small", cpu="1")])
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
    ask(cluster, create("a", spec=asking("4")))
    ask(cluster, create("b", spec=asking("100m", volumes=[{"name": "x", "emptyDir": {}}, volume])))
    assert seen(cluster, "b", 1.0)[1] == '0/1 nodes are available: persistentvolumeclaim "data" not found. not found'
    ask(cluster, post(make_node("large", cpu="8"), NODES), 2.0)
    assert seen(cluster, "a", 3.0)[0] == "large"
    claim = {"metadata": {"name": "data"}, "spec": {}}
    ask(cluster, post(claim, f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims"), 4.0)
    assert seen(cluster, "b", 5.0)[0] == "small"


@pytest.mark.parametrize(
    ("spec", "node", "told"),
    [
        ({"nodeSelector": {"disk": "fast"}}, {}, "node(s) didn't match Pod's node affinity/selector"),
        ({}, {"taints": ({"key": "x", "value": "y", "effect": "NoSchedule"},)}, "node(s) had untolerated taint(s)"),
        ({}, {"cpu": "0"}, "Insufficient cpu"),
        ({}, {"pods": 0}, "Too many pods"),
    ],
)
def test_why_a_node_will_not_do(spec: dict[str, Any], node: dict[str, Any], told: str) -> None:
    cluster = Cluster(nodes=[make_node(**node)])
    ask(cluster, create(spec=asking("100m", **spec)))
    assert seen(cluster, "a", 1.0)[1].startswith(f"0/1 nodes are available: 1 {told}. no new claims")


def test_a_cordoned_node_takes_nothing_until_it_is_open_again() -> None:
    cluster = Cluster(nodes=[make_node()])

    def cordon(value: bool) -> Request:
        body = msgspec.json.encode({"spec": {"unschedulable": value}})
        return Request("PATCH", f"{NODES}/lab-node", headers=MERGE_PATCH, body=body)

    ask(cluster, cordon(True))
    ask(cluster, create())
    assert "1 node(s) were unschedulable" in seen(cluster, "a", 1.0)[1]
    ask(cluster, cordon(False), 2.0)
    assert seen(cluster, "a", 3.0)[0] == "lab-node"


def test_a_cordoned_node_is_tainted_as_well() -> None:
    cluster = Cluster(nodes=[make_node("a", taints=({"key": "x", "effect": "NoSchedule"},)), make_node("b")])

    def keys_after(value: bool) -> list[str]:
        body = msgspec.json.encode({"spec": {"unschedulable": value}})
        ask(cluster, Request("PATCH", f"{NODES}/a", headers=MERGE_PATCH, body=body))
        return [one["key"] for one in ask(cluster, get(f"{NODES}/a"))["spec"]["taints"]]

    assert keys_after(True) == ["x", "node.kubernetes.io/unschedulable"]
    assert keys_after(False) == ["x"]


def test_a_pod_that_names_its_node_is_there_and_takes_room() -> None:
    cluster = Cluster(nodes=[make_node("n1", cpu="1"), make_node("n2", cpu="1")])
    ask(cluster, create("a", spec=asking("900m", nodeName="n2")))
    assert seen(cluster, "a", 1.0) == ("n2", "")
    ask(cluster, create("b", spec=asking("900m")), 1.0)
    ask(cluster, create("c", spec=asking("900m")), 2.0)
    assert (seen(cluster, "b", 3.0)[0], seen(cluster, "c", 3.0)[0]) == ("n1", "")
    told = [(one["reason"], one["involvedObject"]["name"]) for one in ask(cluster, get(EVENTS), 3.0)["items"]]
    assert ("Scheduled", "a") not in told
    assert ("Scheduled", "b") in told


def test_a_node_that_comes_later_has_no_kubelet() -> None:
    cluster = Cluster(nodes=[make_node(cpu="0")])
    ask(cluster, post(make_node("later"), NODES))
    ask(cluster, create("a", spec=asking("1")))
    pod = ask(cluster, get(f"{PODS}/a"), 100.0)
    assert (pod["spec"]["nodeName"], pod["status"]["phase"]) == ("later", "Pending")
    ask(cluster, delete(gracePeriodSeconds=1), 100.0)
    cluster.advance(200.0)
    assert "a" in cluster.pods(NAMESPACE)
    ask(cluster, delete(gracePeriodSeconds=0), 200.0)
    assert cluster.pods(NAMESPACE) == {}


def test_a_runtime_class_says_where_and_what_it_takes() -> None:
    cluster = Cluster(nodes=[make_node(cpu="1"), make_node("special", cpu="1", labels={"runtime": "vm"})])
    runtime = {
        "metadata": {"name": "vm"},
        "handler": "vm",
        "overhead": {"podFixed": {"cpu": "300m"}},
        "scheduling": {"nodeSelector": {"runtime": "vm"}},
    }
    ask(cluster, post(runtime, "/apis/node.k8s.io/v1/runtimeclasses"))
    ask(cluster, create("a", spec=asking("500m", runtimeClassName="vm")))
    ask(cluster, create("b", spec=asking("500m", runtimeClassName="vm")))
    assert seen(cluster, "a", 1.0)[0] == "special"
    assert "1 Insufficient cpu" in seen(cluster, "b", 1.0)[1]


# --- lost nodes


def state(cluster: Cluster, now: float) -> str:
    return worker_state(parse_pod(msgspec.json.encode(ask(cluster, get(f"{PODS}/a"), now)))).name


@pytest.mark.parametrize("nodes", [[], [make_node()]], ids=["without an object", "with its object"])
def test_a_lost_node_freezes_its_pods_and_marks_them_at_last(nodes: list[Any]) -> None:
    cluster = Cluster(nodes=nodes)
    ask(cluster, create())
    cluster.advance(5.0)
    cluster.lose_node(5.0)
    assert ready(cluster, 40.0)["Ready"] == "True"
    assert ready(cluster, 50.0) | {"PodScheduled": ""} == ready(cluster, 4.0) | {"Ready": "False", "PodScheduled": ""}
    cut_off = ask(cluster, get(f"{PODS}/a"), 60.0)
    verdict = diagnose(parse_pod(msgspec.json.encode(cut_off)), now=EPOCH + 60.0)
    assert verdict is not None
    assert verdict.category is Category.NODE_LOST
    marked = ask(cluster, get(f"{PODS}/a"), 400.0)
    assert "deletionTimestamp" in marked["metadata"]
    assert marked["status"]["conditions"][-1]["reason"] == "DeletionByTaintManager"
    assert "a" in cluster.pods(NAMESPACE)
    cluster.advance(4000.0)
    assert "a" in cluster.pods(NAMESPACE)
    reasons = [one["reason"] for one in ask(cluster, get(EVENTS, fieldSelector="type=Warning"), 4000.0)["items"]]
    assert reasons == ["NodeNotReady"]
    if nodes:
        assert ask(cluster, get(f"{NODES}/lab-node"), 4000.0)["spec"]["taints"][0]["key"].endswith("unreachable")


def test_a_node_that_is_back_does_what_it_was_told() -> None:
    cluster = Cluster(nodes=[make_node()])
    ask(cluster, create())
    cluster.advance(5.0)
    cluster.lose_node(5.0)
    ask(cluster, delete(gracePeriodSeconds=5), 100.0)
    cluster.advance(200.0)
    assert "a" in cluster.pods(NAMESPACE)
    cluster.restore_node(200.0)
    cluster.advance(210.0)
    assert "a" not in cluster.pods(NAMESPACE)


def test_a_node_that_is_back_soon_was_never_missed() -> None:
    cluster = Cluster()
    ask(cluster, create())
    cluster.advance(5.0)
    cluster.lose_node(5.0)
    cluster.restore_node(20.0)
    assert state(cluster, 100.0) == "READY"
    cluster.lose_node(100.0)
    cluster.advance(150.0)
    cluster.restore_node(160.0)
    assert state(cluster, 1000.0) == "READY"
    assert "deletionTimestamp" not in ask(cluster, get(f"{PODS}/a"), 1000.0)["metadata"]


def test_an_eviction_by_the_api_is_told_and_ends_the_pod() -> None:
    cluster = Cluster()
    ask(cluster, create())
    cluster.advance(5.0)
    eviction = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": "a"}}
    assert ask(cluster, post(eviction, f"{PODS}/a/eviction"), 5.0)["status"] == "Success"
    pod = ask(cluster, get(f"{PODS}/a"), 5.1)
    assert pod["status"]["conditions"][-1]["reason"] == "EvictionByEvictionAPI"
    cluster.advance(60.0)
    assert cluster.pods(NAMESPACE) == {}


def test_events_are_kept_for_an_hour() -> None:
    cluster = Cluster(behaviours=lambda _: Behaviour(exit_code=1))
    ask(cluster, create(spec={"restartPolicy": "Always"}))
    cluster.advance(30.0)
    (back_off,) = ask(cluster, get(EVENTS, fieldSelector="reason=BackOff"), 35.0)["items"]
    gone = f"{EVENTS}/{back_off['metadata']['name']}"
    assert cluster.handle(Request("DELETE", gone), 35.0).status == 200
    cluster.advance(3700.0)
    ask(cluster, create("b"), 3700.0)
    left = ask(cluster, get(EVENTS), 3800.0)["items"]
    assert not [one for one in left if one["reason"] == "Scheduled" and one["involvedObject"]["name"] == "a"]


def test_a_real_pull_is_told() -> None:
    cluster = Cluster(behaviours=lambda _: Behaviour(pull=45))
    ask(cluster, create())
    told = [one["message"] for one in ask(cluster, get(EVENTS), 60.0)["items"]]
    assert 'Pulling image "worker:1"' in told
    assert any(one.startswith('Successfully pulled image "worker:1" in 45s') for one in told)


def test_the_table_of_kinds_is_what_is_stored() -> None:
    assert RESOURCES["leases"].qualified_kind == "Lease.coordination.k8s.io"
