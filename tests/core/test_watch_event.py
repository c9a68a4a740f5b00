"""Lines of a watch -> typed events."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.errors import Internal
from hodei_k8s_core.lines import LineSplitter
from hodei_k8s_core.watch_event import (
    Added,
    Bookmark,
    Deleted,
    Modified,
    WatchError,
    parse_watch_event,
    version_newer,
)
from tests.core.thoroughness import examples
from tests.recordings import V1_36, load

POD = '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","uid":"u","resourceVersion":"7"},"status":{"phase":"Running"}}'  # noqa: E501
EXPIRED = '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (5)","reason":"Expired","code":410}'  # noqa: E501


def recorded_streams() -> list[list[bytes]]:
    steps = [step for name in V1_36 for step in load(f"v1.36/{name}").steps if step.note == "watch"]
    return [[told.line.encode() for told in step.response.lines] for step in steps]


@pytest.mark.parametrize(("type_", "kind"), [("ADDED", Added), ("MODIFIED", Modified), ("DELETED", Deleted)])
def test_a_change_of_a_pod(type_, kind):
    event = parse_watch_event(f'{{"type":"{type_}","object":{POD}}}'.encode())
    assert type(event) is kind
    assert isinstance(event, Added | Modified | Deleted)
    assert (event.version, event.pod.metadata.name, event.pod.phase) == ("7", "p", "Running")


def test_the_type_may_come_last():
    assert isinstance(parse_watch_event(f'{{"object":{POD},"type":"ADDED"}}'.encode()), Added)


def test_a_bookmark_carries_a_version_and_nothing_else():
    line = b'{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"9","creationTimestamp":null},"spec":{"containers":null},"status":{}}}'  # noqa: E501
    assert parse_watch_event(line) == Bookmark("9")


def test_an_error_inside_of_the_stream_is_a_status():
    event = parse_watch_event(f'{{"type":"ERROR","object":{EXPIRED}}}'.encode())
    assert isinstance(event, WatchError)
    assert event.status.is_expired
    assert event.status.message == "too old resource version: 1 (5)"


def test_an_error_whose_object_is_no_status_is_still_an_error():
    event = parse_watch_event(b'{"type":"ERROR","object":"what?"}')
    assert isinstance(event, WatchError)
    assert event.status.code == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"type":"RENAMED","object":' + POD.encode() + b"}", "`$.type`"),
        (b'{"type":"ADDED","object":{"kind":"Node","metadata":{"name":"n"}}}', "not a Pod but a Node"),
        (b'{"type":"ADDED","object":{"metadata":{"name":"n"}}}', "not a Pod"),
        (b'{"type":"ADDED"}', "missing required field `object`"),
        (b'{"object":{}}', "missing required field `type`"),
        (b'{"type":"BOOKMARK","object":{"metadata":{}}}', "`resourceVersion`"),
        (b'{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":3}}}', "$.object.metadata.name"),
        (b"<html>", "not a readable watch event"),
        (b"", "not a readable watch event"),
        (b"null", "not a readable watch event"),
        (b"[" * 100_000, "not a readable watch event"),
        (b'{"type":"ADDED","object":' + b'{"a":' * 100_000, "not a readable watch event"),
    ],
)
def test_what_is_no_event_is_told(line, said):
    with pytest.raises(Internal) as caught:
        parse_watch_event(line)
    assert said in str(caught.value)


def test_an_error_shows_nothing_of_the_content():
    with pytest.raises(Internal) as caught:
        parse_watch_event(b'{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":["hunter2"]},"x":"hunter2"}}')
    assert "hunter2" not in str(caught.value)


def test_recorded_events_parse_and_their_versions_go_forward():
    streams = recorded_streams()
    assert sum(map(len, streams)) > 50
    for lines in streams:
        events = [parse_watch_event(line) for line in lines]
        versions = [event.version for event in events if not isinstance(event, WatchError)]
        assert all(not version_newer(before, after) for before, after in pairwise(versions))


def test_recorded_events_are_the_same_at_every_split():
    lines = min((stream for stream in recorded_streams() if len(stream) > 1), key=lambda s: sum(map(len, s)))
    data = b"\n".join(lines) + b"\n"
    whole = [parse_watch_event(line) for line in lines]
    for cut in range(0, len(data) + 1, 7):
        splitter = LineSplitter()
        fed = [*splitter.feed(data[:cut]), *splitter.feed(data[cut:])]
        assert [parse_watch_event(line) for line in fed] == whole


def test_an_event_that_is_cut_off_anywhere_is_no_event():
    line = f'{{"type":"MODIFIED","object":{POD}}}'.encode()
    for cut in range(len(line)):
        with pytest.raises(Internal):
            parse_watch_event(line[:cut])


@pytest.mark.parametrize(
    ("version", "than", "newer"),
    [
        ("10", "9", True),
        ("9", "10", False),
        ("7", "7", False),
        ("007", "7", False),
        ("0", "0", False),
        ("1", "0", True),
        ("1" + "0" * 50, "9" * 50, True),
    ],
)
def test_versions_compare_as_numbers(version, than, newer):
    assert version_newer(version, than) is newer


@settings(max_examples=examples(100), deadline=None)
@given(a=st.integers(0, 10**40), b=st.integers(0, 10**40), zeros=st.integers(0, 3))
def test_versions_of_any_length_compare_as_numbers(a, b, zeros):
    assert version_newer("0" * zeros + str(a), str(b)) is (a > b)


@pytest.mark.parametrize("text", ["", "-1", "1.0", "abc", "\u0661"])
def test_a_version_that_is_no_number_is_told(text):
    with pytest.raises(Internal, match="not a decimal number"):
        version_newer(text, "1")
