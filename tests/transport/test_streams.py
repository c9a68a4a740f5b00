"""Streams: items one at a time, cancelled waits that end nothing, graceful stops, and closing."""

from __future__ import annotations

import signal
import threading
import time

import anyio
import pytest

from hodei_k8s_core.effects import Emit, Open, Read, Send, Sleep, StopRequested
from hodei_k8s_core.errors import Delivery, ProviderClosed, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_transport.drivers.host import Host
from hodei_k8s_transport.testing.loopback import LiveBody, reply
from tests.transport.sides import SyncSide

HTTP = ("httpx", "h11")
WATCH = Request("GET", "/watch")
SOON = 5.0


@pytest.fixture
def live(server):
    body = LiveBody()
    server.route("/watch", body)
    return body


def interrupt_soon():
    """What Ctrl-C does, a moment from now."""
    threading.Timer(0.1, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()


def use(side, server, operation, test, host=None, *, idle=0):
    async def main():
        async with side.channel(server.url) as channel:
            async with side.stream(operation, channel, host or Host()) as stream:
                await test(stream)
            assert await side.until(lambda: server.open_connections == idle)

    side.run(main)


def numbers():
    yield from Emit([1, 2, 3])
    yield from Emit([])
    yield from Sleep(0)
    yield from Emit([4])
    return "the end"


def lines(met=None):
    """Follows the body and opens it again whenever it fails."""
    while True:
        try:
            body = yield from Open(WATCH, SOON)
            while data := (yield from Read(body, 30)):
                yield from Emit([data])
            return "complete"
        except TransportError as error:
            if met is not None:
                met.append((error.fault, error.delivery))


def test_items_come_one_at_a_time_and_then_the_result(side, server):
    async def test(stream):
        with pytest.raises(RuntimeError, match="has not returned"):
            _ = stream.result
        assert [item async for item in stream] == [1, 2, 3, 4]
        assert stream.result == "the end"
        assert [item async for item in stream] == []

    use(side, server, numbers(), test)


def test_an_operation_is_not_moved_before_its_items_are_taken(side, server):
    moved = []

    def operation():
        yield from Emit([1, 2])
        moved.append("after the batch")

    async def test(stream):
        assert await anext(stream) == 1
        assert await anext(stream) == 2
        assert moved == []
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        assert moved == ["after the batch"]

    use(side, server, operation(), test)


def test_an_error_comes_after_the_items_before_it(side, server, live):
    def operation():
        yield from Open(WATCH, SOON)
        yield from Emit([1])
        raise LookupError("broken")

    async def test(stream):
        assert await anext(stream) == 1
        with pytest.raises(LookupError):
            await anext(stream)
        with pytest.raises(RuntimeError, match="has not returned"):
            _ = stream.result
        assert await side.until(lambda: server.open_connections == 0)

    use(side, server, operation(), test)


def test_leaving_the_context_closes_the_operation_and_its_body(side, server, live):
    ended = []

    def operation():
        try:
            yield from lines()
        finally:
            ended.append(True)

    async def test(stream):
        live.send(b"a")
        assert await anext(stream) == b"a"
        assert server.open_connections == 1

    use(side, server, operation(), test)
    assert ended == [True]


def test_a_stream_is_not_iterated_outside_its_context(side, server):
    kept = []

    async def test(stream):
        kept.append(stream)

    use(side, server, numbers(), test)

    async def after():
        with pytest.raises(RuntimeError, match="inside its"):
            await anext(kept[0])

    side.run(after)


def test_a_cancelled_anext_does_not_end_the_stream(async_side, server, live):
    met = []

    async def test(stream):
        for number in range(1, 4):
            with anyio.move_on_after(0.1) as scope:
                await anext(stream)
            assert scope.cancelled_caught
            # The body was dropped; the next one begins anew.
            assert await async_side.until(lambda: server.open_connections == 0)
            assert len(server.requests) == number
        live.send(b"a")
        assert await anext(stream) == b"a"
        live.end()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        assert stream.result == "complete"

    use(async_side, server, lines(met), test, idle=1)
    assert met == [(TransportFault.INTERRUPTED, Delivery.MAYBE_SENT)] * 3


def test_a_cancelled_anext_in_a_loop_gets_through_a_sleep(async_side, server):
    def operation():
        yield from Sleep(0.25)
        yield from Emit(["awake"])
        yield from Sleep(0.25)
        yield from Emit(["again"])

    async def test(stream):
        items = []
        started = time.monotonic()
        while len(items) < 2:
            with anyio.move_on_after(0.1):
                items.append(await anext(stream))
        assert items == ["awake", "again"]
        assert 0.5 <= time.monotonic() - started < 1

    use(async_side, server, operation(), test)


def test_one_task_at_a_time_waits_for_items(async_side, server, live):
    async def test(stream):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anext, stream)
            assert await async_side.until(lambda: len(server.requests) == 1)
            with pytest.raises(RuntimeError, match="another task"):
                await anext(stream)
            live.send(b"x")

    use(async_side, server, lines(), test)


