"""A follower against a log in pieces: cut at every byte, read while it is written, over every split over seconds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.log_entry import LogEntry, LogGap, LogItem
from tests.core.kubelet_log import Served, file_of, follow, served
from tests.core.log_files import Piece
from tests.core.thoroughness import examples

LONG = [b"2 " + b"x" * 14, b"y" * 16, b"z" * 9]
WANTED = ["1", b"".join(LONG).decode(), "3", "3"]


def pieces_at(moments: Sequence[float]) -> list[Piece]:
    """A line, one in three pieces, and two in one tick; each piece `moments` after the one before."""
    at, pieces = 1.0, [Piece(1.0, b"1")]
    for number, (text, later) in enumerate(zip([*LONG, b"3"], moments, strict=True)):
        at += later
        pieces.append(Piece(round(at, 6), text, number < 2))
    return [*pieces, pieces[-1]]


def told(items: Sequence[LogItem]) -> list[str]:
    assert not [item for item in items if isinstance(item, LogGap)]
    return [item.message for item in items if isinstance(item, LogEntry)]


@pytest.mark.parametrize("moments", list(product((0.0, 0.4, 1.0), repeat=4)))
def test_a_cut_at_every_byte_over_every_split_of_the_pieces(moments: tuple[float, ...]) -> None:
    file = pieces_at(moments)
    size = len(served(file_of(file), since=None, follows=True))
    step = 1 if moments in {(0.4, 0.4, 0.4, 0.4), (1.0, 1.0, 1.0, 1.0)} else 13
    for cut in range(0, size + 1, step):
        assert told(follow(file, [Served(cut=cut), Served(cut=cut)])) == WANTED, cut


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_a_reply_that_ends_cleanly_at_any_byte(looks: int) -> None:
    """An API server ends it so when the kubelet dies; also when the container has ended, and the last line is torn."""
    file = pieces_at((0.4, 0.4, 1.0, 0.4))
    for cut in range(len(served(file_of(file), since=None, follows=True)) + 1):
        replies = [Served(cut=cut, is_clean=True)] * (1 + (looks == 0))
        assert told(follow(file, replies[:1], looks_until_ended=looks)) == WANTED, cut


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_the_last_line_is_still_being_written_when_the_container_has_ended(looks: int) -> None:
    """containerd tells the end of a container before it has written what it held of the last line."""
    file = pieces_at((0.0, 0.0, 0.0, 0.4))[:4]
    begun = len(file_of(file[:1]) + LONG[0]) + 40  # from where on the node shows that there is another line
    for size in range(begun, len(file_of(file))):
        assert told(follow(file, [], looks_until_ended=looks, written=size)) == WANTED[:2], size


def test_a_last_line_without_a_newline_is_given_once() -> None:
    file = [Piece(1.0, b"1"), Piece(1.5, b"end", goes_on=True)]
    for looks in (0, 1, 2):
        assert told(follow(file, [], looks_until_ended=looks)) == ["1", "end"]


@given(st.data())
@settings(max_examples=examples(200), deadline=None)
def test_whatever_comes_in_between(data: st.DataObject) -> None:
    """Growing files, cuts and clean ends at any byte, in any order, while the container runs."""
    file = pieces_at([data.draw(st.sampled_from([0.0, 0.3, 0.9, 1.1])) for _ in range(4)])
    bound = st.integers(0, len(file_of(file)))
    reply = st.builds(Served, size=bound, cut=st.none() | bound, is_clean=st.booleans())
    replies = data.draw(st.lists(reply, max_size=6))
    items = follow(file, replies, looks_until_ended=len(replies) + 1, chunk=data.draw(st.integers(1, 80)))
    assert told(items) == WANTED
