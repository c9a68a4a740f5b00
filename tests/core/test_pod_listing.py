"""Lists in pages: each is read when it comes, and what was begun at an expired version does not count."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.errors import Delivery, ProviderError, Timeout, TransportError, TransportFault
from hodei_k8s_core.operations.deadline import with_deadline
from hodei_k8s_core.operations.pod_listing import list_whole
from hodei_k8s_core.operations.pod_watch import PodWatch
from hodei_k8s_core.operations.sightings import sightings
from tests.core.fleet_history import CONFIG
from tests.core.watch_script import OPEN, After, Script, line, page, pod, status

REFUSED = TransportError(TransportFault.REFUSED, Delivery.NOT_SENT, "down")


def names(script: Script) -> Any:
    return script.run(list_whole(CONFIG, "list", lambda pod, date: pod.metadata.name))


def test_all_pages_in_their_order() -> None:
    script = Script(page(pod("a", 1), token="t1"), page(token="t2"), page(pod("b", 2), pod("c", 3)))
    assert names(script) == ["a", "b", "c"]
    assert [ask.request.parameter("continue") for ask in script.asked] == [None, "t1", "t2"]


def test_what_expires_half_way_begins_again() -> None:
    expired = status(410, "Expired", metadata={"continue": "inconsistent"})
    script = Script(page(pod("a", 1), token="t1"), expired, page(pod("b", 2), version="200"))
    assert names(script) == ["b"]


def test_a_page_at_another_version_begins_again() -> None:
    script = Script(page(pod("a", 1), token="t1"), page(version="120"), page(pod("b", 2), version="130"))
    assert names(script) == ["b"]


@pytest.mark.parametrize("replies", [[status(403, "Forbidden")], [status(410, "Expired")]])
def test_what_cannot_be_begun_is_told(replies: list[Any]) -> None:
    with pytest.raises(ProviderError):
        names(Script(*replies))


def test_a_refusal_half_way_is_told() -> None:
    with pytest.raises(ProviderError):
        names(Script(page(pod("a", 1), token="t1"), status(403, "Forbidden")))


def test_a_watch_that_runs_out_of_time_tells_what_it_met() -> None:
    watch = PodWatch(CONFIG, what="watch", version="50")
    script = Script(OPEN, b"", *[After(2, REFUSED)] * 9)
    with pytest.raises(Timeout) as caught:
        script.run(with_deadline(watch.next_batch(), 10.0, what="wait"))
    assert caught.value.failure is REFUSED
    assert caught.value.attempts > 1


def test_a_watch_that_met_nothing_has_nothing_to_tell() -> None:
    watch = PodWatch(CONFIG, what="watch", version="50")
    with pytest.raises(Timeout) as caught:
        Script(After(11, OPEN)).run(with_deadline(watch.next_batch(), 10.0, what="wait"))
    assert (caught.value.failure, caught.value.attempts) == (None, 0)


def test_what_a_list_and_events_tell_of_one_pod() -> None:
    script = Script(page(pod("a", 1)), OPEN, line("MODIFIED", pod("a", 101)) + line("DELETED", pod("a", 102)))
    watch = PodWatch(CONFIG, what="watch")
    listed, events = script.run(watch.next_batch()), script.run(watch.next_batch())
    assert [seen.gone for seen in sightings(listed, "uid-a")] == [False]
    assert [seen.gone for seen in sightings(listed, "uid-other")] == [True]
    assert [seen.gone for seen in sightings(events, "uid-a")] == [False, True]
    assert [seen.gone for seen in sightings(events, "uid-other")] == [True, True]
    assert [seen.gone for seen in sightings(events, "")] == [False, True]
