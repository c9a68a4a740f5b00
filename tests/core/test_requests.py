"""Each builder's request, as it goes over the wire. All were sent to a real 1.36 once; the replies are noted there."""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core import requests
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.http import Request, find_header

PODS = "/api/v1/namespaces/ns/pods"


def body_of(request: Request) -> object:
    return msgspec.json.decode(request.body)


def faults_of(call, *args, **kwargs) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        call(*args, **kwargs)
    return tuple(fault.field for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("request_", "method", "target"),
    [
        (requests.create_pod("ns", b"{}"), "POST", f"{PODS}?fieldValidation=Strict"),
        (requests.dry_run_pod("ns", b"{}"), "POST", f"{PODS}?dryRun=All&fieldValidation=Strict"),
        (requests.get_pod("ns", "p"), "GET", f"{PODS}/p"),
        (requests.list_pods("ns"), "GET", PODS),
        (
            requests.list_pods("ns", label_selector="a=b,c", field_selector="x=y", limit=5, resource_version="0"),
            "GET",
            f"{PODS}?labelSelector=a%3Db%2Cc&fieldSelector=x%3Dy&limit=5&resourceVersion=0",
        ),
        (
            requests.list_pods("ns", continue_token="a b/+=", resource_version="7"),
            "GET",
            f"{PODS}?continue=a%20b%2F%2B%3D",
        ),
        (
            requests.watch_pods("ns", resource_version="7", timeout_seconds=300, label_selector="a=b"),
            "GET",
            f"{PODS}?watch=true&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=7&labelSelector=a%3Db",
        ),
        (
            requests.watch_pods("ns", resource_version="", timeout_seconds=1, field_selector="metadata.name=p"),
            "GET",
            f"{PODS}?watch=true&allowWatchBookmarks=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dp",
        ),
        (requests.delete_pod("ns", "p"), "DELETE", f"{PODS}/p"),
        (requests.patch_pod_annotations("ns", "p", {}), "PATCH", f"{PODS}/p"),
        (requests.pod_log("ns", "p", container="worker"), "GET", f"{PODS}/p/log?container=worker&timestamps=true"),
        (requests.pod_log("ns", "p", container=""), "GET", f"{PODS}/p/log?timestamps=true"),
        (
            requests.pod_log("ns", "p", container="c", since_time="2026-11-23T14:01:19Z", tail_lines=0, limit_bytes=1),
            "GET",
            f"{PODS}/p/log?container=c&timestamps=true&sinceTime=2026-11-23T14%3A01%3A19Z&tailLines=0&limitBytes=1",
        ),
        (
            requests.previous_pod_log("ns", "p", container="c", since_seconds=1),
            "GET",
            f"{PODS}/p/log?container=c&timestamps=true&previous=true&sinceSeconds=1",
        ),
        (
            requests.follow_pod_log("ns", "p", container="c", tail_lines=10),
            "GET",
            f"{PODS}/p/log?container=c&timestamps=true&follow=true&tailLines=10",
        ),
        (
            requests.list_events("ns", involved_uid="a,b=c\\"),
            "GET",
            "/api/v1/namespaces/ns/events?fieldSelector=involvedObject.uid%3Da%5C%2Cb%5C%3Dc%5C%5C",
        ),
        (
            requests.list_events_of_pods("ns", limit=500),
            "GET",
            "/api/v1/namespaces/ns/events?fieldSelector=involvedObject.kind%3DPod&limit=500",
        ),
        (requests.get_namespace("ns"), "GET", "/api/v1/namespaces/ns"),
        (requests.create_namespace("ns"), "POST", "/api/v1/namespaces"),
        (
            requests.access_review("get", "pods", namespace="ns"),
            "POST",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        ),
        (requests.identity_review(), "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews"),
        (requests.server_version(), "GET", "/version"),
        (requests.readyz(), "GET", "/readyz"),
    ],
)
def test_method_and_target(request_, method, target):
    assert (request_.method, request_.target) == (method, target)


def test_a_body_has_its_content_type():
    with_body = [
        requests.create_pod("ns", b"{}"),
        requests.dry_run_pod("ns", b"{}"),
        requests.delete_pod("ns", "p"),
        requests.create_namespace("ns"),
        requests.access_review("get", "pods", namespace="ns"),
        requests.identity_review(),
    ]
    assert {find_header(request.headers, "content-type") for request in with_body} == {"application/json"}
    assert all(request.body for request in with_body)
    patch = requests.patch_pod_annotations("ns", "p", {"a": "b"})
    assert find_header(patch.headers, "content-type") == "application/merge-patch+json"
    assert requests.create_pod("ns", b'{"kind":"Pod"}').body == b'{"kind":"Pod"}'


