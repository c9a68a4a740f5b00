"""Reading a log in replies that break off anywhere: every line once, in order, or the place is known to be lost."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.log_level import LogLevel
from hodei_k8s_core.logs.batch import LogOptions
from hodei_k8s_core.logs.cursor import LogCursor, parse_cursor
from hodei_k8s_core.logs.reply import LogReply
from hodei_k8s_core.server_time import NANOSECONDS
from tests.core.log_files import OPTIONS, SECOND, Piece, Place, read, search, served, start, texts
from tests.core.thoroughness import examples

TICK = 0.25
LIMIT = 160
few = settings(max_examples=examples(100), deadline=None)


@st.composite
def files(draw: st.DrawFn) -> list[Piece]:
    """Pieces whose timestamps go on, stand still, or are out of order by less than a second."""
    now, file = 5.0, []
    for number in range(draw(st.integers(1, 25))):
        now += draw(st.sampled_from([0.0, 0.0, 0.001, 0.1, 0.6, 1.0, 3.0]))
        early = draw(st.sampled_from([0.0, 0.0, 0.0, 0.002, 0.9]))
        text = draw(st.sampled_from([b"", b"same", b"%d" % number, b"%d \xff\xc3" % number, b"%d" % number * 150]))
        goes_on = len(text) > 100
        file.append(Piece(round(now - early, 6), text, goes_on))
        if goes_on:
            file.append(Piece(round(now - early + draw(st.sampled_from([0.0, 0.5, 1.2])), 6), b"end", False))
    return file


def lines_of(file: list[Piece]) -> list[str]:
    return texts(read(start(), served(file))[0])


@given(files(), st.integers(1, 40))
@few
def test_chunks_do_not_matter(file: list[Piece], chunk: int) -> None:
    whole, reader = read(start(), served(file), limit=LIMIT)
    pieces, other = read(start(), served(file), chunk=chunk, limit=LIMIT)
    assert texts(pieces) == texts(whole)
    assert [entry.cursor for entry in pieces if not entry.partial] == [e.cursor for e in whole if not e.partial]
    assert other.cursor == reader.cursor


@given(files(), st.data())
@few
def test_cut_anywhere_and_continued(file: list[Piece], data: st.DataObject) -> None:
    """The file grows while it is read; each connection breaks at some byte."""
    cursor, got = start(), []
    for seen in range(len(file) + 1):
        reply = served(file[:seen], cursor.anchor)
        cut = data.draw(st.integers(0, len(reply)))
        entries, reader = read(cursor, reply[:cut], chunk=data.draw(st.integers(1, 300)), limit=LIMIT)
        assert reader.place is not Place.LOST
        got += entries
        cursor = parse_cursor(str(reader.cursor))
        assert cursor == reader.cursor
    entries, reader = read(cursor, served(file, cursor.anchor), limit=LIMIT)
    assert reader.place is Place.GIVING
    assert texts(got + entries) == lines_of(file)


@given(files())
@few
def test_every_entrys_cursor_goes_on_behind_it(file: list[Piece]) -> None:
    entries, _ = read(start(), served(file), limit=LIMIT)
    for place, entry in enumerate(entries):
        cursor = parse_cursor(entry.cursor)
        rest, reader = read(cursor, served(file, cursor.anchor), limit=LIMIT)
        assert reader.place is Place.GIVING
        assert [e.message for e in rest] == [e.message for e in entries[place + 1 :]]
        assert [e.timestamp for e in rest] == [e.timestamp for e in entries[place + 1 :]]


@given(files(), st.data())
@few
def test_a_rotated_file_is_searched(file: list[Piece], data: st.DataObject) -> None:
    """What a rotation took is known to be lost; what it left is given once. (Equal lines could not be told apart.)"""
    file = [Piece(piece.at, b"%d-" % at + piece.text, piece.goes_on) for at, piece in enumerate(file)]
    entries, _ = read(start(), served(file), limit=LIMIT)
    place = data.draw(st.integers(0, len(entries) - 1))
    cursor = parse_cursor(entries[place].cursor)
    rotated = data.draw(st.sampled_from([at for at in range(len(file) + 1) if at == 0 or not file[at - 1].goes_on]))
    left = served(file[rotated:], cursor.anchor)
    rest, reader = read(cursor, left, limit=LIMIT)
    after = entries[place + 1 :]
    if reader.gaps:
        gap, *rest = rest
        assert (gap.since, gap.until) == (entries[place].timestamp, rest[0].timestamp)
        assert texts(rest) == texts(after)[-len(texts(rest)) :]
    elif reader.place is Place.GIVING:
        assert texts(rest) == texts(after)
    elif (found := search(cursor, left, limit=LIMIT).found) is not None:
        again, reader = read(found, left, limit=LIMIT)
        assert reader.place is Place.GIVING
        assert texts(again) == texts(after)
    else:
        everything = texts(read(cursor.at_start(), left, limit=LIMIT)[0])
        assert everything == lines_of(file)[len(lines_of(file)) - len(everything) :]
        assert len(everything) <= len(texts(after))


def test_a_line_in_pieces_whose_rest_was_rotated_away_is_torn() -> None:
    file = [Piece(1.0, b"a"), Piece(1.1, b"x" * 500), Piece(1.2, b"b")]
    entries, _ = read(start(), served(file), limit=LIMIT)
    cursor = parse_cursor(entries[1].cursor)
    assert cursor.within
    assert not search(cursor, served(file)).is_torn
    looking = search(cursor, served([file[0], file[2]]))
    assert looking.is_torn
    assert looking.found is not None
    assert texts(read(looking.found, served([file[0], file[2]]))[0]) == ["b"]
    assert search(cursor, served(file[1:])).found == LogCursor(
        container="c0ffee", anchor=cursor.anchor, within=cursor.within, opened=cursor.opened
    )


def test_lines_of_one_tick_are_counted() -> None:
    file = [Piece(1.0, b"same")] * 5
    entries, _ = read(start(), served(file))
    cursor = parse_cursor(entries[2].cursor)
    assert (cursor.count, cursor.same) == (3, 3)
    assert len(read(cursor, served(file, cursor.anchor))[0]) == 2


def test_a_clock_that_was_set_back_is_searched_for_and_nothing_is_doubled() -> None:
    file = [Piece(100.0, b"a"), Piece(100.5, b"b"), Piece(40.0, b"c"), Piece(40.1, b"d")]
    entries, _ = read(start(), served(file[:3]))
    cursor = parse_cursor(entries[-1].cursor)
    assert cursor.anchor == SECOND + 39
    lost, reader = read(cursor, served(file, cursor.anchor))
    assert (lost, reader.place) == ([], Place.LOST)
    found = search(cursor, served(file, cursor.anchor)).found
    assert found is not None
    again, reader = read(found, served(file, found.anchor))
    assert texts(again) == ["d"]


def test_lines_before_the_wanted_time_are_left_out() -> None:
    file = [Piece(1.1, b"old"), Piece(1.5, b"new"), Piece(1.4, b"a moment earlier")]
    cursor = LogCursor(anchor=SECOND + 1)
    reader = LogReply(cursor, OPTIONS, since=SECOND * NANOSECONDS + 1_300_000_000)
    assert texts(reader.feed(served(file, cursor.anchor))) == ["new", "a moment earlier"]
    assert read(reader.cursor, served(file, reader.cursor.anchor))[0] == []


def test_old_lines_alone_move_the_place_on() -> None:
    cursor = LogCursor(anchor=SECOND + 1)
    reader = LogReply(cursor, OPTIONS, since=SECOND * NANOSECONDS + 1_300_000_000)
    assert reader.feed(served([Piece(1.1, b"old")])) == []
    assert reader.cursor.count == 1


@pytest.mark.parametrize(
    "told", ["failed to create fsnotify watcher: too many open files", "unable to retrieve container logs for x", "odd"]
)
def test_a_complaint_is_no_line(told: str) -> None:
    reader = LogReply(start(), OPTIONS)
    assert texts(reader.feed(served([Piece(1.0, b"a")]) + told.encode())) == ["a"]
    reader.end()
    assert reader.complaint == told
    assert not reader.is_whole
    assert reader.end_of_log() == []


def test_a_complaint_that_ends_with_a_newline_is_no_line_either() -> None:
    reader = LogReply(start(), OPTIONS)
    assert texts(reader.feed(served([Piece(1.0, b"a")]) + b"failed to read log file x\nb\n")) == ["a"]
    assert reader.complaint == "failed to read log file x"
    assert reader.feed(b"more\n") == []


def test_a_removed_container_is_an_end() -> None:
    reader = LogReply(start(), OPTIONS)
    reader.feed(served([Piece(1.0, b"a")]) + b"rpc error: code = NotFound desc = an error occurred")
    reader.end()
    assert reader.is_whole


def test_the_last_line_without_a_newline_is_given_when_the_log_is_complete() -> None:
    reply = served([Piece(1.0, b"a"), Piece(1.5, b"b", goes_on=True)])
    entries, reader = read(start(), reply)
    assert texts(entries) == ["a"]
    reader.end()
    assert reader.is_whole
    assert texts(reader.end_of_log()) == ["b"]
    again, second = read(
        reader.cursor, served([Piece(1.0, b"a"), Piece(1.5, b"b", goes_on=True)], reader.cursor.anchor)
    )
    second.end()
    assert again + second.end_of_log() == []
    assert second.place is Place.GIVING


def test_the_rest_of_a_line_that_began_before_the_anchor_is_not_a_line() -> None:
    file = [Piece(9.9, b"long", goes_on=True), Piece(10.1, b"rest"), Piece(11.0, b"a"), Piece(11.1, b"b")]
    entries, _ = read(start(), served(file[:3]))
    cursor = parse_cursor(entries[-1].cursor)
    assert cursor.anchor == SECOND + 10
    assert texts(read(cursor, served(file, cursor.anchor))[0]) == ["b"]


def test_pieces_of_a_long_line() -> None:
    file = [Piece(1.0, b"x" * 500), Piece(1.1, b"next")]
    entries, reader = read(start(), served(file), limit=LIMIT)
    assert [entry.partial for entry in entries] == [True, True, True, False, False]
    assert {entry.timestamp for entry in entries[:4]} == {file[0].timestamp}
    assert all(len(entry.raw) <= LIMIT for entry in entries)
    assert reader.cursor.count == 2


def test_the_raw_bytes_are_kept() -> None:
    entries, _ = read(start(), served([Piece(1.0, b" a\xff\t")]))
    assert entries[0].message == " a\ufffd\t"
    assert entries[0].raw == b" a\xff\t"


def test_levels_can_be_off() -> None:
    line = served([Piece(1.0, b"ERROR: x")])
    assert LogReply(start(), OPTIONS).feed(line)[0].level is LogLevel.ERROR
    assert LogReply(start(), LogOptions(finds_levels=False)).feed(line)[0].level is LogLevel.INFO


def test_an_entry_survives_a_trip_to_another_process() -> None:
    entries, _ = read(start(), served([Piece(1.0, b"a\xff"), Piece(1.1, b"b")]))
    copies = pickle.loads(pickle.dumps(entries))
    assert copies == entries
    assert [(e.cursor, e.raw, e.level) for e in copies] == [(e.cursor, e.raw, e.level) for e in entries]
    assert entries[0].cursor != entries[1].cursor
    assert hash(copies[0]) == hash(entries[0])
    assert repr(copies[0]) == repr(entries[0])


@pytest.mark.parametrize(
    "text", ["", "v1", "v2_c_0_1_0_0_0___", "v1_c_0_1_0_0_0__", "v1_c d_0_1_0_0_0___", "v1_c_0_1_0_0_0_1.g__"]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no cursor"):
        parse_cursor(text)


def test_a_cursor_is_small() -> None:
    entries, _ = read(start(), served([Piece(1.0, b"a"), Piece(1.1, b"b" * 300)]), limit=LIMIT)
    assert all(len(entry.cursor) < 120 and entry.cursor.isprintable() for entry in entries)
