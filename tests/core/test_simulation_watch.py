"""Watches of the simulated API server."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.api_status import parse_status
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Response
from hodei_k8s_core.simulation import Behaviour, Cluster, Unschedulable
from tests.core.simulation_requests import PODS, ask, create, delete, events, get, patch, refusal, seen, watch

NOWHERE = Behaviour(fail=Unschedulable())


def still() -> Cluster:
    """A cluster in which nothing happens by itself."""
    return Cluster(behaviours=lambda _: Behaviour(schedule=1e9))


def open_watch(cluster: Cluster, now: float = 0.0, /, **query: Any) -> Any:
    stream = cluster.handle(watch(**query), now)
    assert stream.status == 200
    assert not isinstance(stream, Response)
    return stream


def version(cluster: Cluster) -> str:
    listed: str = ask(cluster, get(PODS, limit="1"))["metadata"]["resourceVersion"]
    return listed


def test_a_watch_tells_what_happens_after_its_version() -> None:
    cluster = still()
    ask(cluster, create("a"))
    stream = open_watch(cluster, resourceVersion=version(cluster))
    assert stream.read(0.0) is None
    ask(cluster, create("b"))
    ask(cluster, patch("a", {"metadata": {"annotations": {"x": "y"}}}))
    ask(cluster, delete("b"))
    assert seen(stream.read(0.0)) == [("ADDED", "b"), ("MODIFIED", "a"), ("MODIFIED", "b"), ("DELETED", "b")]
    assert stream.read(0.0) is None


def test_a_past_version_replays_what_was() -> None:
    cluster = still()
    before = version(cluster)
    ask(cluster, create("a"))
    ask(cluster, delete("a"))
    stream = open_watch(cluster, resourceVersion=before)
    (added, _, deleted) = events(stream.read(0.0))
    assert added["object"]["kind"] == "Pod"
    assert "deletionTimestamp" not in added["object"]["metadata"]
    assert deleted["type"] == "DELETED"


def test_a_watch_from_the_version_that_delete_returned_sees_nothing() -> None:
    cluster = still()
    ask(cluster, create("a"))
    gone = ask(cluster, delete("a"))
    stream = open_watch(cluster, resourceVersion=gone["metadata"]["resourceVersion"])
    assert stream.read(0.0) is None


@pytest.mark.parametrize("query", [{}, {"resourceVersion": "0"}])
def test_without_a_version_it_begins_with_what_exists(query: dict[str, Any]) -> None:
    cluster = still()
    ask(cluster, create("a"))
    ask(cluster, create("b"))
    assert seen(open_watch(cluster, **query).read(0.0)) == [("ADDED", "a"), ("ADDED", "b")]
    bookmarked = open_watch(cluster, fieldSelector="metadata.name=b", allowWatchBookmarks="true", **query)
    (pod, bookmark) = events(bookmarked.read(0.0))
    assert pod["object"]["metadata"]["name"] == "b"
    assert bookmark == {
        "type": "BOOKMARK",
        "object": {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {
                "resourceVersion": version(cluster),
                "annotations": {"k8s.io/initial-events-end": "true"},
            },
        },
    }


def test_an_object_that_leaves_the_selector_is_deleted_from_view() -> None:
    cluster = still()
    ask(cluster, create("a", labels={"app": "x"}))
    stream = open_watch(cluster, resourceVersion=version(cluster), labelSelector="app=x")
    ask(cluster, create("b", labels={"app": "y"}))
    ask(cluster, patch("a", {"metadata": {"labels": {"app": "y"}}}))
    (left,) = events(stream.read(0.0))
    assert left["type"] == "DELETED"
    assert left["object"]["metadata"]["labels"] == {"app": "x"}
    assert left["object"]["metadata"]["resourceVersion"] == version(cluster)
    ask(cluster, patch("a", {"metadata": {"labels": {"app": "x"}}}))
    ask(cluster, delete("a"))
    assert seen(stream.read(0.0)) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_other_resources_and_namespaces_are_not_told() -> None:
    cluster = Cluster(namespaces=["hodei-workers", "other"])
    stream = open_watch(cluster, resourceVersion=version(cluster))
    cluster.add_event({"metadata": {"name": "e", "namespace": "hodei-workers"}})
    cluster.handle(get("/api/v1/namespaces/other/pods"), 0.0)
    assert stream.read(0.0) is None


def test_bookmarks_carry_the_version_every_minute() -> None:
    cluster = still()
    ask(cluster, create())
    stream = open_watch(cluster, resourceVersion=version(cluster), allowWatchBookmarks="1", timeoutSeconds="100")
    assert stream.next_event_at(0.0) == 60.0
    assert stream.read(59.9) is None
    (bookmark,) = events(stream.read(60.0))
    assert bookmark["object"] == {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": version(cluster)},
    }
    assert stream.read(60.0) is None
    assert stream.next_event_at(60.0) == 100.0


def test_a_watch_ends_cleanly_when_its_time_is_over() -> None:
    cluster = still()
    stream = open_watch(cluster, 5.0, resourceVersion=version(cluster), timeoutSeconds="10")
    assert stream.next_event_at(5.0) == 15.0
    assert stream.read(14.9) is None
    ask(cluster, create())
    assert seen(stream.read(15.0)) == [("ADDED", "a")]
    assert stream.read(15.0) == b""
    assert stream.next_event_at(15.0) is None


def test_an_expired_version_is_an_error_event_and_the_end() -> None:
    cluster = still()
    old = version(cluster)
    cluster.expire_versions()
    ask(cluster, create())
    stream = open_watch(cluster, resourceVersion=old)
    (event,) = events(stream.read(0.0))
    assert event["type"] == "ERROR"
    assert event["object"] == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "too old resource version: 1004 (1005)",
        "reason": "Expired",
        "code": 410,
    }
    assert stream.read(0.0) == b""


def test_an_expired_version_can_be_a_410() -> None:
    cluster = still()
    old = version(cluster)
    cluster.expire_versions(as_http=True)
    reply = cluster.handle(watch(resourceVersion=old), 0.0)
    assert isinstance(reply, Response)
    assert parse_status(reply.body, code=reply.status).is_expired
    assert open_watch(cluster, resourceVersion=version(cluster)).read(0.0) is None


def test_an_open_watch_goes_on_when_versions_expire() -> None:
    cluster = still()
    stream = open_watch(cluster, resourceVersion=version(cluster))
    ask(cluster, create())
    cluster.expire_versions()
    assert seen(stream.read(0.0)) == [("ADDED", "a")]


def test_a_restart_cuts_watches_and_forgets_versions() -> None:
    cluster = Cluster()
    ask(cluster, create())
    closed = open_watch(cluster)
    closed.close()
    stream = open_watch(cluster, 5.0, resourceVersion=version(cluster))
    log: Any = cluster.handle(get(f"{PODS}/a/log", follow="true"), 5.0)
    old = version(cluster)
    cluster.restart()
    for cut in (stream, log):
        with pytest.raises(TransportError, match="the server closed the connection"):
            cut.read(5.0)
    assert "too old" in open_watch(cluster, resourceVersion=old).read(5.0).decode()
    assert "a" in cluster.pods("hodei-workers")


def test_a_version_from_the_future_waits_for_it() -> None:
    cluster = still()
    future = int(version(cluster)) + 1
    stream = open_watch(cluster, resourceVersion=str(future))
    ask(cluster, create("a"))
    assert stream.read(0.0) is None
    ask(cluster, create("b"))
    assert seen(stream.read(0.0)) == [("ADDED", "b")]


def test_a_version_that_is_no_number_is_an_error() -> None:
    code, reason, message = refusal(Cluster(), watch(resourceVersion="abc"))
    assert (code, reason) == (500, "")
    assert 'Invalid value: "abc"' in message


def test_an_unscheduled_pod_can_be_selected_by_its_missing_node() -> None:
    cluster = Cluster()
    stream = open_watch(cluster, resourceVersion=version(cluster), fieldSelector="spec.nodeName=")
    ask(cluster, create())
    cluster.advance(1.0)
    assert seen(stream.read(1.0)) == [("ADDED", "a"), ("DELETED", "a")]
