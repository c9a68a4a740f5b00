"""What is no Pod: namespaces, events, health, permissions."""

from __future__ import annotations

from hodei_k8s_core.http import Response
from hodei_k8s_core.simulation import Cluster
from tests.core.simulation_requests import (
    PODS,
    ask,
    create,
    get,
    pod,
    post,
    refusal,
)

# --- what is no Pod


def test_namespaces_can_be_made_and_read() -> None:
    cluster = Cluster(namespaces=["default"])
    path = "/api/v1/namespaces"
    made = ask(cluster, post({"metadata": {"name": "new"}}, path), 1.0)
    assert made["status"] == {"phase": "Active"}
    assert ask(cluster, get(f"{path}/new")) == made
    assert [item["metadata"]["name"] for item in ask(cluster, get(path))["items"]] == ["default", "new"]
    assert refusal(cluster, post({"metadata": {"name": "new"}}, path))[:2] == (409, "AlreadyExists")
    assert refusal(cluster, post({}, path))[:2] == (422, "Invalid")
    ask(cluster, post(pod(), f"{path}/new/pods"))


def test_events_are_those_that_were_given() -> None:
    cluster = Cluster()
    path = "/api/v1/namespaces/hodei-workers/events"
    assert ask(cluster, get(path))["items"] == []
    event = {"metadata": {"name": "a.1", "namespace": "hodei-workers"}, "involvedObject": {"name": "a"}, "reason": "X"}
    cluster.add_event(event)
    assert len(ask(cluster, get(path, fieldSelector="involvedObject.name=a"))["items"]) == 1
    assert ask(cluster, get(path, fieldSelector="involvedObject.name=b"))["items"] == []


def test_health_and_version() -> None:
    cluster = Cluster()
    assert ask(cluster, get("/version"))["gitVersion"] == "v1.36.3"
    for path in ("/readyz", "/livez", "/healthz"):
        reply = cluster.handle(get(path), 0.0)
        assert isinstance(reply, Response)
        assert (reply.status, reply.body) == (200, b"ok")


def test_what_is_denied_is_refused_and_told_by_the_review() -> None:
    cluster = Cluster(denied=[("patch", "pods"), ("get", "pods/log"), ("create", "pods"), ("get", "namespaces")])
    user = "system:serviceaccount:hodei-workers:default"
    where = 'in API group "" in the namespace "hodei-workers"'
    assert refusal(cluster, create()) == (
        403,
        "Forbidden",
        f'pods is forbidden: User "{user}" cannot create resource "pods" {where}',
    )
    assert refusal(cluster, get(f"{PODS}/a/log"))[2] == (
        f'pods "a" is forbidden: User "{user}" cannot get resource "pods/log" {where}'
    )
    assert refusal(cluster, get("/api/v1/namespaces/hodei-workers"))[2] == (
        f'namespaces "hodei-workers" is forbidden: User "{user}" cannot get resource "namespaces" {where}'
    )

    def allowed(**asked: str) -> bool:
        review = {"spec": {"resourceAttributes": {"namespace": "hodei-workers", **asked}}}
        reply = ask(cluster, post(review, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"))
        assert reply["spec"] == review["spec"]
        answer: bool = reply["status"]["allowed"]
        return answer

    assert not allowed(verb="patch", resource="pods")
    assert not allowed(verb="get", resource="pods", subresource="log")
    assert allowed(verb="get", resource="pods")
    cluster.denied = frozenset()
    assert allowed(verb="patch", resource="pods")


def test_a_cluster_wide_refusal_names_no_namespace() -> None:
    cluster = Cluster(denied=[("create", "selfsubjectreviews")], user="someone")
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    assert refusal(cluster, post({}, path))[2] == (
        'selfsubjectreviews is forbidden: User "someone" cannot create resource "selfsubjectreviews" '
        'in API group "authentication.k8s.io" at the cluster scope'
    )
    cluster.denied = frozenset()
    assert ask(cluster, post({}, path))["status"]["userInfo"]["username"] == "someone"