def sleeps():
    yield from Open(WATCH, SOON)
    yield from Sleep(30)


@pytest.mark.parametrize("operation", [lines, sleeps])
def test_closing_a_stream_ends_the_task_that_waits_for_it(async_side, server, live, operation):
    async def main():
        async with async_side.channel(server.url) as channel, anyio.create_task_group() as tasks:
            ended = []

            async def wait(stream):
                ended.append([item async for item in stream])

            async with async_side.stream(operation(), channel, Host()) as stream:
                tasks.start_soon(wait, stream)
                assert await async_side.until(lambda: len(server.requests) == 1)
            assert await async_side.until(lambda: ended == [[]])
            assert await async_side.until(lambda: server.open_connections == 0)

    async_side.run(main)


def test_a_graceful_stop_lets_the_operation_say_its_last(side, server, live):
    server.route("/x", reply(200, b"destroyed"))

    def operation():
        body = yield from Open(WATCH, SOON)
        try:
            while True:
                yield from Emit([(yield from Read(body, 30))])
        except StopRequested:
            yield from Emit([b"stopping", (yield from Send(Request("DELETE", "/x"), SOON)).body])
            return "stopped"

    async def test(stream):
        live.send(b"a")
        assert await anext(stream) == b"a"
        items = []

        async def take():
            items.extend([item async for item in stream])

        async def stop():
            await side.until(lambda: False, 0.1)
            stream.request_stop()

        started = time.monotonic()
        await side.gather(take, stop)
        assert time.monotonic() - started < 1
        assert items == [b"stopping", b"destroyed"]
        assert stream.result == "stopped"

    async def main():
        async with side.channel(server.url) as channel, side.stream(operation(), channel, Host()) as stream:
            await test(stream)

    side.run(main)


def test_a_stop_does_not_take_items_away(side, server):
    def operation():
        try:
            yield from Emit([1, 2])
            yield from Emit([3])
        except StopRequested:
            yield from Emit([99])

    async def test(stream):
        assert await anext(stream) == 1
        stream.request_stop()
        assert [item async for item in stream] == [2, 99]

    use(side, server, operation(), test)


@pytest.mark.parametrize("stops", [1, 2])
def test_a_stop_that_is_not_handled_ends_the_stream_without_a_result(side, server, live, stops):
    async def test(stream):
        live.send(b"a")
        assert await anext(stream) == b"a"
        for _ in range(stops):
            stream.request_stop()
        assert [item async for item in stream] == []
        with pytest.raises(RuntimeError, match="has not returned"):
            _ = stream.result

    use(side, server, lines(), test)


def test_a_provider_that_closes_meanwhile_is_told(side, server, live):
    host = Host()

    async def test(stream):
        live.send(b"a")
        assert await anext(stream) == b"a"
        host.close()
        with pytest.raises(ProviderClosed):
            await anext(stream)

    use(side, server, lines(), test, host)


def test_a_keyboard_interrupt_leaves_the_stream_usable(server, live):
    met = []

    async def test(stream):
        interrupt_soon()
        with pytest.raises(KeyboardInterrupt):
            await anext(stream)
        assert server.wait_until(lambda: server.open_connections == 0)
        live.send(b"a")
        assert await anext(stream) == b"a"

    use(SyncSide(), server, lines(met), test)
    assert met == [(TransportFault.INTERRUPTED, Delivery.MAYBE_SENT)]
