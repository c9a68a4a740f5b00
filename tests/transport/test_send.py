"""Whole exchanges: what a good server says arrives, what a bad one does is told as what it is."""

from __future__ import annotations

import gzip
import itertools
import socket

import anyio
import pytest

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.testing.loopback import (
    HANG_UP,
    NEVER,
    Afterwards,
    LiveBody,
    Reply,
    chunked_reply,
    cut_after,
    reply,
    stalled_after,
    then_closed,
)
from tests.transport.sides import Credentials

HTTP = ("httpx", "h11")
GET = Request("GET", "/x")
ONCE = 5.0


def failure_of(caught: pytest.ExceptionInfo[TransportError]) -> tuple[TransportFault, Delivery]:
    return caught.value.fault, caught.value.delivery


def test_a_request_arrives_as_it_was_meant(side, server):
    server.route("/pre/api/v1/a%20b", reply(201, b"done", (("X-Thing", "1"), ("x-thing", "2"))))
    request = Request("POST", "/api/v1/a%20b", (("q", "a b&c=%"), ("n", "é")), (("x-more", "é"),), b"\x00body")

    async def main():
        endpoint = Endpoint(server.url + "/pre", headers=(("impersonate-group", "a"), ("impersonate-group", "b")))
        async with side.channel(endpoint) as channel:
            response = await channel.send(request, ONCE)
        assert (response.status, response.body) == (201, b"done")
        assert [pair for pair in response.headers if pair[0] == "x-thing"] == [("x-thing", "1"), ("x-thing", "2")]

    side.run(main)
    [seen] = server.requests
    assert (seen.method, seen.target, seen.body) == (
        "POST",
        "/pre/api/v1/a%20b?q=a%20b%26c%3D%25&n=%C3%A9",
        b"\x00body",
    )
    assert seen.headers["authorization"] == "Bearer token-0"
    assert seen.headers["accept-encoding"] == "gzip"
    assert seen.headers["x-more"].encode("latin-1").decode() == "é"


def test_connections_are_reused(side, server):
    server.route("/x", reply(200, b"1"))

    async def main():
        async with side.channel(server.url) as channel:
            for _ in range(20):
                await channel.send(GET, ONCE)
        assert server.accepted == 1
        assert await side.until(lambda: server.open_connections == 0)

    side.run(main)


@pytest.mark.parametrize("status", [204, 301, 403, 429, 500])
def test_every_status_is_a_response(side, server, status):
    server.route("/x", Reply(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\nretry-after: 7\r\nlocation: /y\r\n\r\n" % status))

    async def main():
        async with side.channel(server.url) as channel:
            response = await channel.send(GET, ONCE)
        assert (response.status, response.header("retry-after"), response.body) == (status, "7", b"")

    side.run(main)
    assert len(server.requests) == 1


WHOLE = [
    reply(200, b"0123456789", (("a", "b"),)),
    chunked_reply((b"01234", b"56789"), (("a", "b"),)),
    reply(200, gzip.compress(b"0123456789", mtime=0), (("content-encoding", "gzip"),)),
]


@pytest.mark.parametrize("whole", WHOLE, ids=["length", "chunked", "gzip"])
def test_a_reply_cut_at_any_byte_is_never_a_reply(side, server, whole):
    head = whole.wire.index(b"\r\n\r\n") + 4
    server.route("/x", *(cut_after(whole, size) for size in range(len(whole.wire))), whole)

    async def main():
        async with side.channel(server.url) as channel:
            for size in range(len(whole.wire)):
                with pytest.raises(TransportError) as caught:
                    await channel.send(GET, ONCE)
                expected = Delivery.MAYBE_SENT if size < head else Delivery.ANSWERED
                assert failure_of(caught) == (TransportFault.CLOSED, expected), size
            assert (await channel.send(GET, ONCE)).body == b"0123456789"

    side.run(main)


@pytest.mark.parametrize("whole", WHOLE[:1], ids=["length"])
def test_a_server_that_stalls_at_a_byte_is_a_timeout(side, server, whole):
    head = whole.wire.index(b"\r\n\r\n") + 4
    sizes = [0, 1, head - 1, head, len(whole.wire) - 1]
    server.route("/x", *(stalled_after(whole, size) for size in sizes), whole)

    async def main():
        async with side.channel(server.url) as channel:
            for size in sizes:
                with pytest.raises(TransportError) as caught:
                    await channel.send(GET, 0.1)
                expected = Delivery.MAYBE_SENT if size < head else Delivery.ANSWERED
                assert failure_of(caught) == (TransportFault.TIMEOUT, expected), size
            assert await side.until(lambda: server.open_connections == 0)

    side.run(main)


def test_a_body_that_drips_does_not_outlast_the_time_limit(side, server):
    whole = reply(200, b"x" * 1000)
    body_at = len(whole.wire) - 1000

    def answer(_):
        live = LiveBody()
        live._pieces = [whole.wire[:body_at], *(b"x" for _ in range(1000))]
        take = live.piece
        live.piece = lambda index, limit: (server._stopping.wait(0.02), take(index, limit))[1]
        return live

    server.route("/x", answer)

    async def main():
        async with side.channel(server.url) as channel:
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, 0.3)
        assert failure_of(caught) == (TransportFault.TIMEOUT, Delivery.ANSWERED)

    side.run(main)


@pytest.mark.parametrize(
    ("wire", "fault"),
    [
        (b"HTP/1.1 200\r\n\r\n", TransportFault.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", TransportFault.MALFORMED),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", TransportFault.MALFORMED),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n12345", TransportFault.MALFORMED),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-encoding: gzip\r\n\r\n12345", TransportFault.MALFORMED),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-encoding: br\r\n\r\n12345", TransportFault.MALFORMED),
        (b"\x15\x03\x03\x00\x02\x02\x46", TransportFault.NOT_TLS),
    ],
)
def test_what_is_not_http_is_malformed(side, server, wire, fault):
    server.route("/x", Reply(wire, Afterwards.CLOSE))

    async def main():
        async with side.channel(server.url) as channel:
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, ONCE)
        assert caught.value.fault is fault
        assert caught.value.may_have_happened

    side.run(main)


