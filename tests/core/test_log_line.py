"""Lines of a log -> entries, one by one and in bulk; letter for letter."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.lines import LinePiece, LogLineSplitter
from hodei_k8s_core.log_line import format_since_time, kubelet_complaint, parse_log_line, parse_log_lines
from hodei_k8s_core.worker import LogEntry
from tests.core.thoroughness import examples
from tests.recordings import V1_36, load

SECOND = 1795442479  # 2026-11-23T14:01:19Z
AT = SECOND * 10**9
STAMP = b"2026-11-23T14:01:19.112381182Z"
STAMPED = AT + 112381182


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        (STAMP + b" boom", LogEntry(STAMPED, "boom")),
        (STAMP + b" ", LogEntry(STAMPED, "")),
        (STAMP + b" \t  indented\t \r", LogEntry(STAMPED, "\t  indented\t \r")),
        (STAMP + b"  two spaces", LogEntry(STAMPED, " two spaces")),
        (STAMP + " é\u0085\u2028😀".encode(), LogEntry(STAMPED, "é\u0085\u2028😀")),
        (STAMP + b" \xff\xc3 a\xe2\x82", LogEntry(STAMPED, "\ufffd\ufffd a\ufffd")),
        (STAMP + b" a\x00b", LogEntry(STAMPED, "a\x00b")),
        (b"2026-11-23T14:01:19.1123Z x", LogEntry(AT + 112300000, "x")),
        (b"2026-11-23T14:01:19Z x", LogEntry(AT, "x")),
        (b"2026-11-23T15:01:19.112381182+01:00 x", LogEntry(STAMPED, "x")),
        (b"2026-11-23T09:01:19.5-05:00 x", LogEntry(AT + 500000000, "x")),
        (b"", LogEntry(None, "")),
        (b"no timestamp", LogEntry(None, "no timestamp")),
        (STAMP, LogEntry(None, STAMP.decode())),
        (b"2026-11-23T14:01:19.112381182 x", LogEntry(None, "2026-11-23T14:01:19.112381182 x")),
        (b"2026-13-23T14:01:19.112381182Z x", LogEntry(None, "2026-13-23T14:01:19.112381182Z x")),
        (b"2026-11-23T14:01:60.112381182Z x", LogEntry(None, "2026-11-23T14:01:60.112381182Z x")),
        (b"2026-11-23T14:01:19.11238118aZ x", LogEntry(None, "2026-11-23T14:01:19.11238118aZ x")),
        (b"2026-11-23T14:01:19,112381182Z x", LogEntry(None, "2026-11-23T14:01:19,112381182Z x")),
        (b"2026-11-23T14:01:19.112381182Zx y", LogEntry(None, "2026-11-23T14:01:19.112381182Zx y")),
        ("2026-11-23T14:01:19.11238\u0661Z x".encode(), LogEntry(None, "2026-11-23T14:01:19.11238\u0661Z x")),
        (b"2026-\xff1-23T14:01:19.112381182Z x", LogEntry(None, "2026-\ufffd1-23T14:01:19.112381182Z x")),
        (LinePiece(STAMP + b" within a line"), LogEntry(None, STAMP.decode() + " within a line")),
    ],
)
def test_a_line(line, entry):
    assert parse_log_line(line) == entry
    assert parse_log_lines([line]) == [entry]
    assert parse_log_lines([STAMP + b" a", line, STAMP + b" b"]) == [
        LogEntry(STAMPED, "a"),
        entry,
        LogEntry(STAMPED, "b"),
    ]


def test_no_lines():
    assert parse_log_lines([]) == []


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        # As many digits and zones as a line with nine digits has, and of its length; only not at their places.
        (b"2026-11-23T14:01:19.1234567Z 89", LogEntry(AT + 123456700, "89")),
        (b"2026-11-23T14:01:19.Z 123456789 x", LogEntry(None, "2026-11-23T14:01:19.Z 123456789 x")),
        (b"2026-11-23T14:01:19.12345678Z 9 x", LogEntry(AT + 123456780, "9 x")),
        (b"2026-11-23T14:01:19.1234,5678Z x", LogEntry(None, "2026-11-23T14:01:19.1234,5678Z x")),
        (b"2026-11-23T14:01:19.1123811820 x", LogEntry(None, "2026-11-23T14:01:19.1123811820 x")),
        (b"2026-11-23T14:01:19.112381182Z", LogEntry(None, "2026-11-23T14:01:19.112381182Z")),
    ],
)
def test_digits_at_other_places_are_not_taken_for_a_fraction(line, entry):
    good, known = STAMP + b" y", LogEntry(STAMPED, "y")
    assert parse_log_lines([good, line]) == [known, entry]
    assert parse_log_lines([line, good, line, good]) == [entry, known, entry, known]


def test_a_first_line_that_is_no_log_line_sets_no_form_for_the_others():
    # ",1 " in the zone's place would make of the second line's commas what no list of numbers is.
    lines = [b"2026-11-23T14:01:19.112381182,1 x", b"2026-11-23T14:01:19.0,1234567,89", STAMP + b" y"]
    assert parse_log_lines(lines[:2]) == [LogEntry(None, line.decode()) for line in lines[:2]]
    assert parse_log_lines(lines)[2] == LogEntry(STAMPED, "y")


stamps = st.one_of(
    st.just(STAMP + b" "),
    st.sampled_from([b"2026-11-23T14:01:20.000000000Z ", b"2026-11-23T15:01:19.000000007+01:00 ", b"", b"x "]),
    st.builds(
        lambda second, ns: b"2026-11-23T14:01:%02d.%dZ " % (second, ns), st.integers(0, 60), st.integers(0, 10**10)
    ),
)
messages = st.one_of(st.binary(max_size=12), st.text(max_size=8).map(lambda text: text.encode("utf-8", "ignore")))
log_lines = st.builds(lambda stamp, text: stamp + text.replace(b"\n", b""), stamps, messages)


@settings(max_examples=examples(60), deadline=None)
@given(lines=st.lists(log_lines, max_size=30), repeat=st.sampled_from([1, 20]), pieces=st.booleans())
def test_in_bulk_is_as_one_by_one(lines, repeat, pieces):
    lines = [STAMP + b" same"] * 33 * (repeat - 1) + lines * repeat
    if pieces and lines:
        lines[len(lines) // 2] = LinePiece(lines[len(lines) // 2])
    assert parse_log_lines(lines) == [parse_log_line(line) for line in lines]


@settings(max_examples=examples(100), deadline=None)
@given(line=st.binary(max_size=60))
def test_nothing_is_lost_whatever_a_line_is(line):
    entry = parse_log_line(line)
    assert line.decode("utf-8", "replace").endswith(entry.message)
    assert entry.timestamp is not None or entry.message == line.decode("utf-8", "replace")


def recorded_logs() -> list[bytes]:
    steps = [step for name in V1_36 for step in load(f"v1.36/{name}").steps if "/log?" in step.request.path]
    return [step.response.body.encode() for step in steps if step.response.status == 200 and step.response.body]


def test_recorded_logs_are_the_same_at_every_split():
    logs = recorded_logs()
    assert logs
    for data in logs:
        whole = parse_log_lines(LogLineSplitter().feed(data))
        assert whole
        assert all(entry.timestamp is not None for entry in whole)
        for cut in range(len(data) + 1):
            splitter = LogLineSplitter()
            assert parse_log_lines([*splitter.feed(data[:cut]), *splitter.feed(data[cut:])]) == whole
            assert splitter.tail == b""


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"failed to create fsnotify watcher: too many open files", True),
        (b"unable to retrieve container logs for containerd://0123", True),
        (b'failed to open log file "/var/log/pods/x/0.log": no such file', True),
        (STAMP + b" failed to create fsnotify watcher: too many open files", False),
        (b"something else", False),
        (b"", False),
        (b"failed to create", False),
    ],
)
def test_what_a_kubelet_says_in_place_of_lines(line, complaint):
    assert kubelet_complaint(line) == (line.decode() if complaint else None)


def test_a_log_goes_on_from_the_second_of_its_last_line():
    assert format_since_time(STAMPED) == "2026-11-23T14:01:19Z"
    assert format_since_time(AT) == "2026-11-23T14:01:19Z"
    assert format_since_time(-1) == "1969-12-31T23:59:59Z"


def test_entries_are_compared_by_what_they_say() -> None:
    assert not LogEntry(1, "a") != LogEntry(1, "a")  # noqa: SIM202 - it is this operator that is asked
    assert LogEntry(1, "a") != LogEntry(1, "b")
