"""Bytes in any chunking -> lines, and what happens at the limit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.lines import LinePiece, LineSplitter, LineTooLong, LogLineSplitter
from tests.core.thoroughness import examples

TEXT = "one\n\n\u0085two\u2028\r\n\x0b\x0c\x1cthree\x00\nrest".encode()
LINES = TEXT.split(b"\n")


def feed_all(splitter: LineSplitter, *chunks: bytes) -> list[bytes]:
    return [line for chunk in chunks for line in splitter.feed(chunk)]


def whole_lines(pieces: list[bytes]) -> list[bytes]:
    """The lines that pieces make when they are put together again."""
    lines: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, LinePiece):
            lines[-1] += piece
        else:
            lines.append(piece)
    return lines


@pytest.mark.parametrize("make", [LineSplitter, LogLineSplitter])
def test_every_split_gives_the_same_lines(make):
    for cut in range(len(TEXT) + 1):
        splitter = make()
        assert feed_all(splitter, TEXT[:cut], TEXT[cut:]) == LINES[:-1]
        assert splitter.tail == LINES[-1]


@pytest.mark.parametrize("make", [LineSplitter, LogLineSplitter])
def test_byte_by_byte(make):
    splitter = make()
    assert feed_all(splitter, *(TEXT[i : i + 1] for i in range(len(TEXT)))) == LINES[:-1]
    assert splitter.tail == LINES[-1]


def test_a_line_is_given_as_soon_as_it_is_complete():
    splitter = LineSplitter()
    assert splitter.feed(b"a") == []
    assert splitter.feed(b"b\n") == [b"ab"]
    assert splitter.feed(b"") == []
    assert splitter.tail == b""


def test_a_watch_line_of_just_the_limit_passes_and_a_longer_one_fails():
    assert LineSplitter(limit=4).feed(b"abcd\nabcd\n") == [b"abcd", b"abcd"]
    for chunks in (
        [b"abcde\n"],
        [b"abc", b"de\n"],
        [b"abcde"],
        [b"abc", b"de"],
        [b"a\nabcde\nb\n"],
        [b"abcd", b"e\nf\n"],
    ):
        with pytest.raises(LineTooLong, match="longer than 4 bytes") as caught:
            feed_all(LineSplitter(limit=4), *chunks)
        assert caught.value.limit == 4


def test_a_log_line_beyond_the_limit_comes_in_pieces():
    splitter = LogLineSplitter(limit=4)
    pieces = splitter.feed(b"abcdefghi")
    assert pieces == [b"abcd", b"efgh"]
    assert [type(piece) for piece in pieces] == [bytes, LinePiece]
    assert splitter.tail == b"i"
    assert isinstance(splitter.tail, LinePiece)
    rest = splitter.feed(b"jk\nnext\n")
    assert rest == [b"ijk", b"next"]
    assert [type(piece) for piece in rest] == [LinePiece, bytes]
    assert type(splitter.tail) is bytes


def test_the_rest_of_a_long_line_stays_a_piece_across_chunks():
    splitter = LogLineSplitter(limit=4)
    assert [splitter.feed(chunk) for chunk in (b"abcde", b"f", b"", b"gh", b"ij", b"\n", b"z\n")] == [
        [b"abcd"], [], [], [], [b"efgh"], [b"ij"], [b"z"],
    ]  # fmt: skip


def test_no_character_is_cut():
    pieces = LogLineSplitter(limit=5).feed("aé€😀é\n".encode())
    assert [piece.decode() for piece in pieces] == ["aé", "€", "😀", "é"]


def test_bytes_that_are_no_utf8_are_cut_at_the_limit():
    assert LogLineSplitter(limit=5).feed(b"\x80" * 12 + b"\n") == [b"\x80" * 5, b"\x80" * 5, b"\x80" * 2]


def test_a_limit_below_a_character_still_ends():
    assert b"".join(LogLineSplitter(limit=1).feed("é😀\n".encode())) == "é😀".encode()


alphabet = st.lists(st.sampled_from([b"\n", b"a", b"bc", "é".encode(), "😀".encode(), b"\r", b"\x80"]), max_size=30)


@settings(max_examples=examples(100), deadline=None)
@given(parts=alphabet, limit=st.integers(1, 12), data=st.data())
def test_pieces_hold_every_byte_and_the_same_lines_in_any_chunking(parts, limit, data):
    text = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    splitter = LogLineSplitter(limit)
    pieces = feed_all(splitter, *chunks)
    assert all(len(piece) <= limit for piece in pieces)
    *complete, rest = text.split(b"\n")
    tail = splitter.tail
    given_lines = whole_lines([*pieces, tail])
    expected = [*complete, rest]
    assert given_lines == expected


@settings(max_examples=examples(100), deadline=None)
@given(parts=alphabet, limit=st.integers(1, 12), data=st.data())
def test_a_watch_fails_in_every_chunking_just_where_a_line_is_too_long(parts, limit, data):
    text = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    *complete, rest = text.split(b"\n")
    splitter = LineSplitter(limit)
    if max(map(len, [*complete, rest])) > limit:
        with pytest.raises(LineTooLong):
            feed_all(splitter, *chunks)
    else:
        assert feed_all(splitter, *chunks) == complete
        assert splitter.tail == rest
