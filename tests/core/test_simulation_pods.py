"""What the simulated API server says to requests for Pods; the bodies were compared with a real 1.36."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.api_status import parse_status
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation import Cluster
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
        "resourceVersion": str(FIRST_VERSION + 5),  # two namespaces, each with its account
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
        (get("/api/v2"), 404, "NotFound", "the server could not find the requested resource"),
        (
            Request("PUT", PODS),
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
        (
            Request("PATCH", PODS),
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
                "the ResourceVersion in record (1005). The object might have been modified"
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


def test_bodies_are_json_documents_that_end_in_a_newline() -> None:
    reply = Cluster().handle(create(), 0.0)
    assert isinstance(reply, Response)
    assert reply.body.endswith(b"}\n")
    assert reply.header("content-type") == "application/json"
    assert msgspec.json.decode(reply.body)["kind"] == "Pod"
