"""What `kubectl` asks for beside the objects: Tables, and what kinds there are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation import BEHAVIOUR_LABEL, Behaviour, Cluster, by_name, make_node
from hodei_k8s_core.simulation.discovery import GROUPS
from hodei_k8s_core.simulation.resources import RESOURCES
from hodei_k8s_core.simulation.table import human_duration
from tests.core.simulation_requests import NAMESPACE, PODS, ask, create, delete, get, post, watch

TABLE = (("accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"),)
V1 = f"/api/v1/namespaces/{NAMESPACE}"


def as_table(request: Request) -> Request:
    return msgspec.structs.replace(request, headers=TABLE)


def rows(cluster: Cluster, path: str, now: float) -> list[list[Any]]:
    """The cells of all but the wide columns."""
    table = ask(cluster, as_table(get(path)), now)
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    narrow = [number for number, column in enumerate(table["columnDefinitions"]) if not column["priority"]]
    return [[row["cells"][number] for number in narrow] for row in table["rows"]]


def columns(cluster: Cluster, path: str) -> list[str]:
    return [one["name"] for one in ask(cluster, as_table(get(path)))["columnDefinitions"]]


def test_pods_as_kubectl_shows_them() -> None:
    cluster = Cluster(behaviours=by_name())
    for name in ("runs", "oom-killed", "image-never-pull", "crash-loop", "never-ready"):
        policy = "Always" if name == "crash-loop" else "Never"
        ask(cluster, create(name, labels={BEHAVIOUR_LABEL: name}, spec={"restartPolicy": policy}))
    ask(cluster, create("gated", spec={"schedulingGates": [{"name": "x/y"}]}))
    assert rows(cluster, PODS, 20.0) == [
        ["crash-loop", "0/1", "CrashLoopBackOff", "2 (6s ago)", "20s"],
        ["gated", "0/1", "SchedulingGated", "0", "20s"],
        ["image-never-pull", "0/1", "ErrImageNeverPull", "0", "20s"],
        ["never-ready", "0/1", "Running", "0", "20s"],
        ["oom-killed", "0/1", "OOMKilled", "0", "20s"],
        ["runs", "1/1", "Running", "0", "20s"],
    ]
    ask(cluster, delete("runs"), 20.0)
    assert rows(cluster, PODS, 20.0)[-1] == ["runs", "1/1", "Terminating", "0", "20s"]
    (row,) = ask(cluster, as_table(get(f"{PODS}/never-ready")), 200.0)["rows"]
    assert row["cells"][2:] == ["Running", "0", "3m20s", "10.244.0.5", "lab-node", "<none>", "<none>"]
    assert row["object"]["metadata"]["name"] == "never-ready"


def test_a_pod_past_its_deadline_says_so() -> None:
    cluster = Cluster(behaviours=lambda _: Behaviour(term=0.1), nodes=[make_node()])
    ask(cluster, create(spec={"activeDeadlineSeconds": 2}))
    ask(cluster, create("waits", spec={"nodeSelector": {"x": "y"}, "activeDeadlineSeconds": 1}))
    assert [row[2] for row in rows(cluster, PODS, 9.0)] == ["Error", "Pending"]


def test_a_watch_as_a_table_defines_its_columns_once() -> None:
    cluster = Cluster()
    stream: Any = cluster.handle(as_table(watch(allowWatchBookmarks="true", resourceVersion="1004")), 0.0)
    ask(cluster, create())
    cluster.advance(70.0)
    told = [msgspec.json.decode(line) for line in stream.read(70.0).splitlines()]
    assert told[0]["object"]["columnDefinitions"][0]["name"] == "Name"
    assert {one["object"]["columnDefinitions"] is None for one in told[1:]} == {True}
    assert told[-1]["type"] == "BOOKMARK"
    assert told[-1]["object"]["rows"] == []
    assert told[1]["object"]["rows"][0]["cells"][0] == "a"


def test_the_other_kinds() -> None:
    lame = make_node("n2")
    lame["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]
    lame["spec"]["unschedulable"] = True
    bare: dict[str, Any] = {"metadata": {"name": "n3"}}
    cluster = Cluster(nodes=[make_node("n1"), lame, bare])
    ask(cluster, post({"metadata": {"name": "s"}, "stringData": {"a": "1", "b": "2"}}, f"{V1}/secrets"))
    ask(cluster, post({"metadata": {"name": "c"}, "data": {"a": "1"}}, f"{V1}/configmaps"))
    hard = {"limits.memory": "1Gi", "pods": "2", "requests.cpu": "1"}
    ask(cluster, post({"metadata": {"name": "q"}, "spec": {"hard": hard}}, f"{V1}/resourcequotas"))
    assert rows(cluster, "/api/v1/nodes", 180.0) == [
        ["n1", "Ready", "<none>", "3m", "v1.36.3"],
        ["n2", "NotReady,SchedulingDisabled", "<none>", "3m", "v1.36.3"],
        ["n3", "Unknown", "<none>", "3m", ""],
    ]
    assert rows(cluster, "/api/v1/namespaces", 0.0)[0] == ["default", "Active", "0s"]
    assert rows(cluster, f"{V1}/secrets", 0.0) == [["s", "Opaque", 2, "0s"]]
    assert rows(cluster, f"{V1}/configmaps", 0.0) == [["c", 1, "0s"]]
    assert rows(cluster, f"{V1}/serviceaccounts", 0.0) == [["default", "0s"]]
    assert rows(cluster, f"{V1}/resourcequotas", 0.0) == [
        ["q", "pods: 0/2, requests.cpu: 0/1", "limits.memory: 0/1Gi", "0s"]
    ]
    assert rows(cluster, "/apis/storage.k8s.io/v1/storageclasses", 0.0) == []
    cluster.add("storageclasses", {"metadata": {"name": "fast"}})
    assert rows(cluster, "/apis/storage.k8s.io/v1/storageclasses", 0.0) == [["fast", "<unknown>"]]


def test_events_as_kubectl_shows_them() -> None:
    cluster = Cluster()
    ask(cluster, create())
    assert [row[:4] for row in rows(cluster, f"{V1}/events", 10.0)] == [
        ["9s", "Normal", "Scheduled", "pod/a"],
        ["10s", "Normal", "Pulled", "pod/a"],
        ["10s", "Normal", "Created", "pod/a"],
        ["10s", "Normal", "Started", "pod/a"],
    ]


def test_the_columns_are_those_of_a_real_server() -> None:
    assert columns(Cluster(), "/api/v1/events") == [
        "Last Seen",
        "Type",
        "Reason",
        "Object",
        "Subobject",
        "Source",
        "Message",
        "First Seen",
        "Count",
        "Name",
    ]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 120, "3h2m"),
        (8 * 3600 + 120, "8h"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (50 * 3600, "2d2h"),
        (9 * 86400, "9d"),
        (730 * 86400, "2y"),
    ],
)
def test_ages(seconds: int, told: str) -> None:
    assert human_duration(seconds) == told


# --- discovery


def test_every_kind_can_be_found() -> None:
    cluster = Cluster()
    assert ask(cluster, get("/api"))["versions"] == ["v1"]
    groups = [one["name"] for one in ask(cluster, get("/apis"))["groups"]]
    assert groups == list(GROUPS)
    found = {}
    for path in ("/api/v1", *(f"/apis/{group}/v1" for group in groups)):
        for one in ask(cluster, get(path))["resources"]:
            found[one["name"]] = (one["kind"], one["namespaced"], tuple(one["verbs"]))
    for name, kind in RESOURCES.items():
        assert found.pop(name) == (kind.kind, kind.namespaced, kind.verbs)
    assert found == {"pods/log": ("Pod", True, ("get",)), "pods/eviction": ("Pod", True, ("create",))}


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_discovery_in_one_document(path: str) -> None:
    accept = (("accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"),)
    reply = Cluster().handle(Request("GET", path, headers=accept), 0.0)
    assert isinstance(reply, Response)
    assert reply.header("content-type") == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    items = msgspec.json.decode(reply.body)["items"]
    names = {one["resource"] for item in items for one in item["versions"][0]["resources"]}
    assert names == {name for name, one in RESOURCES.items() if bool(one.group) is (path == "/apis")}


def test_the_openapi_document_says_that_fields_are_validated_here() -> None:
    cluster = Cluster()
    for place, of in ask(cluster, get("/openapi/v3"))["paths"].items():
        document = ask(cluster, get(of["serverRelativeURL"]))
        kinds = {one["patch"]["x-kubernetes-group-version-kind"]["kind"] for one in document["paths"].values()}
        group = "" if place == "api/v1" else place.split("/")[1]
        assert kinds == {one.kind for one in RESOURCES.values() if one.group == group}


def test_a_discovery_document_is_only_read() -> None:
    assert Cluster().handle(Request("POST", "/api"), 0.0).status == 404
