"""What the simulated API server says to requests for Pods; the bodies were compared with a real 1.36."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.api_status import parse_status
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation import Behaviour, Cluster, Unschedulable
from hodei_k8s_core.simulation.store import FIRST_VERSION
from tests.core.simulation_requests import (
    PODS,
    ask,
    body,
    create,
    delete,
    get,
    patch,
    pod,
    post,
    refusal,
)

NOWHERE = Behaviour(fail=Unschedulable())


def test_a_created_pod_is_stored_with_what_the_server_adds() -> None:
    cluster = Cluster(clock_offset=3.0)
    reply = cluster.handle(create(annotations={"x": "y"}), 1.0)
    assert isinstance(reply, Response)
    assert reply.status == 201
    assert reply.header("date") == "Mon, 21 Sep 2026 14:13:24 GMT"
    made = body(reply)
    assert made["metadata"] == {
        "name": "a",
        "namespace": "hodei-workers",
        "labels": {"app": "hodei-worker"},
        "annotations": {"x": "y"},
        "uid": "00000001-0000-4000-8000-000000000001",
        "generation": 1,
        "resourceVersion": str(FIRST_VERSION + 3),
        "creationTimestamp": "2026-09-21T14:13:24Z",
    }
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert made["spec"]["terminationGracePeriodSeconds"] == 30
    assert ask(cluster, get(f"{PODS}/a")) == made


def test_two_runs_give_the_same_bytes() -> None:
    def run() -> list[bytes]:
        cluster = Cluster()
        replies = [cluster.handle(request, 2.0) for request in (create(), create("b"), get(PODS), delete("a"))]
        return [reply.body for reply in replies if isinstance(reply, Response)]

    assert run() == run()


@pytest.mark.parametrize(
    ("request_", "code", "reason", "message"),
    [
        (create(), 409, "AlreadyExists", 'pods "a" already exists'),
        (get(f"{PODS}/zzz"), 404, "NotFound", 'pods "zzz" not found'),
        (get(f"{PODS}/zzz/log"), 404, "NotFound", 'pods "zzz" not found'),
        (delete("zzz"), 404, "NotFound", 'pods "zzz" not found'),
        (patch("zzz", {"metadata": {"uid": "x"}}), 404, "NotFound", 'pods "zzz" not found'),
        (
            post(pod("b"), "/api/v1/namespaces/nope/pods"),
            404,
            "NotFound",
            'namespaces "nope" not found',
        ),
        (get("/api/v1/namespaces/nope"), 404, "NotFound", 'namespaces "nope" not found'),
        (get("/api/v1/zzz"), 404, "NotFound", "the server could not find the requested resource"),
        (get("/nonsense/x"), 404, "NotFound", "the server could not find the requested resource"),
        (get("/api/v1"), 404, "NotFound", "the server could not find the requested resource"),
        (
            Request("PUT", PODS),
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
        (
            Request("DELETE", PODS),
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
        (
            Request("OPTIONS", PODS),
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
        (
            create("b", namespace="other"),
            400,
            "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            post({"kind": "Job"}),
            400,
            "BadRequest",
            "the object provided is unrecognized (must be of type Pod): couldn't get version/kind",
        ),
        (get(PODS, limit="x"), 400, "BadRequest", 'strconv.ParseInt: parsing "x": invalid syntax'),
        (
            patch("a", {"metadata": {"resourceVersion": "1"}}),
            409,
            "Conflict",
            (
                'Operation cannot be fulfilled on pods "a": the object has been modified; '
                "please apply your changes to the latest version and try again"
            ),
        ),
        (
            patch("a", {"metadata": {"uid": "other"}}),
            422,
            "Invalid",
            'Pod "a" is invalid: metadata.uid: Invalid value: "other": field is immutable',
        ),
        (
            patch("a", {"metadata": {"name": "b"}}),
            400,
            "BadRequest",
            "the name of the object (b) does not match the name on the URL (a)",
        ),
        (Request("PATCH", f"{PODS}/a", body=b"{}"), 415, "UnsupportedMediaType", "415: Unsupported Media Type"),
        (
            delete(preconditions={"uid": "0"}),
            409,
            "Conflict",
            (
                'Operation cannot be fulfilled on Pod "a": the UID in the precondition (0) does not match the UID in '
                "record (00000001-0000-4000-8000-000000000001). The object might have been deleted and then recreated"
            ),
        ),
        (
            delete(preconditions={"resourceVersion": "1"}),
            409,
            "Conflict",
            (
                'Operation cannot be fulfilled on Pod "a": the ResourceVersion in the precondition (1) does not match '
                "the ResourceVersion in record (1003). The object might have been modified"
            ),
        ),
    ],
)
def test_refusals(request_: Request, code: int, reason: str, message: str) -> None:
    cluster = Cluster()
    ask(cluster, create())
    assert refusal(cluster, request_) == (code, reason, message)


def test_a_body_that_is_no_json_is_refused() -> None:
    code, reason, message = refusal(Cluster(), Request("POST", PODS, body=b"{nonsense"))
    assert (code, reason) == (400, "BadRequest")
    assert message.startswith("couldn't get version/kind; json parse error: ")


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        (pod("A_b"), ["metadata.name"]),
        (pod(""), ["metadata.name"]),
        (pod("x" * 254), ["metadata.name"]),
        (pod("b\n"), ["metadata.name"]),
        (pod(labels={"x": "a b"}), ["metadata.labels"]),
        (pod(labels={"x": 1}), ["metadata.labels"]),
        (pod(finalizers=["bad", "good.io/x"]), ["metadata.finalizers[0]"]),
        (pod(spec={"containers": []}), ["spec.containers"]),
        (pod(spec={"restartPolicy": "Sometimes"}), ["spec.restartPolicy"]),
        (
            pod(spec={"containers": [{}, {"name": "w", "image": "x"}, {"name": "w"}, {"name": "W", "image": "x"}]}),
            [
                "spec.containers[0].name",
                "spec.containers[0].image",
                "spec.containers[2].name",
                "spec.containers[2].image",
                "spec.containers[3].name",
            ],
        ),
    ],
)
def test_an_invalid_pod_is_refused_with_every_field_at_once(wrong: dict[str, Any], fields: list[str]) -> None:
    reply = Cluster().handle(post(wrong), 0.0)
    assert isinstance(reply, Response)
    status = parse_status(reply.body, code=reply.status, headers=reply.headers)
    assert status.is_invalid
    assert [cause.field for cause in status.causes] == fields
    assert all(cause.message in status.message for cause in status.causes)


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_the_class_of_service_follows_from_the_resources(resources: dict[str, Any], expected: str) -> None:
    spec = {"containers": [{"name": "worker", "image": "x", "resources": resources}]}
    assert ask(Cluster(), create(spec=spec))["status"]["qosClass"] == expected


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("worker", "Always"),
        ("worker:latest", "Always"),
        ("host:5000/worker", "Always"),
        ("worker:1", "IfNotPresent"),
        ("worker@sha256:0", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_from_the_tag(image: str, policy: str) -> None:
    made = ask(Cluster(), create(image=image))
    assert made["spec"]["containers"][0]["imagePullPolicy"] == policy


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


# --- list


def test_a_list_shows_what_its_selectors_match() -> None:
    cluster = Cluster(behaviours={"nowhere:1": NOWHERE})
    ask(cluster, create("a", labels={"app": "x", "tier": "1"}))
    ask(cluster, create("b", labels={"app": "y"}))
    ask(cluster, create("c", "nowhere:1", labels={"app": "z", "tier": "2"}))

    def names(**query: str) -> list[str]:
        return [item["metadata"]["name"] for item in ask(cluster, get(PODS, **query), 5.0)["items"]]

    assert names() == ["a", "b", "c"]
    assert names(labelSelector="app=x") == ["a"]
    assert names(labelSelector="app==x") == ["a"]
    assert names(labelSelector="app!=x") == ["b", "c"]
    assert names(labelSelector="app in (x, y),tier") == ["a"]
    assert names(labelSelector="app notin (x,y)") == ["c"]
    assert names(labelSelector="!tier") == ["b"]
    assert names(fieldSelector="metadata.name=b") == ["b"]
    assert names(fieldSelector="metadata.name!=b,status.phase=Running") == ["a"]
    assert names(fieldSelector="spec.nodeName=") == ["c"]
    assert names(labelSelector="app=nothing") == []


def test_a_list_has_the_shape_of_the_server() -> None:
    cluster = Cluster()
    made = ask(cluster, create())
    listed = ask(cluster, get(PODS))
    del made["kind"], made["apiVersion"]
    assert listed == {
        "kind": "PodList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": made["metadata"]["resourceVersion"]},
        "items": [made],
    }
    assert ask(cluster, get("/api/v1/pods"))["items"] == [made]
    assert ask(cluster, get("/api/v1/namespaces/nope/pods"))["items"] == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"labelSelector": "app in"}, "unable to parse requirement: 'app in'"),
        ({"fieldSelector": "spec.bogus=1"}, "field label not supported: spec.bogus"),
        ({"fieldSelector": "nonsense"}, "invalid selector: 'nonsense'; can't understand 'nonsense'"),
    ],
)
def test_a_wrong_selector_is_a_bad_request(query: dict[str, str], message: str) -> None:
    assert refusal(Cluster(), get(PODS, **query)) == (400, "BadRequest", message)


def test_pages_show_one_moment_even_when_the_world_moves_on() -> None:
    cluster = Cluster()
    for name in "abc":
        ask(cluster, create(name))
    first = ask(cluster, get(PODS, limit="2"))
    assert first["metadata"]["remainingItemCount"] == 1
    ask(cluster, delete("c", gracePeriodSeconds=0))
    ask(cluster, create("d"))
    second = ask(cluster, get(PODS, limit="2", **{"continue": first["metadata"]["continue"]}))
    assert [item["metadata"]["name"] for item in second["items"]] == ["c"]
    assert second["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}


def test_with_a_selector_the_remaining_number_is_not_told() -> None:
    cluster = Cluster()
    for name in "ab":
        ask(cluster, create(name))
    page = ask(cluster, get(PODS, limit="1", labelSelector="app"))
    assert "remainingItemCount" not in page["metadata"]
    assert page["metadata"]["continue"]


def test_an_expired_page_offers_to_go_on_with_what_is_current() -> None:
    cluster = Cluster()
    for name in "abc":
        ask(cluster, create(name))
    token = ask(cluster, get(PODS, limit="1"))["metadata"]["continue"]
    ask(cluster, delete("c", gracePeriodSeconds=0))
    cluster.expire_versions()
    reply = cluster.handle(get(PODS, **{"continue": token}), 0.0)
    assert isinstance(reply, Response)
    status = parse_status(reply.body, code=reply.status)
    assert status.is_expired
    rest = ask(cluster, get(PODS, **{"continue": status.continue_token}))
    assert [item["metadata"]["name"] for item in rest["items"]] == ["b"]


@pytest.mark.parametrize("token", ["garbage!", "garbage", "e30"])
def test_a_token_of_ones_own_is_a_bad_request(token: str) -> None:
    code, _, message = refusal(Cluster(), get(PODS, **{"continue": token}))
    assert code == 400
    assert message.startswith("invalid continue token: ")


def test_a_version_from_the_future_is_a_timeout_with_a_time_to_wait() -> None:
    reply = Cluster().handle(get(PODS, resourceVersion="99999"), 0.0)
    assert isinstance(reply, Response)
    status = parse_status(reply.body, code=reply.status, headers=reply.headers)
    assert (status.code, status.reason, status.retry_after) == (504, "Timeout", 1.0)
    assert status.message == "Timeout: Too large resource version: 99999, current: 1002"


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


def test_bodies_are_json_documents_that_end_in_a_newline() -> None:
    reply = Cluster().handle(create(), 0.0)
    assert isinstance(reply, Response)
    assert reply.body.endswith(b"}\n")
    assert reply.header("content-type") == "application/json"
    assert msgspec.json.decode(reply.body)["kind"] == "Pod"
