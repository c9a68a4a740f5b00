"""The pure connection machine: whatever arrives, in whatever pieces, is told as what it is."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_transport.channels.h11_connection import HEAD_LIMIT, H11Connection
from hodei_k8s_transport.channels.h11_heads import checked_block, read_ordinary
from hodei_k8s_transport.channels.phase import Phase, Progress

BLOCK = checked_block([(b"host", b"h")])
LENGTH = b"HTTP/1.1 200 OK\r\nA: b \r\nContent-Length: 10\r\n\r\n0123456789"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n05;x=1\r\n56789\r\n0\r\nT: 1\r\n\r\n"
UNTIL_END = b"HTTP/1.1 200 OK\r\n\r\n0123456789"


def asked(method: str = "GET") -> H11Connection:
    connection = H11Connection()
    connection.ask(Progress(), method, "/", BLOCK)
    connection.sending()
    return connection


def read(wire: bytes, size: int, method: str = "GET", *, closes: bool = False) -> tuple[int, bytes, H11Connection]:
    """Status, body and connection, when `wire` arrives in pieces of `size`, and the end of the stream after them."""
    connection = asked(method)
    pieces = [wire[at : at + size] for at in range(0, len(wire), size)] + ([b""] if closes else [])
    head = connection.head()
    while head is None:
        connection.feed(pieces.pop(0))
        head = connection.head()
    body = b""
    while (piece := connection.piece()) != b"":
        if piece is None:
            connection.feed(pieces.pop(0))
        else:
            body += piece
    assert not pieces
    return head.status, body, connection


def failure(wire: bytes, size: int = 10**6) -> TransportError:
    with pytest.raises(TransportError) as caught:
        read(wire, size, closes=True)
    return caught.value


def test_a_request_is_written_as_it_was_meant():
    connection = H11Connection()
    block = checked_block([(b"host", b"h"), (b"x", "é".encode())])
    data = connection.ask(Progress(), "POST", "/a?b=%20", block + b"content-length: 4\r\n", b"body")
    assert data == "POST /a?b=%20 HTTP/1.1\r\nhost: h\r\nx: é\r\ncontent-length: 4\r\n\r\nbody".encode()
    assert connection.delivery is Delivery.NOT_SENT


@pytest.mark.parametrize(
    ("method", "target"), [("GET", "/a b"), ("GET", "/\r\nx"), ("G T", "/"), ("GET", "/é"), ("", "/")]
)
def test_a_request_line_that_is_none_is_refused(method, target):
    with pytest.raises(TransportError) as caught:
        H11Connection().ask(Progress(), method, target, BLOCK)
    assert (caught.value.fault, caught.value.delivery) == (TransportFault.MALFORMED, Delivery.NOT_SENT)


@pytest.mark.parametrize(
    "fields",
    [
        [(b"host", b"h"), (b"x", b"hunter2\r\ny: z")],
        [(b"host", b"h"), (b"x y", b"hunter2")],
        [(b"x", b"hunter2")],
        [(b"host", b"h"), (b"content-length", b"5")],
        [(b"host", b"h"), (b"transfer-encoding", b"chunked")],
    ],
)
def test_fields_that_are_none_are_refused_and_not_shown(fields):
    with pytest.raises(TransportError) as caught:
        checked_block(fields)
    assert (caught.value.fault, caught.value.delivery) == (TransportFault.MALFORMED, Delivery.NOT_SENT)
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10**6])
@pytest.mark.parametrize("wire", [LENGTH, CHUNKED], ids=["length", "chunked"])
def test_a_reply_arrives_in_pieces_of_any_size(wire, size):
    status, body, connection = read(wire, size)
    assert (status, body) == (200, b"0123456789")
    assert connection.can_ask_again()
    assert connection.delivery is Delivery.ANSWERED


def test_what_came_at_once_is_given_at_once():
    connection = asked()
    connection.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"3\r\nabc\r\n" * 1000)
    connection.head()
    assert connection.piece() == b"abc" * 1000
    assert connection.piece() is None


@pytest.mark.parametrize("size", [1, 10**6])
def test_a_body_without_an_end_of_its_own_ends_with_the_connection(size):
    _, body, connection = read(UNTIL_END, size, closes=True)
    assert body == b"0123456789"
    assert not connection.can_ask_again()


@pytest.mark.parametrize("size", [1, 10**6])
@pytest.mark.parametrize("wire", [LENGTH, CHUNKED], ids=["length", "chunked"])
def test_a_reply_cut_anywhere_is_closed_and_says_how_far_it_got(wire, size):
    head = wire.index(b"\r\n\r\n") + 4
    for end in range(len(wire)):
        error = failure(wire[:end], size)
        expected = Delivery.MAYBE_SENT if end < head else Delivery.ANSWERED
        assert (error.fault, error.delivery) == (TransportFault.CLOSED, expected), end


@pytest.mark.parametrize(
    ("wire", "fault"),
    [
        (b"HTP/1.1 200\r\n\r\n", TransportFault.MALFORMED),
        (b"HTTP/1.1 2000 OK\r\n\r\n", TransportFault.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", TransportFault.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n", TransportFault.MALFORMED),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n12345", TransportFault.MALFORMED),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n12345", TransportFault.MALFORMED),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n", TransportFault.MALFORMED),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", TransportFault.MALFORMED),
        (b"\x15\x03\x03\x00\x02\x02\x46", TransportFault.NOT_TLS),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * HEAD_LIMIT, TransportFault.TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * HEAD_LIMIT, TransportFault.TOO_LARGE),
    ],
)
def test_a_head_that_is_none(wire, fault):
    for size in (1, 10**6):
        if len(wire) < 1000 or size > 1:
            error = failure(wire, size)
            assert (error.fault, error.delivery) == (fault, Delivery.MAYBE_SENT)


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n",
        b"-1\r\n",
        b"\r\n",
        b" 5\r\n01234\r\n0\r\n\r\n",
        b"5\n01234\n0\n\n" + b"x" * 5000,
        b"5\r\n01234xx0\r\n\r\n",
        b"5\r\n01234\rx",
        b"1" * 17 + b"\r\n",
        b"5;" + b"x" * 5000,
        b"0\r\nbad trailer\r\n\r\n",
        b"0\r\n" + b"a: b\r\n" * 5000,
    ],
)
@pytest.mark.parametrize("size", [1, 10**6])
def test_chunks_that_are_none(body, size):
    error = failure(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body, size)
    assert (error.fault, error.delivery) == (TransportFault.MALFORMED, Delivery.ANSWERED)


def test_what_came_before_a_broken_chunk_is_given_first():
    connection = asked()
    connection.feed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\nzz\r\n")
    connection.head()
    assert connection.piece() == b"01234"
    for _ in range(2):
        with pytest.raises(TransportError):
            connection.piece()
    assert not connection.can_ask_again()


@pytest.mark.parametrize(
    ("wire", "method", "reusable"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", "GET", True),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", "GET", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "HEAD", True),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", "GET", False),
        (b"HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 0\r\n\r\n", "GET", False),
        (b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n", "GET", True),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", "GET", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\na: b\r\n\r\nHTTP/1.1 204 X\r\n\r\n", "GET", True),
    ],
)
@pytest.mark.parametrize("size", [1, 10**6])
def test_whether_a_connection_can_be_used_again(wire, method, reusable, size):
    _, body, connection = read(wire, size, method)
    assert body == b""
    assert connection.can_ask_again() is reusable


def test_bytes_that_nobody_asked_for_end_a_connection():
    connection = asked()
    connection.feed(LENGTH + b"H")
    connection.head()
    assert (connection.piece(), connection.piece()) == (b"0123456789", b"")
    assert not connection.can_ask_again()
    assert connection.rest == b"H"


def test_the_phases_of_an_exchange():
    progress = Progress()
    connection = H11Connection()
    progress.phase = Phase.CONNECTING
    connection.ask(progress, "GET", "/", BLOCK)
    assert connection.delivery is Delivery.NOT_SENT
    connection.sending()
    assert connection.delivery is Delivery.MAYBE_SENT
    connection.feed(LENGTH[:30])
    assert connection.head() is None
    assert connection.delivery is Delivery.MAYBE_SENT
    connection.feed(LENGTH[30:])
    assert connection.head() is not None
    assert (connection.delivery, progress.phase) == (Delivery.ANSWERED, Phase.ANSWERED)


# What is read without h11 is read as h11 would read it.


def by_h11(wire: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
    """The reply as h11 reads it, or None where it refuses it, or wants more."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "h")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(wire)
    body = b""
    try:
        head = connection.next_event()
        if not isinstance(head, h11.Response):
            return None
        while isinstance(event := connection.next_event(), h11.Data):
            body += event.data
    except h11.RemoteProtocolError:
        return None
    return (head.status_code, list(head.headers), body) if isinstance(event, h11.EndOfMessage) else None


