"""Open bodies: silence is not the end, an end is only told when it is one, and closing really closes."""

from __future__ import annotations

import contextlib
import time

import anyio
import pytest

from hodei_k8s_core.effects import SILENCE
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_transport.testing.loopback import (
    NEVER,
    Afterwards,
    LiveBody,
    Reply,
    chunked_reply,
    cut_after,
    reply,
    stalled_after,
)

HTTP = ("httpx", "h11")
WATCH = Request("GET", "/watch")
SOON = 5.0


async def read_all(body):
    data = b""
    while (piece := await body.read(SOON)) != b"":
        assert piece is not SILENCE
        data += piece
    return data


@pytest.fixture
def live(server):
    body = LiveBody()
    server.route("/watch", body)
    return body


def test_bytes_arrive_while_the_body_is_open(side, server, live):
    async def main():
        async with side.channel(server.url) as channel:
            body = await channel.open(WATCH, SOON)
            assert body.status == 200
            assert ("transfer-encoding", "chunked") in body.headers
            for line in (b"one\n", b"two\n"):
                live.send(line)
                assert await body.read(SOON) == line
            live.end()
            for _ in range(3):
                assert await body.read(SOON) == b""
            await body.close()

    side.run(main)
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_after_silence_the_body_goes_on(side, server, live):
    async def main():
        async with side.channel(server.url) as channel:
            body = await channel.open(WATCH, SOON)
            for _ in range(5):
                assert await body.read(0.02) is SILENCE
            assert await body.read(0) is SILENCE
            live.send(b"late\n")
            assert await body.read(SOON) == b"late\n"
            assert await body.read(0.02) is SILENCE
            live.cut()
            with pytest.raises(TransportError) as caught:
                await body.read(SOON)
            assert (caught.value.fault, caught.value.delivery) == (TransportFault.CLOSED, Delivery.ANSWERED)

    side.run(main)


def test_a_body_is_not_bound_by_the_time_limit_of_its_head(side, server, live):
    async def main():
        async with side.channel(server.url) as channel:
            body = await channel.open(WATCH, 0.1)
            assert await body.read(0.3) is SILENCE
            live.send(b"x")
            assert await body.read(SOON) == b"x"

    side.run(main)


def test_a_cancelled_read_loses_nothing(async_side, server, live):
    async def main():
        async with async_side.channel(server.url) as channel:
            body = await channel.open(WATCH, SOON)
            for number in range(20):
                with anyio.move_on_after(0.005):
                    await body.read(SOON)
                    raise AssertionError("nothing was sent yet")
                live.send(b"%d" % number)
                assert await body.read(SOON) == b"%d" % number

    async_side.run(main)


@pytest.mark.parametrize(
    "whole", [reply(200, b"0123456789"), chunked_reply((b"01234", b"56789"))], ids=["length", "chunked"]
)
def test_a_body_cut_at_any_byte_is_never_a_clean_end(side, server, whole):
    head = whole.wire.index(b"\r\n\r\n") + 4
    server.route("/watch", *(cut_after(whole, size) for size in range(len(whole.wire))), whole)

    async def main():
        async with side.channel(server.url) as channel:
            for size in range(len(whole.wire)):
                with pytest.raises(TransportError) as caught:
                    await read_all(await channel.open(WATCH, SOON))
                expected = Delivery.MAYBE_SENT if size < head else Delivery.ANSWERED
                assert (caught.value.fault, caught.value.delivery) == (TransportFault.CLOSED, expected), size
            assert await read_all(await channel.open(WATCH, SOON)) == b"0123456789"

    side.run(main)


def test_what_came_before_a_failure_is_told_first(side, server):
    whole = chunked_reply((b"first\n", b"second\n"))
    server.route("/watch", cut_after(whole, len(whole.wire) - 6))

    async def main():
        async with side.channel(server.url) as channel:
            body = await channel.open(WATCH, SOON)
            data = b""
            while not data.startswith(b"first\n"):
                data += await body.read(SOON)
            assert await side.until(lambda: server.open_connections == 0)
            with contextlib.suppress(TransportError):
                assert (await body.read(SOON)).startswith(b"s")
            for _ in range(2):
                with pytest.raises(TransportError):
                    await body.read(SOON)

    side.run(main)


def test_a_head_that_does_not_come_is_a_timeout(side, server):
    server.route("/watch", NEVER, stalled_after(reply(200, b"x"), 10))

    async def main():
        async with side.channel(server.url) as channel:
            for _ in range(2):
                with pytest.raises(TransportError) as caught:
                    await channel.open(WATCH, 0.1)
                assert (caught.value.fault, caught.value.delivery) == (TransportFault.TIMEOUT, Delivery.MAYBE_SENT)
            assert await side.until(lambda: server.open_connections == 0)

    side.run(main)


def test_closing_closes_the_connection_of_this_body_only(side, server, live):
    async def main():
        async with side.channel(server.url) as channel:
            bodies = [await channel.open(WATCH, SOON) for _ in range(3)]
            live.send(b"x")
            started = time.monotonic()
            for _ in range(2):
                await bodies[1].close()
            assert time.monotonic() - started < 1
            assert await side.until(lambda: server.open_connections == 2)
            with pytest.raises(TransportError, match="this body is closed"):
                await bodies[1].read(SOON)
            for body in (bodies[0], bodies[2]):
                assert await body.read(SOON) == b"x"
                assert await body.read(0.02) is SILENCE

    side.run(main)
    assert server.wait_until(lambda: server.open_connections == 0)


