"""Labels of metrics: the right words for what we send, and a bounded set whatever is sent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core import requests
from hodei_k8s_core.http import Request
from hodei_k8s_core.request_label import OTHER, RESOURCES, VERBS, request_label
from tests.core.thoroughness import examples


@pytest.mark.parametrize(
    ("request_", "label"),
    [
        (requests.create_pod("ns", b"{}"), ("create", "pods")),
        (requests.get_pod("ns", "p"), ("get", "pods")),
        (requests.list_pods("ns"), ("list", "pods")),
        (requests.watch_pods("ns", resource_version="1", timeout_seconds=5), ("watch", "pods")),
        (requests.delete_pod("ns", "p"), ("delete", "pods")),
        (requests.patch_pod_annotations("ns", "p", {}), ("patch", "pods")),
        (requests.pod_log("ns", "p", container="c"), ("log", "pods")),
        (requests.follow_pod_log("ns", "p", container="c"), ("follow", "pods")),
        (requests.list_events("ns", involved_uid="u"), ("list", "events")),
        (requests.get_namespace("pods"), ("get", "namespaces")),
        (requests.create_namespace("ns"), ("create", "namespaces")),
        (requests.access_review("get", "pods", namespace="ns"), ("create", "selfsubjectaccessreviews")),
        (requests.identity_review(), ("create", "selfsubjectreviews")),
        (requests.server_version(), ("get", "version")),
        (requests.readyz(), ("get", "readyz")),
        (Request("GET", "/api/v1/nodes"), ("list", "nodes")),
        (Request("GET", "/api/v1/nodes/n"), ("get", "nodes")),
        (Request("GET", "/api/v1/namespaces"), ("list", "namespaces")),
        (Request("PUT", "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l"), ("update", "leases")),
        (Request("DELETE", "/api/v1/namespaces/ns/pods"), ("deletecollection", "pods")),
        (Request("GET", "/apis/x.io/v1/namespaces/ns/secret-things/name"), ("get", OTHER)),
        (Request("GET", "/api/v1/namespaces/ns/pods", (("watch", "1"),)), ("watch", "pods")),
        (Request("HEAD", "/api/v1/namespaces/ns/pods/p"), (OTHER, "pods")),
        (Request("PUT", "/api/v1/namespaces/ns/pods"), (OTHER, "pods")),
        (Request("GET", "/"), ("get", OTHER)),
        (Request("GET", "/api"), ("list", OTHER)),
    ],
)
def test_label(request_, label):
    assert request_label(request_) == label


@settings(max_examples=examples(100), deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "weird"]),
    path=st.lists(st.sampled_from(["", "api", "apis", "v1", "namespaces", "pods", "log", "x", "group"]), max_size=9),
)
def test_labels_are_a_bounded_set(method, path):
    verb, resource = request_label(Request(method, "/" + "/".join(path)))
    assert verb in VERBS
    assert resource in RESOURCES | {OTHER}
