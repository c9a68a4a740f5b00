"""What the h11 channels promise beyond the contract: deadlines to the letter, turns in order."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time

import anyio
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import SILENCE
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.channels import h11_core, waiting
from hodei_k8s_transport.channels.async_watch import AsyncioWatch
from hodei_k8s_transport.channels.h11_channel import H11Channel
from hodei_k8s_transport.connect import needs_httpx
from hodei_k8s_transport.testing.loopback import (
    HANG_UP,
    NEVER,
    Afterwards,
    LiveBody,
    LoopbackServer,
    Reply,
    chunked_reply,
    reply,
    then_closed,
)
from tests.transport.sides import Credentials

GET = Request("GET", "/x")
WATCH = Request("GET", "/watch")
SOON = 5.0


def verdict(caught):
    return caught.value.fault, caught.value.delivery


def test_a_head_that_drips_does_not_outlast_the_time_limit(h11_side, server):
    server.route("/x", Reply(reply(200, b"x", (("a", "b" * 200),)).wire, pause=0.02))

    async def main():
        async with h11_side.channel(server.url) as channel:
            for call in (channel.send, channel.open):
                started = time.monotonic()
                with pytest.raises(TransportError) as caught:
                    await call(GET, 0.3)
                assert verdict(caught) == (TransportFault.TIMEOUT, Delivery.MAYBE_SENT)
                assert time.monotonic() - started < 1
        assert await h11_side.until(lambda: server.open_connections == 0)

    h11_side.run(main)


def test_a_server_that_does_not_read_is_a_timeout(h11_side):
    """The request does not fit into the buffers between us."""

    async def main():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            async with h11_side.channel(f"http://127.0.0.1:{listener.getsockname()[1]}") as channel:
                with pytest.raises(TransportError) as caught:
                    await channel.send(Request("POST", "/x", body=b"x" * 30_000_000), 0.3)
                assert verdict(caught) == (TransportFault.TIMEOUT, Delivery.MAYBE_SENT)

    h11_side.run(main)


def test_a_large_request_arrives(h11_side, server):
    server.route("/x", reply(200, b"ok"))
    body = bytes(range(256)) * 40_000

    async def main():
        async with h11_side.channel(server.url) as channel:
            assert (await channel.send(Request("POST", "/x", body=body), SOON)).body == b"ok"

    h11_side.run(main)
    assert server.requests[0].body == body


class RefusesEarly(LoopbackServer):
    """Answers when it has the head, and reads no further."""

    def _serve(self, raw):
        with raw:
            raw.recv(100)
            raw.sendall(reply(413, b"too much").wire)
            time.sleep(0.1)
        self._connections.discard(raw)


def test_a_request_that_is_refused_before_it_was_sent_is_a_reply(h11_side):
    async def main():
        with RefusesEarly() as server:
            async with h11_side.channel(server.url) as channel:
                request = Request("POST", "/x", body=b"x" * 30_000_000)
                # Whether its reply survives the reset is the system's choice; the request is never told as not sent.
                with contextlib.suppress(TransportError):
                    assert (await channel.send(request, SOON)).status == 413
            assert await h11_side.until(lambda: server.open_connections == 0)

    h11_side.run(main)


def test_a_head_that_is_too_large(h11_side, server):
    server.route("/x", reply(200, b"", (("a", "b" * 70_000),)))

    async def main():
        async with h11_side.channel(server.url) as channel:
            with pytest.raises(TransportError, match="head of the reply has more than 65536 bytes") as caught:
                await channel.send(GET, SOON)
            assert verdict(caught) == (TransportFault.TOO_LARGE, Delivery.MAYBE_SENT)
            assert await h11_side.until(lambda: server.open_connections == 0)

    h11_side.run(main)


def test_callers_get_their_turns_in_order(h11_side, server):
    order = []
    all_wait = threading.Event()

    def answer(request):
        order.append(request.target)
        all_wait.wait(5)
        return reply(200, b"x")

    for number in range(8):
        server.route(f"/{number}", answer)

    async def main():
        async with h11_side.channel(server.url, max_connections=1) as channel:

            def call(number):
                async def one():
                    assert await h11_side.until(
                        lambda: number == 0 or (order and len(channel_line(channel)) == number - 1)
                    )
                    await channel.send(Request("GET", f"/{number}"), SOON)

                return one

            async def release():
                assert await h11_side.until(lambda: len(channel_line(channel)) == 7)
                all_wait.set()

            await h11_side.gather(release, *(call(number) for number in range(8)))
        assert server.accepted == 1

    h11_side.run(main)
    assert order == [f"/{number}" for number in range(8)]


def channel_line(channel):
    inner = getattr(channel, "wrapped", channel)
    return inner._turns.everyone()


def test_who_gives_up_waiting_takes_no_turn_away(h11_side, server):
    server.route("/x", Reply(reply(200, b"x").wire, pause=0.003))

    async def main():
        async with h11_side.channel(server.url, max_connections=1) as channel:

            async def waits(limit):
                with contextlib.suppress(TransportError):
                    await channel.send(GET, limit)

            await h11_side.gather(*(lambda limit=limit: waits(limit) for limit in (SOON, 0.02, 0.04, SOON, 0.06)))
            assert (await channel.send(GET, SOON)).body == b"x"

    h11_side.run(main)


def test_an_idle_connection_expires(h11_side, server, monkeypatch):
    monkeypatch.setattr(h11_core, "KEEP_ALIVE_EXPIRY", 0.05)
    server.route("/x", reply(200, b"x"))

    async def main():
        async with h11_side.channel(server.url) as channel:
            await channel.send(GET, SOON)
            await channel.send(GET, SOON)
            assert server.accepted == 1
            await h11_side.until(lambda: False, 0.1)
            await channel.send(GET, SOON)
            assert server.accepted == 2
            assert await h11_side.until(lambda: server.open_connections == 1)

    h11_side.run(main)


@pytest.mark.parametrize("extra", [b"HTTP/1.1 200 OK\r\n\r\n", b"x"])
def test_a_connection_on_which_something_came_unasked_is_not_used(h11_side, server, extra):
    """It would be taken for the reply to the next request."""
    server.route("/x", Reply(reply(200, b"mine").wire + extra))

    async def main():
        async with h11_side.channel(server.url) as channel:
            for _ in range(3):
                assert (await channel.send(GET, SOON)).body == b"mine"
        assert server.accepted == 3

    h11_side.run(main)


def test_a_body_that_ends_early_gives_no_connection_back(h11_side, server):
    server.route("/watch", chunked_reply((b"one", b"two")))

    async def main():
        async with h11_side.channel(server.url) as channel:
            body = await channel.open(WATCH, SOON)
            await body.read(SOON)
            await body.close()
            with pytest.raises(TransportError, match="this body is closed"):
                await body.read(SOON)
            assert await h11_side.until(lambda: server.open_connections == 0)

    h11_side.run(main)


def test_closing_the_channel_ends_what_waits_on_threads(server):
    server.route("/x", NEVER)
    channel = H11Channel(Endpoint(server.url), Credentials(), max_connections=1)
    failures = []

    def call():
        with pytest.raises(TransportError, match="the channel is closed") as caught:
            channel.send(GET, 30)
        failures.append(caught.value.delivery)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert server.wait_until(lambda: len(server.requests) == 1 and len(channel_line(channel)) == 1)
    started = time.monotonic()
    channel.close()
    for thread in threads:
        thread.join(5)
    assert time.monotonic() - started < 2
    assert sorted(failures, key=str) == [Delivery.MAYBE_SENT, Delivery.NOT_SENT]
    assert server.wait_until(lambda: server.open_connections == 0)


def test_a_signal_handler_may_wake_a_read(server):
    live = LiveBody()
    server.route("/watch", live)
    channel = H11Channel(Endpoint(server.url), Credentials())
    body = channel.open(WATCH, SOON)
    before = signal.signal(signal.SIGALRM, lambda *_: body.wake())
    try:
        for _ in range(3):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            started = time.monotonic()
            assert body.read(30) is SILENCE
            assert time.monotonic() - started < 5
        live.send(b"more")
        assert body.read(SOON) == b"more"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        channel.close()


def test_a_read_that_is_interrupted_is_never_an_end(server):
    server.route("/watch", LiveBody())
    channel = H11Channel(Endpoint(server.url), Credentials())
    body = channel.open(WATCH, SOON)

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            body.read(30)
        with pytest.raises(TransportError):
            body.read(SOON)
        assert server.wait_until(lambda: server.open_connections == 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        channel.close()


def test_what_nobody_reads_costs_nothing(h11_side, server, monkeypatch):
    """A socket with something to read stays ready; who waits for it by a loop must not be told again and again."""
    live = LiveBody()
    server.route("/watch", live)
    server.route("/x", Reply(reply(200, b"x").wire, Afterwards.CLOSE))
    told, on_readable = [], AsyncioWatch._on_readable
    monkeypatch.setattr(AsyncioWatch, "_on_readable", lambda watch: (told.append(watch), on_readable(watch)))

    async def main():
        async with h11_side.channel(server.url) as channel:
            body = await channel.open(WATCH, SOON)
            live.send(b"one")
            assert await body.read(SOON) == b"one"
            await channel.send(GET, SOON)  # its connection is idle, and ended
            live.send(b"two")
            await h11_side.until(lambda: False, 0.1)
            told.clear()
            await h11_side.until(lambda: False, 0.1)
            assert told == []
            assert await body.read(SOON) == b"two"

    h11_side.run(main)


def test_connections_that_come_and_go_do_not_disturb_each_other(h11_side, server):
    """Their numbers are used again by the system, while an event loop may still remember them."""
    server.route("/x", reply(200, b"x"), then_closed(reply(200, b"y")), HANG_UP)
    server.route("/z", reply(200, b"z"))

    async def main():
        async with h11_side.channel(server.url) as channel:
            for _ in range(30):
                server.route("/x", reply(200, b"x"), then_closed(reply(200, b"y")), HANG_UP)
                assert (await channel.send(GET, SOON)).body == b"x"
                assert (await channel.send(GET, SOON)).body == b"y"
                with contextlib.suppress(TransportError):
                    await channel.send(GET, SOON)
                assert (await channel.send(Request("GET", "/z"), SOON)).body == b"z"

    h11_side.run(main)


# Which kind of channel


@pytest.mark.parametrize(
    ("http", "proxy", "client", "expected"),
    [
        ("h11", None, None, False),
        ("httpx", None, None, True),
        ("h11", "http://p", None, False),
        ("h11", "https://p", None, False),
        ("h11", "socks5://p", None, True),
        ("h11", None, object(), True),
    ],
)
def test_which_channel_carries_the_requests(http, proxy, client, expected):
    assert needs_httpx(KubernetesConfig(http=http), Endpoint("https://h", proxy=proxy), client) is expected


def test_without_poll_it_waits_by_select(server, monkeypatch):
    """As on Windows."""
    monkeypatch.delattr(waiting.select, "poll")
    live = LiveBody()
    server.route("/watch", live)
    server.route("/x", reply(200, b"x"))
    channel = H11Channel(Endpoint(server.url), Credentials())
    try:
        for _ in range(2):
            assert channel.send(GET, SOON).body == b"x"
        body = channel.open(WATCH, SOON)
        assert body.read(0.05) is SILENCE
        live.send(b"more")
        assert body.read(SOON) == b"more"
        waker = threading.Timer(0.05, body.wake)
        waker.start()
        assert body.read(30) is SILENCE
        waker.join()
    finally:
        channel.close()


def test_a_cancelled_wait_for_a_turn_takes_none_away(async_side, server):
    server.route("/never", NEVER)
    server.route("/x", reply(200, b"x"))

    async def main():
        async with async_side.channel(server.url, max_connections=1) as channel, anyio.create_task_group() as tasks:
            tasks.start_soon(channel.send, Request("GET", "/never"), 30)
            assert await async_side.until(lambda: len(server.requests) == 1)
            with anyio.move_on_after(0.05):
                await channel.send(GET, SOON)
            assert channel_line(channel) == []
            tasks.cancel_scope.cancel()
        async with async_side.channel(server.url, max_connections=1) as channel:
            assert (await channel.send(GET, SOON)).body == b"x"

    async_side.run(main)
