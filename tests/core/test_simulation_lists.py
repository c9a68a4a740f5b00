"""Lists of Pods: selectors, pages, versions."""

from __future__ import annotations

import pytest

from hodei_k8s_core.api_status import parse_status
from hodei_k8s_core.http import Response
from hodei_k8s_core.simulation import Behaviour, Cluster, Unschedulable
from tests.core.simulation_requests import (
    PODS,
    ask,
    create,
    delete,
    get,
    post,
    refusal,
)

NOWHERE = Behaviour(fail=Unschedulable())

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
    assert status.message == "Timeout: Too large resource version: 99999, current: 1004"


def test_a_version_from_before_other_kinds_changed() -> None:
    """A later page of a list is of its own version: what else happened meanwhile does not matter."""
    cluster = Cluster()
    for name in ("a", "b"):
        ask(cluster, create(name))
    page = ask(cluster, get(PODS, limit="1"))
    ask(cluster, post({"metadata": {"name": "c"}}, "/api/v1/namespaces/hodei-workers/configmaps"))
    rest = ask(cluster, get(PODS, limit="1", **{"continue": page["metadata"]["continue"]}))
    assert [one["metadata"]["name"] for one in rest["items"]] == ["b"]
