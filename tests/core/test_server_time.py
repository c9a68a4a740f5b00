"""The server's times, in and out."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.server_time import (
    format_rfc3339,
    parse_http_date,
    parse_rfc3339,
    parse_rfc3339_nanoseconds,
    server_date,
)
from tests.core.thoroughness import examples

SECOND = 1795442479  # 2026-11-23T14:01:19Z
GOOD = "Mon, 23 Nov 2026 14:01:19 GMT"


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("2026-11-23T14:01:19Z", SECOND * 10**9),
        ("2026-11-23T14:01:19.112381182Z", SECOND * 10**9 + 112381182),
        ("2026-11-23T14:01:19.1Z", SECOND * 10**9 + 100_000_000),
        ("2026-11-23T14:01:19.000000001Z", SECOND * 10**9 + 1),
        ("2026-11-23T15:01:19+01:00", SECOND * 10**9),
        ("2026-11-23T08:31:19.25-05:30", SECOND * 10**9 + 250_000_000),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.9Z", -100_000_000),
        ("2024-02-29T00:00:00Z", 1709164800 * 10**9),
        ("0001-01-01T00:00:00Z", -62135596800 * 10**9),
        ("9999-12-31T23:59:59Z", 253402300799 * 10**9),
    ],
)
def test_rfc3339(text, nanoseconds):
    assert parse_rfc3339_nanoseconds(text) == nanoseconds
    assert parse_rfc3339(text) == nanoseconds / 10**9


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "2026-11-23T14:01:19",
        "2026-11-23 14:01:19Z",
        "2026-11-23t14:01:19Z",
        "2026-11-23T14:01:19z",
        "2026-11-23T14:01:19.Z",
        "2026-11-23T14:01:19.1234567890Z",
        "2026-11-23T14:01:19.12a4Z",
        "2026-11-23T14:01:19.\u0661\u0662Z",
        "\u0662026-11-23T14:01:19Z",
        "2026-11-23T14:01:19ZZ",
        "2026-11-23T14:01:19.1ZZ",
        "2026-11-23T14:01:19+0100",
        "2026-11-23T14:01:19+01.00",
        "2026-11-23T14:01:19+24:00",
        "2026-11-23T14:01:19+01:60",
        "2026-11-23T14:01:19*01:00",
        "2026-11-23T14:01:19+1a:00",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T23:60:00Z",
        "2026-11-23T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "2026-11-23T1_:01:19Z",
        "2026-11-23T +1:01:19Z",
        " 2026-11-23T14:01:19Z",
    ],
)
def test_what_is_no_rfc3339(text):
    assert parse_rfc3339(text) is None


def test_every_single_changed_character_is_noticed_or_gives_another_time():
    text = "2026-11-23T14:01:19.112381182Z"
    meant = parse_rfc3339_nanoseconds(text)
    for place in range(len(text)):
        for wrong in "x5 ":
            changed = text[:place] + wrong + text[place + 1 :]
            assert changed == text or parse_rfc3339_nanoseconds(changed) != meant


@pytest.mark.parametrize(
    ("epoch", "text"),
    [
        (SECOND, "2026-11-23T14:01:19Z"),
        (SECOND + 0.5, "2026-11-23T14:01:19.500000Z"),
        (0.0, "1970-01-01T00:00:00Z"),
        (-1.5, "1969-12-31T23:59:58.500000Z"),
        (0.9999999, "1970-01-01T00:00:01Z"),
    ],
)
def test_formatting(epoch, text):
    assert format_rfc3339(epoch) == text


@pytest.mark.parametrize("epoch", [float("nan"), float("inf"), 1e15, -1e15])
def test_what_no_year_holds_cannot_be_formatted(epoch):
    with pytest.raises((ValueError, OverflowError)):
        format_rfc3339(epoch)


@settings(max_examples=examples(100), deadline=None)
@given(microseconds=st.integers(-62135596800_000_000, 253402300799_000_000))
def test_a_time_survives_formatting_and_parsing(microseconds):
    parsed = parse_rfc3339_nanoseconds(format_rfc3339(microseconds / 1_000_000))
    assert parsed is not None
    # A float of seconds has whole microseconds only in the years around ours.
    assert abs(parsed - microseconds * 1000) <= (0 if abs(microseconds) < 2**52 else 32_000)


@settings(max_examples=examples(100), deadline=None)
@given(
    moment=st.datetimes(min_value=dt.datetime(1, 1, 2), max_value=dt.datetime(9999, 12, 30)),  # noqa: DTZ001
    offset=st.integers(-14 * 60, 14 * 60),
)
def test_it_agrees_with_datetime(moment, offset):
    aware = moment.replace(microsecond=0, tzinfo=dt.timezone(dt.timedelta(minutes=offset)))
    assert parse_rfc3339(aware.isoformat()) == aware.timestamp()


def test_http_date():
    assert parse_http_date(GOOD) == float(SECOND)
    assert parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777.0
    assert parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == 0.0
    assert parse_http_date("Wed, 31 Dec 1969 23:59:59 GMT") == -1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Mon, 23 Nov 2026 14:01:19 UTC",
        "Tue, 23 Nov 2026 14:01:19 GMT",
        "Mon, 23 nov 2026 14:01:19 GMT",
        "mon, 23 Nov 2026 14:01:19 GMT",
        "Mon; 23 Nov 2026 14:01:19 GMT",
        "Mon, 23-Nov 2026 14:01:19 GMT",
        "Mon, 23 Nov-2026 14:01:19 GMT",
        "Mon, 23 Nov 2026T14:01:19 GMT",
        "Mon, 31 Nov 2026 14:01:19 GMT",
        "Mon, 23 Nov 2026 14:01:60 GMT",
        "Mon, 23 Nov 2026 14:01:19 GMT ",
        "1795442479",
    ],
)
def test_what_is_no_http_date(text):
    assert parse_http_date(text) is None


def test_no_beginning_of_a_date_is_one():
    assert not [cut for cut in range(len(GOOD)) if parse_http_date(GOOD[:cut]) is not None]


def test_the_date_of_a_reply():
    assert server_date((("content-type", "text/plain"), ("date", GOOD))) == float(SECOND)
    assert server_date((("date", "yesterday"),)) is None
    assert server_date(()) is None