def test_without_a_body_there_is_no_content_type():
    for request in (requests.get_pod("ns", "p"), requests.list_pods("ns"), requests.readyz()):
        assert find_header(request.headers, "content-type") is None
        assert request.body == b""


def test_a_log_is_accepted_in_any_form_so_that_a_refusal_can_be_json():
    assert find_header(requests.pod_log("ns", "p", container="c").headers, "accept") == "application/json, */*"
    assert find_header(requests.get_pod("ns", "p").headers, "accept") == "application/json"


def test_next_page_keeps_the_question_and_drops_the_version():
    first = requests.list_pods("ns", label_selector="a", limit=2, resource_version="0")
    second = requests.next_page(first, "t1")
    third = requests.next_page(second, "t2")
    assert second.query == (("labelSelector", "a"), ("limit", "2"), ("continue", "t1"))
    assert third.query == (("labelSelector", "a"), ("limit", "2"), ("continue", "t2"))
    assert first.parameter("continue") is None


@pytest.mark.parametrize(
    ("known", "options"),
    [
        ({}, {}),
        ({"grace_period": 0}, {"gracePeriodSeconds": 0}),
        ({"grace_period": 30, "uid": "u"}, {"gracePeriodSeconds": 30, "preconditions": {"uid": "u"}}),
        ({"uid": "u", "resource_version": "7"}, {"preconditions": {"uid": "u", "resourceVersion": "7"}}),
    ],
)
def test_delete_options(known, options):
    request = requests.delete_pod("ns", "p", **known)
    assert body_of(request) == {"apiVersion": "v1", "kind": "DeleteOptions", **options}


def test_a_patch_sets_removes_and_says_which_pod_it_means():
    annotations = {"a": "é", "b": None}
    assert body_of(requests.patch_pod_annotations("ns", "p", annotations)) == {"metadata": {"annotations": annotations}}
    patch = requests.patch_pod_annotations("ns", "p", {"a": ""}, uid="u", resource_version="7")
    assert body_of(patch) == {"metadata": {"annotations": {"a": ""}, "uid": "u", "resourceVersion": "7"}}


def test_reviews_and_namespace():
    assert body_of(requests.access_review("get", "pods", namespace="ns", subresource="log", group="g")) == {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {
            "resourceAttributes": {
                "namespace": "ns", "verb": "get", "group": "g", "resource": "pods", "subresource": "log",
            }
        },
    }  # fmt: skip
    assert body_of(requests.identity_review()) == {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "SelfSubjectReview",
    }
    assert body_of(requests.create_namespace("ns")) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "ns"},
    }


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a%2Fb", "../../nodes"])
def test_a_name_that_would_change_the_path_is_refused(name):
    assert faults_of(requests.get_pod, "ns", name) == ("name",)
    assert faults_of(requests.delete_pod, name, name) == ("namespace", "name")
    assert faults_of(requests.list_pods, name) == ("namespace",)
    assert faults_of(requests.create_namespace, name) == ("namespace",)


def test_what_is_odd_in_a_name_is_percent_encoded():
    assert requests.get_pod("ns", "a?b#c é").path == f"{PODS}/a%3Fb%23c%20%C3%A9"


@pytest.mark.parametrize(
    ("call", "numbers"),
    [
        (requests.pod_log, {"since_seconds": 0, "tail_lines": -1, "limit_bytes": 0}),
        (requests.previous_pod_log, {"since_seconds": 0, "tail_lines": -1, "limit_bytes": 0}),
        (requests.follow_pod_log, {"since_seconds": -5, "tail_lines": -1}),
    ],
)
def test_log_numbers_out_of_range_are_told_all_at_once(call, numbers):
    assert faults_of(call, "ns", "p", container="c", **numbers) == tuple(numbers)


def test_other_numbers_out_of_range():
    assert faults_of(requests.list_pods, "ns", limit=-1) == ("limit",)
    assert faults_of(requests.watch_pods, "ns", resource_version="1", timeout_seconds=0) == ("timeout_seconds",)
    assert faults_of(requests.delete_pod, "ns", "p", grace_period=-1) == ("grace_period",)


def test_the_error_names_the_least_value():
    with pytest.raises(ConfigurationError) as caught:
        requests.pod_log("ns", "p", container="c", tail_lines=-2)
    assert caught.value.faults == (Fault("tail_lines", "must be at least 0, not -2"),)


def test_since_time_and_since_seconds_exclude_each_other():
    since = {"since_time": "2026-11-23T14:01:19Z", "since_seconds": 5}
    assert faults_of(requests.pod_log, "ns", "p", container="c", **since) == ("since_seconds",)