def test_a_complete_body_gives_its_connection_back(side, server):
    server.route("/watch", chunked_reply((b"x",)))

    async def main():
        async with side.channel(server.url) as channel:
            for _ in range(5):
                body = await channel.open(WATCH, SOON)
                assert await read_all(body) == b"x"
                await body.close()
            assert server.accepted == 1

    side.run(main)


def test_closing_a_body_while_it_is_read(side, server, live):
    async def main():
        async with side.channel(server.url) as channel:
            body = await channel.open(WATCH, SOON)

            async def read():
                with pytest.raises(TransportError, match="this body is closed"):
                    await body.read(30)

            async def close():
                await side.until(lambda: False, 0.05)
                await body.close()

            await side.gather(read, close)
            assert await side.until(lambda: server.open_connections == 0)

    side.run(main)


def test_closing_the_channel_closes_its_bodies(side, server, live):
    async def main():
        async with side.channel(server.url) as channel:
            bodies = [await channel.open(WATCH, SOON) for _ in range(3)]
            assert server.open_connections == 3
        for body in bodies:
            with pytest.raises(TransportError, match="the channel is closed"):
                await body.read(SOON)
        assert await side.until(lambda: server.open_connections == 0)

    side.run(main)


def test_a_slow_reader_makes_the_server_wait(side, server):
    size = 40 * 1024**2
    sent = []
    live = LiveBody()
    piece = b"x" * 1024**2
    taken = live.piece

    def count(index, limit):
        sent.append(index)
        return taken(index, limit)

    live.piece = count
    for _ in range(size // len(piece)):
        live.send(piece)
    live.end()
    server.route("/watch", live)

    async def main():
        async with side.channel(server.url) as channel:
            body = await channel.open(WATCH, SOON)
            await side.until(lambda: False, 0.3)
            assert max(sent) < 20
            total = 0
            while (data := await body.read(SOON)) != b"":
                total += len(data)
            assert total == size

    side.run(main)


def test_a_full_body_can_be_closed(side, server):
    live = LiveBody()
    for _ in range(30):
        live.send(b"x" * 1024**2)
    server.route("/watch", live)

    async def main():
        async with side.channel(server.url) as channel:
            body = await channel.open(WATCH, SOON)
            await side.until(lambda: False, 0.2)
            await body.close()
            assert await side.until(lambda: server.open_connections == 0)

    side.run(main)


def test_a_hundred_open_streams_do_not_starve_a_call(side, server, live):
    server.route("/x", reply(200, b"x"))

    async def main():
        async with side.channel(server.url, max_connections=2) as channel:
            bodies = [await channel.open(WATCH, SOON) for _ in range(100)]
            for _ in range(3):
                assert (await channel.send(Request("GET", "/x"), SOON)).body == b"x"
            live.send(b"hello")
            for body in bodies:
                assert await body.read(SOON) == b"hello"
        assert await side.until(lambda: server.open_connections == 0, 10)

    side.run(main)


def test_an_error_status_is_an_open_body_too(side, server):
    server.route("/watch", Reply(b"HTTP/1.1 410 Gone\r\ncontent-length: 4\r\n\r\ngone"))

    async def main():
        async with side.channel(server.url) as channel:
            body = await channel.open(WATCH, SOON)
            assert (body.status, await read_all(body)) == (410, b"gone")

    side.run(main)


def test_a_reset_is_a_broken_body(side, server, live):
    async def main():
        async with side.channel(server.url) as channel:
            body = await channel.open(WATCH, SOON)
            live.send(b"x")
            assert await body.read(SOON) == b"x"
            live.cut(Afterwards.RESET)
            with pytest.raises(TransportError) as caught:
                await body.read(SOON)
            assert caught.value.fault is TransportFault.CLOSED

    side.run(main)


def test_a_cancelled_open_leaves_no_connection(async_side, server):
    server.route("/watch", NEVER)

    async def main():
        async with async_side.channel(server.url) as channel:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(channel.open, WATCH, 30)
                assert await async_side.until(lambda: len(server.requests) == 1)
                tasks.cancel_scope.cancel()
            assert await async_side.until(lambda: server.open_connections == 0)

    async_side.run(main)


def test_the_block_of_a_channel_may_raise_anything(async_side, server, live):
    async def main():
        async def block():
            async with async_side.channel(server.url) as channel:
                await channel.open(WATCH, SOON)
                raise KeyError("x")

        with pytest.raises(KeyError):
            await block()
        assert await async_side.until(lambda: server.open_connections == 0)

    async_side.run(main)


def test_a_cancelled_channel_leaves_no_connection(async_side, server, live):
    async def main():
        with anyio.move_on_after(0.3):
            async with async_side.channel(server.url) as channel:
                body = await channel.open(WATCH, SOON)
                await body.read(30)
        assert await async_side.until(lambda: server.open_connections == 0)

    async_side.run(main)