def by_us(wire: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
    connection = asked()
    connection.feed(wire)
    body = b""
    try:
        head = connection.head()
        if head is None:
            return None
        while piece := connection.piece():
            body += piece
    except TransportError:
        return None
    if piece is None:
        return None
    return head.status, [(name.encode("latin-1"), value.encode("latin-1")) for name, value in head.headers], body


LINES = st.sampled_from(
    [
        b"a: b",
        b"A:b ",
        b"a:\tb\t c",
        b"a:",
        b"a b: c",
        b" folded",
        b"a: \x00",
        b"a: \x7f",
        b"a:b\rc",
        b"no colon",
        b": x",
        b"connection: close",
        b"content-length: 3",
        b"Content-Length: 003",
        b"content-length: 3, 3",
        b"content-length: +3",
        b"content-length: 4",
        b"transfer-encoding: chunked",
        b"transfer-encoding: Chunked",
        b"transfer-encoding: identity",
        b"x-long: " + b"y" * 300,
    ]
)
STATUS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200",
        b"HTTP/1.1 404 ",
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1 204 X",
        b"HTTP/1.1 200 \x01",
    ]
)
BODIES = st.sampled_from(
    [
        b"",
        b"abc",
        b"abcd",
        b"3\r\nabc\r\n0\r\n\r\n",
        b"3 \r\nabc\r\n0\r\nt: 1\r\n\r\n",
        b"3;a\r\nabc\r\n00\r\n\r\n",
        b"3\r\nabcd",
    ]
)


@settings(max_examples=300, deadline=None)
@given(STATUS, st.lists(LINES, max_size=4), BODIES, st.sampled_from([b"\r\n", b"\r\n", b"\n"]))
def test_replies_are_read_as_h11_reads_them(status, lines, body, newline):
    wire = newline.join([status, *lines, b"", b""]) + body
    assert by_us(wire) == by_h11(wire)


def test_ordinary_heads_are_read_without_h11():
    assert read_ordinary(LENGTH) is not None
    assert read_ordinary(CHUNKED) is not None


CHUNK = st.sampled_from([b"3\r\nabc\r\n", b"a\r\n0123456789\r\n", b"0A;e=1\r\n0123456789\r\n", b"1\r\nx\r\n"])


@settings(max_examples=100, deadline=None)
@given(st.lists(CHUNK, max_size=5), st.sampled_from([b"0\r\n\r\n", b"000\r\nt: 1\r\n\r\n"]), st.integers(1, 9))
def test_chunks_are_read_as_h11_reads_them_at_every_split(chunks, end, size):
    wire = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"".join(chunks) + end
    expected = by_h11(wire)
    assert expected is not None
    assert read(wire, size)[:2] == (expected[0], expected[2])