def test_gos_answer_to_plain_http_on_a_tls_port_is_no_reply(side, server):
    server.route("/x", reply(400, b"Client sent an HTTP request to an HTTPS server.\n"))

    async def main():
        async with side.channel(server.url) as channel:
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, ONCE)
        assert caught.value.fault is TransportFault.NOT_TLS

    side.run(main)


@pytest.mark.parametrize("answer", [HANG_UP, Reply(b"", Afterwards.RESET)], ids=["closed", "reset"])
def test_a_server_that_hangs_up_may_have_acted(side, server, answer):
    server.route("/x", answer)

    async def main():
        async with side.channel(server.url) as channel:
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, ONCE)
        assert failure_of(caught) == (TransportFault.CLOSED, Delivery.MAYBE_SENT)

    side.run(main)
    assert len(server.requests) == 1


def test_an_idle_connection_that_the_server_closed_is_not_used(side, server):
    server.route("/x", then_closed(reply(200, b"1")))

    async def main():
        async with side.channel(server.url) as channel:
            for count in range(1, 6):
                assert (await channel.send(GET, ONCE)).body == b"1"
                assert await side.until(lambda: server.open_connections == 0)
                assert server.accepted == count

    side.run(main)


def test_nothing_listens(side):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    async def main():
        async with side.channel(f"http://127.0.0.1:{port}") as channel:
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, ONCE)
        assert failure_of(caught) == (TransportFault.REFUSED, Delivery.NOT_SENT)

    side.run(main)


def test_a_name_that_does_not_exist(side):
    async def main():
        async with side.channel("http://no-such-host.invalid") as channel:
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, ONCE)
        assert failure_of(caught) == (TransportFault.NAME_NOT_FOUND, Delivery.NOT_SENT)

    side.run(main)


def test_no_connection_is_free(side, server):
    server.route("/x", NEVER)
    server.route("/y", reply(200, b"y"))

    async def main():
        async with side.channel(server.url, max_connections=1) as channel:

            async def first():
                with pytest.raises(TransportError) as caught:
                    await channel.send(GET, 0.35)
                assert caught.value.fault is TransportFault.TIMEOUT

            async def second():
                assert await side.until(lambda: len(server.requests) == 1)
                with pytest.raises(TransportError) as caught:
                    await channel.send(Request("GET", "/y"), 0.1)
                assert failure_of(caught) == (TransportFault.NO_CONNECTION_FREE, Delivery.NOT_SENT)

            await side.gather(first, second)
            assert (await channel.send(Request("GET", "/y"), ONCE)).body == b"y"

    side.run(main)


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, b"x" * 1001),
        chunked_reply((b"x" * 600, b"x" * 401)),
        reply(200, gzip.compress(b"x" * 30_000_000), (("content-encoding", "gzip"),)),
        Reply(b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n", Afterwards.STALL),
    ],
    ids=["length", "chunked", "gzip bomb", "announced"],
)
def test_a_reply_that_is_too_large_is_refused(side, server, answer):
    server.route("/x", answer)

    async def main():
        async with side.channel(server.url, response_limit=1000) as channel:
            with pytest.raises(TransportError, match="1000 bytes") as caught:
                await channel.send(GET, ONCE)
            assert failure_of(caught) == (TransportFault.TOO_LARGE, Delivery.ANSWERED)
            assert await side.until(lambda: server.open_connections == 0)

    side.run(main)


