"""The watch machine, told as transcripts: what it asks of the world, and what it makes of the replies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.watch_policy import WatchPolicy
from hodei_k8s_core.effects import SILENCE, Open
from hodei_k8s_core.errors import (
    ConnectionFailed,
    Delivery,
    Internal,
    PermissionDenied,
    ProviderError,
    TransportError,
    TransportFault,
)
from hodei_k8s_core.http import Response
from hodei_k8s_core.operations.pod_listing import Page
from hodei_k8s_core.operations.pod_watch import PodWatch
from hodei_k8s_core.operations.watch_trouble import Connected, Lost
from hodei_k8s_core.watch_event import Added, Deleted, Modified
from tests.core.watch_script import EXPIRED, OPEN, After, Script, bookmark, line, page, pod, status, status_object

CONFIG = KubernetesConfig(provider_id="tests", watch=WatchPolicy(timeout_min=300, timeout_max=300))
BROKEN = TransportError(TransportFault.CLOSED, Delivery.ANSWERED, "cut")
REFUSED = TransportError(TransportFault.REFUSED, Delivery.NOT_SENT, "down")
UNTRUSTED = TransportError(TransportFault.TLS_UNTRUSTED, Delivery.NOT_SENT, "who?")
INTERRUPTED = TransportError(TransportFault.INTERRUPTED, Delivery.MAYBE_SENT, "the caller broke off the wait")


def watching(**options: Any) -> PodWatch:
    return PodWatch(CONFIG, what="watch", **options)


def batches(watch: PodWatch, script: Script, count: int) -> list[Any]:
    return [script.run(watch.next_batch()) for _ in range(count)]


def names(events: Iterable[Any]) -> list[str]:
    return [event.pod.metadata.name for event in events]


def versions_asked(script: Script) -> list[str | None]:
    """The version of every watch that was opened."""
    return [effect.request.parameter("resourceVersion") for effect in script.asked if isinstance(effect, Open)]


def test_a_list_and_then_the_watch_from_its_version() -> None:
    script = Script(page(pod("a", 7)), OPEN, line("ADDED", pod("b", 101)))
    listed, events = batches(watching(), script, 2)
    assert [one.metadata.name for one in listed.pods] == ["a"]
    assert (listed.begins, listed.ends, listed.version) == (True, True, "100")
    assert names(events) == ["b"]
    asked = script.asked[1].request
    assert versions_asked(script) == ["100"]
    assert asked.parameter("allowWatchBookmarks") == "true"
    assert asked.parameter("timeoutSeconds") == "300"


def test_with_a_version_it_begins_by_watching() -> None:
    script = Script(OPEN, line("DELETED", pod("a", 51)))
    [events] = batches(watching(version="50"), script, 1)
    assert isinstance(events[0], Deleted)
    assert versions_asked(script) == ["50"]


@pytest.mark.parametrize("version", ["", "0"])
def test_a_version_that_means_anything_is_none(version: str) -> None:
    script = Script(page())
    [listed] = batches(watching(version=version), script, 1)
    assert isinstance(listed, Page)


@pytest.mark.parametrize("version", ["", "0"])
def test_a_list_without_a_version_seeds_no_watch(version: str) -> None:
    with pytest.raises(Internal, match="no version"):
        batches(watching(), Script(page(version=version)), 1)


def test_pages_come_one_by_one_and_only_the_last_ends() -> None:
    script = Script(page(pod("a", 1), token="t1"), page(token="t2"), page(pod("c", 2)))
    pages = batches(watching(), script, 3)
    assert [(len(one.pods), one.begins, one.ends) for one in pages] == [
        (1, True, False),
        (0, False, False),
        (1, False, True),
    ]
    assert [ask.request.parameter("continue") for ask in script.asked] == [None, "t1", "t2"]
    assert {ask.request.parameter("limit") for ask in script.asked} == {"500"}


def test_a_version_that_expires_between_two_pages_begins_again_in_one_reply() -> None:
    """The continuation that the server offers shows the rest at another version: it is not taken."""
    offered = status(410, "Expired", metadata={"continue": "inconsistent"})
    script = Script(page(pod("a", 1), token="t1"), offered, page(pod("a", 1), pod("b", 2), version="200"), OPEN, b"")
    first, second = batches(watching(), script, 2)
    assert (first.begins, first.ends) == (True, False)
    assert (second.begins, second.ends, second.version) == (True, True, "200")
    asked = script.asked[2].request
    assert (asked.parameter("continue"), asked.parameter("limit")) == (None, None)


def test_a_page_at_another_version_than_the_first_begins_again() -> None:
    script = Script(page(pod("a", 1), token="t"), page(version="120"), page(pod("b", 2), version="130"))
    _, second = batches(watching(), script, 2)
    assert (second.begins, second.ends, second.version) == (True, True, "130")


def test_after_a_clean_end_it_goes_on_from_the_last_version() -> None:
    script = Script(OPEN, line("ADDED", pod("a", 51)), After(300, b""), OPEN, line("MODIFIED", pod("a", 52)))
    batches(watching(version="50"), script, 2)
    assert versions_asked(script) == ["50", "51"]
    assert (script.slept, script.causes, script.closed) == ([], [], 1)


def test_a_bookmark_only_moves_the_version() -> None:
    script = Script(OPEN, bookmark(90), After(300, b""), OPEN, line("ADDED", pod("a", 91)))
    assert names(batches(watching(version="50"), script, 1)[0]) == ["a"]
    assert versions_asked(script) == ["50", "90"]


@pytest.mark.parametrize("old", ["49", "50", "0"])
def test_the_version_never_goes_back(old: str) -> None:
    stale = bookmark(old) + line("MODIFIED", pod("a", old))
    script = Script(OPEN, stale, After(300, b""), OPEN, line("ADDED", pod("b", 51)))
    assert names(batches(watching(version="50"), script, 1)[0]) == ["b"]
    assert versions_asked(script) == ["50", "50"]


def test_versions_are_numbers_of_any_length() -> None:
    script = Script(OPEN, line("ADDED", pod("a", 10**30)), line("ADDED", pod("b", 9)), line("ADDED", pod("c", 10**31)))
    first, second = batches(watching(version="99"), script, 2)
    assert (names(first), names(second)) == (["a"], ["c"])


def test_what_came_in_the_chunk_of_a_break_counts() -> None:
    """The events before an ERROR are given, and the watch knows what it has seen."""
    last = line("ADDED", pod("a", 51)) + line("ERROR", status_object(500, "InternalError"))
    script = Script(OPEN, last, OPEN, line("ADDED", pod("b", 52)))
    first, second = batches(watching(version="50"), script, 2)
    assert (names(first), names(second)) == (["a"], ["b"])
    assert versions_asked(script) == ["50", "51"]
    assert (script.causes, script.slept) == (["refused"], [0.8])


def test_a_line_that_is_cut_is_dropped_and_the_watch_resumed() -> None:
    whole = line("ADDED", pod("a", 51))
    script = Script(OPEN, whole[:20], BROKEN, OPEN, whole)
    assert names(batches(watching(version="50"), script, 1)[0]) == ["a"]
    assert versions_asked(script) == ["50", "50"]
    assert script.closed == 1


def test_blank_lines_are_nothing() -> None:
    script = Script(OPEN, b"\n\n" + line("ADDED", pod("a", 51)))
    assert names(batches(watching(version="50"), script, 1)[0]) == ["a"]


STREAM = b"".join(
    [
        line("ADDED", pod("a", 51, annotations={"note": "grün \u2028 \u0085"})),
        bookmark(52),
        line("MODIFIED", pod("a", 53)),
        line("DELETED", pod("a", 54)),
        EXPIRED,
    ]
)


def test_every_byte_split_gives_the_same() -> None:
    for cut in range(len(STREAM) + 1):
        pieces = [piece for piece in (STREAM[:cut], STREAM[cut:]) if piece]
        script = Script(OPEN, *pieces, page(version="60"))
        watch = watching(version="50")
        told: list[Any] = []
        while not told or not isinstance(told[-1], Page):
            news = script.run(watch.next_batch())
            told += [news] if isinstance(news, Page) else news
        assert [type(one) for one in told] == [Added, Modified, Deleted, Page], f"cut at byte {cut}"
        assert script.causes == ["expired"], f"cut at byte {cut}"


AS_STATUS = [Response(410), status(410, "Gone").body, b""]
AS_EVENT = [OPEN, EXPIRED]


@pytest.mark.parametrize("answers", [AS_STATUS, AS_EVENT], ids=["as status", "as event"])
def test_a_version_that_has_expired_means_a_list_at_once(answers: list[Any]) -> None:
    script = Script(*answers, page(pod("a", 5), version="200"), OPEN, line("ADDED", pod("b", 201)))
    listed, events = batches(watching(version="50"), script, 2)
    assert (listed.version, names(events)) == ("200", ["b"])
    assert (script.causes, script.slept) == (["expired"], [])


def test_a_server_that_expires_every_version_is_not_asked_without_a_pause() -> None:
    again = [page(version="200"), OPEN, EXPIRED]
    script = Script(OPEN, EXPIRED, *again, *again, *again, page(version="300"))
    batches(watching(version="50"), script, 4)
    assert script.slept == pytest.approx([0.8, 1.6, 3.2])


def test_news_in_between_forget_earlier_expiries() -> None:
    script = Script(OPEN, EXPIRED, page(version="200"), OPEN, bookmark(201), EXPIRED, page(version="300"))
    batches(watching(version="50"), script, 2)
    assert script.slept == []


def test_silence_is_a_loss_and_not_an_end() -> None:
    script = Script(OPEN, After(120, SILENCE), OPEN, line("ADDED", pod("a", 51)))
    assert names(batches(watching(version="50"), script, 1)[0]) == ["a"]
    assert script.asked[1].silence_limit == CONFIG.silence_limit
    assert (script.causes, versions_asked(script)) == (["silent"], ["50", "50"])


def test_the_pauses_double_up_to_a_limit() -> None:
    script = Script(*[REFUSED] * 8, OPEN, line("ADDED", pod("a", 51)))
    batches(watching(version="50"), script, 1)
    assert script.slept == pytest.approx([0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0])


def test_a_connection_that_lasted_resets_the_pauses_and_one_that_never_came_does_not() -> None:
    """The time since the last connection does not count, however long the server is away."""
    lasting = [OPEN, After(121, BROKEN)]
    script = Script(
        REFUSED, REFUSED, *lasting, After(60, REFUSED), After(90, REFUSED), OPEN, line("ADDED", pod("a", 51))
    )
    batches(watching(version="50"), script, 1)
    assert script.slept == pytest.approx([0.8, 1.6, 0.8, 1.6, 3.2])


def test_a_server_that_says_when_is_believed() -> None:
    busy = Response(429, (("retry-after", "7"),))
    script = Script(busy, status(429, "TooManyRequests").body, b"", OPEN, line("ADDED", pod("a", 51)))
    batches(watching(version="50"), script, 1)
    assert script.slept == [7.0]


def test_a_watch_that_ends_at_once_again_and_again_is_a_failure() -> None:
    script = Script(OPEN, b"", OPEN, b"", OPEN, line("ADDED", pod("a", 51)))
    batches(watching(version="50"), script, 1)
    assert script.causes == ["closed", "closed"]
    assert script.slept == pytest.approx([0.8, 1.6])


def test_a_wait_that_the_caller_broke_off_costs_nothing() -> None:
    """A host that polls with a time limit of its own would else be slowed down more and more."""
    script = Script(OPEN, INTERRUPTED, OPEN, INTERRUPTED, OPEN, line("ADDED", pod("a", 51)))
    watch = watching(version="50")
    told = [script.run(watch.next_news()) for _ in range(4)]
    assert [type(news) for news in told[:3]] == [Connected, Connected, Connected]
    assert script.slept == []


def test_the_losses_are_told_and_counted_until_a_connection_is_open() -> None:
    script = Script(OPEN, After(10, line("ADDED", pod("a", 51))), After(5, BROKEN), REFUSED, OPEN)
    watch = watching(version="50")
    news = [script.run(watch.next_news()) for _ in range(5)]
    assert [type(one) for one in news] == [Connected, list, Lost, Lost, Connected]
    first, second = news[2], news[3]
    assert (first.cause, first.failure, first.heard, first.row) == ("broken", BROKEN, 10.0, 1)
    assert (second.cause, second.row, second.heard) == ("failed", 2, 10.0)


@pytest.mark.parametrize("refusal", [403, 401, 400])
def test_a_refusal_at_the_start_is_told_at_once(refusal: int) -> None:
    script = Script(Response(refusal), status(refusal, "Forbidden").body, b"")
    with pytest.raises(ProviderError) as caught:
        batches(watching(version="50"), script, 1)
    assert caught.value.status is not None
    assert caught.value.status.code == refusal
    assert script.slept == []


def test_a_certificate_that_is_not_trusted_at_the_start_is_told_at_once() -> None:
    with pytest.raises(ConnectionFailed):
        batches(watching(version="50"), Script(UNTRUSTED), 1)


@pytest.mark.parametrize("reply", [status(403, "Forbidden"), UNTRUSTED])
def test_a_refusal_later_is_waited_out_for_a_while(reply: Any) -> None:
    """An API server that starts refuses what it will allow in a moment."""
    refusal = [reply] if isinstance(reply, TransportError) else [Response(403), reply.body, b""]
    script = Script(OPEN, BROKEN, *refusal, *refusal, OPEN, line("ADDED", pod("a", 51)))
    assert names(batches(watching(version="50"), script, 1)[0]) == ["a"]


def test_a_refusal_that_lasts_is_told() -> None:
    refusal = [Response(403), status(403, "Forbidden").body, b""]
    script = Script(OPEN, BROKEN, *refusal * 20)
    with pytest.raises(PermissionDenied):
        batches(watching(version="50"), script, 1)
    assert CONFIG.operation_timeout < script.now < 2 * CONFIG.operation_timeout


def test_a_list_that_fails_at_the_start_is_told_after_the_usual_retries() -> None:
    with pytest.raises(ConnectionFailed) as caught:
        batches(watching(), Script(*[REFUSED] * CONFIG.retry.max_attempts), 1)
    assert caught.value.attempts == CONFIG.retry.max_attempts


def test_a_list_that_fails_later_is_waited_out() -> None:
    away = [REFUSED] * 3 * CONFIG.retry.max_attempts
    script = Script(OPEN, EXPIRED, *away, status(500), page(pod("a", 5), version="200"))
    [listed] = batches(watching(version="50"), script, 1)
    assert listed.version == "200"
    assert script.causes[:2] == ["expired", "failed"]
    assert script.causes[-1] == "refused"


def test_patience_ends() -> None:
    script = Script(OPEN, BROKEN, *[After(20, REFUSED)] * 9)
    with pytest.raises(ConnectionFailed):
        batches(watching(version="50", patience=60.0), script, 1)
    assert 60 < script.now < 160


def test_an_open_connection_restores_patience() -> None:
    some = [After(20, REFUSED)] * 2
    script = Script(OPEN, BROKEN, *some, OPEN, BROKEN, *some, OPEN, line("ADDED", pod("a", 51)))
    assert names(batches(watching(version="50", patience=60.0), script, 1)[0]) == ["a"]


@pytest.mark.parametrize("answer", [BROKEN, SILENCE, b"x" * 70_000], ids=["broken", "silent", "endless"])
def test_a_refusal_whose_body_does_not_come_is_one_all_the_same(answer: Any) -> None:
    script = Script(Response(500), answer, OPEN, line("ADDED", pod("a", 51)))
    batches(watching(version="50"), script, 1)
    assert script.closed == 1


def test_within_gives_an_empty_batch_when_nothing_came_in_time() -> None:
    script = Script(OPEN, After(5, SILENCE), After(5, SILENCE), line("ADDED", pod("a", 51)))
    watch = watching(version="50")
    assert [script.run(watch.next_batch(within=5.0)) for _ in range(2)] == [(), ()]
    assert script.asked[1].silence_limit == 5.0
    assert names(script.run(watch.next_batch())) == ["a"]
    assert script.causes == []


def test_the_silence_adds_up_over_short_waits() -> None:
    quiet = [After(50, SILENCE)] * 2
    script = Script(OPEN, *quiet, After(20, SILENCE), OPEN, line("ADDED", pod("a", 51)))
    watch = watching(version="50")
    assert [script.run(watch.next_batch(within=50.0)) for _ in range(2)] == [(), ()]
    assert names(script.run(watch.next_batch(within=50.0))) == ["a"]
    assert script.asked[3].silence_limit == 20.0
    assert script.causes == ["silent"]


def test_a_pause_is_shared_by_short_waits() -> None:
    script = Script(REFUSED, REFUSED, OPEN, line("ADDED", pod("a", 51)))
    watch = watching(version="50")
    assert script.run(watch.next_batch(within=0.5)) == ()
    assert script.run(watch.next_batch(within=0.5)) == ()
    assert names(script.run(watch.next_batch(within=10))) == ["a"]
    assert sum(script.slept) == pytest.approx(2.4)
    assert script.slept[0] == 0.5


def test_it_lets_go_and_goes_on() -> None:
    script = Script(OPEN, line("ADDED", pod("a", 51)), OPEN, line("ADDED", pod("b", 52)))
    watch = watching(version="50")
    script.run(watch.next_batch())
    script.run(watch.let_go())
    script.run(watch.let_go())
    assert script.closed == 1
    assert names(script.run(watch.next_batch())) == ["b"]
    assert versions_asked(script) == ["50", "51"]


@pytest.mark.parametrize("garbage", [b"<html>\n", b'{"type":"ADDED","object":{"kind":"Node"}}\n', b"x" * 17_000_000])
def test_what_is_no_watch_is_told(garbage: bytes) -> None:
    with pytest.raises(Internal):
        batches(watching(version="50"), Script(OPEN, garbage), 1)