def test_a_reply_of_exactly_the_limit_is_taken(side, server):
    server.route("/x", reply(200, b"x" * 1000), chunked_reply((b"x" * 1000,)))

    async def main():
        async with side.channel(server.url, response_limit=1000) as channel:
            for _ in range(2):
                assert len((await channel.send(GET, ONCE)).body) == 1000

    side.run(main)


def test_gzip_is_decoded_and_no_coding_is_left(side, server):
    parts = gzip.compress(b"one ") + gzip.compress(b"two" * 100_000)
    server.route("/x", reply(200, parts, (("content-encoding", "gzip"),)))

    async def main():
        async with side.channel(server.url) as channel:
            response = await channel.send(GET, ONCE)
        assert response.body == b"one " + b"two" * 100_000
        assert response.header("content-encoding") is None
        assert response.header("content-length") is None

    side.run(main)


def test_gzip_that_ends_inside_its_coding_is_malformed(side, server):
    whole = gzip.compress(b"0123456789" * 100)
    server.route("/x", *(reply(200, whole[:size], (("content-encoding", "gzip"),)) for size in range(1, len(whole))))

    async def main():
        async with side.channel(server.url) as channel:
            for _ in range(1, len(whole)):
                with pytest.raises(TransportError) as caught:
                    await channel.send(GET, ONCE)
                assert failure_of(caught) == (TransportFault.MALFORMED, Delivery.ANSWERED)

    side.run(main)


def test_without_compression_none_is_asked_for(side, server):
    server.route("/x", reply())

    async def main():
        async with side.channel(Endpoint(server.url, compression=False)) as channel:
            await channel.send(GET, ONCE)

    side.run(main)
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_a_secret_that_is_no_header_value_is_not_shown(side, server):
    class Broken(Credentials):
        def current(self):
            return type(super().current())(0, (("authorization", "Bearer hunter2\nX"),))

    async def main():
        async with side.channel(server.url, Broken()) as channel:
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, ONCE)
        assert failure_of(caught) == (TransportFault.MALFORMED, Delivery.NOT_SENT)
        assert "hunter2" not in f"{caught.value} {caught.value!r}"

    side.run(main)


def test_after_close_nothing_is_sent(side, server):
    async def main():
        async with side.channel(server.url) as channel:
            pass
        for call in (channel.send, channel.open):
            with pytest.raises(TransportError, match="the channel is closed") as caught:
                await call(GET, ONCE)
            assert failure_of(caught) == (TransportFault.CLOSED, Delivery.NOT_SENT)

    side.run(main)
    assert server.accepted == 0


def test_a_cancelled_send_leaves_no_connection(async_side, server):
    server.route("/never", NEVER)
    server.route("/half", stalled_after(WHOLE[0], len(WHOLE[0].wire) - 1))

    async def main():
        async with async_side.channel(server.url) as channel:
            for path, number in zip(("/never", "/half"), itertools.count(1), strict=False):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(channel.send, Request("GET", path), 30)
                    assert await async_side.until(lambda n=number: len(server.requests) == n)
                    tasks.cancel_scope.cancel()
                assert await async_side.until(lambda: server.open_connections == 0)

    async_side.run(main)


def test_closing_the_channel_ends_a_pending_send(async_side, server):
    server.route("/x", NEVER)

    async def main():
        async def call(channel):
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, 30)
            assert failure_of(caught) == (TransportFault.CLOSED, Delivery.MAYBE_SENT)

        async with anyio.create_task_group() as tasks, async_side.channel(server.url) as channel:
            tasks.start_soon(call, channel)
            assert await async_side.until(lambda: len(server.requests) == 1)
        assert await async_side.until(lambda: server.open_connections == 0)

    async_side.run(main)
