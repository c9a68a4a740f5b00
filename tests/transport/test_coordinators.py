"""Coordinators on threads, asyncio and trio: many streams in one, held up by the reader and by nothing else."""

from __future__ import annotations

import contextlib

import anyio
import pytest

from hodei_k8s_core.coordinators.coordinator import Start, Stop
from hodei_k8s_core.effects import Emit, Open, Read, Sleep
from hodei_k8s_core.errors import ProviderClosed, TransportError
from hodei_k8s_core.http import Request
from hodei_k8s_transport.drivers.async_coordinator import AsyncMergedStream
from hodei_k8s_transport.drivers.host import Host
from hodei_k8s_transport.drivers.sync_coordinator import MergedStream
from hodei_k8s_transport.testing.loopback import LiveBody
from tests.transport.sides import AsyncSide, SyncSide, _SyncItems, _unwrap

WATCH = Request("GET", "/watch")


class Merge:
    """A coordinator that starts what it is given and passes everything on; a batch of each waits at most."""

    def __init__(self, on_item=None, **streams):
        self.streams = streams
        self.on_item = on_item or (lambda child, item: ())
        self.waiting = {}
        self.results = {}
        self.error = None
        self.running = set(streams)

    def begin(self):
        return [Start(child, stream) for child, stream in self.streams.items()]

    def has_room(self, child):
        return child not in self.waiting

    def emitted(self, child, items):
        assert child not in self.waiting
        if items:
            self.waiting[child] = items
        actions = [action for item in items for action in self.on_item(child, item)]
        self.running |= {action.child for action in actions if isinstance(action, Start)}
        return actions

    def ended(self, child, result):
        self.results[child] = result
        self.running.discard(child)
        return ()

    def failed(self, child, error):
        self.error = error
        self.running.discard(child)
        return ()

    def take(self):
        if not self.waiting:
            return None
        child = next(iter(self.waiting))
        return child, self.waiting.pop(child)

    @property
    def is_over(self):
        return not self.running


@contextlib.asynccontextmanager
async def merged(side, coordinator, channel, host=None):
    host = host or Host()
    if isinstance(side, SyncSide):
        with MergedStream(coordinator, _unwrap(channel), host) as stream:
            yield _SyncItems(stream)
    else:
        async with AsyncMergedStream(coordinator, channel, host) as stream:
            yield stream


def use(side, server, coordinator, test, host=None):
    async def main():
        async with side.channel(server.url) as channel:
            async with merged(side, coordinator, channel, host) as stream:
                await test(stream)
            assert await side.until(lambda: server.open_connections == 0)

    side.run(main)


def count(name, upto, moved=None):
    for number in range(upto):
        if moved is not None:
            moved.append(number)
        yield from Emit([(name, number)])
    return name


def lines():
    body = yield from Open(WATCH, 5.0)
    while data := (yield from Read(body, 30)):
        yield from Emit([data])


def test_everything_of_everyone_in_its_order(side, server):
    coordinator = Merge(a=count("a", 50), b=count("b", 50), c=count("c", 0))

    async def test(stream):
        items = [item async for item in stream]
        for name in "ab":
            assert [number for child, number in items if child == name] == list(range(50))
        assert len(items) == 100
        assert coordinator.results == {"a": "a", "b": "b", "c": "c"}

    use(side, server, coordinator, test)


def test_a_slow_reader_holds_all_up_and_nobody_else_does(side, server):
    moved = []
    coordinator = Merge(a=count("a", 1000, moved), b=count("b", 3))

    async def test(stream):
        assert await side.until(lambda: len(moved) == 2)
        assert not await side.until(lambda: len(moved) > 2, limit=0.2)
        items = [await stream.__anext__() for _ in range(6)]
        assert {child for child, _ in items} == {"a", "b"}
        assert await side.until(lambda: len(moved) >= 4)
        assert not await side.until(lambda: len(moved) > 8, limit=0.2)

    use(side, server, coordinator, test)


def test_children_come_and_go_as_the_coordinator_says(side, server):
    server.route("/watch", LiveBody())

    def on_item(child, item):
        if item == ("a", 1):
            return [Start("late", count("late", 2)), Stop("live"), Stop("unknown")]
        return ()

    coordinator = Merge(on_item, a=count("a", 3), live=lines())

    async def test(stream):
        items = []
        while ("late", 1) not in items or ("a", 2) not in items:
            items.append(await stream.__anext__())
        assert await side.until(lambda: server.open_connections == 0)
        assert coordinator.results["late"] == "late"
        assert "live" not in coordinator.results

    use(side, server, coordinator, test)


def test_what_the_coordinator_calls_an_error_is_raised_behind_what_came_before(side, server):
    def fails():
        yield from Emit(["before"])
        raise ValueError("a child failed")

    async def test(stream):
        assert await stream.__anext__() == "before"
        with pytest.raises(ValueError, match="a child failed"):
            await stream.__anext__()

    use(side, server, Merge(a=fails()), test)


def test_leaving_ends_what_waits(side, server):
    """For a body, for time, and for room."""
    server.route("/watch", LiveBody())

    def sleeps():
        yield from Sleep(60)

    coordinator = Merge(body=lines(), time=sleeps(), room=count("room", 100))

    async def test(stream):
        assert await stream.__anext__() == ("room", 0)
        assert await side.until(lambda: server.open_connections == 1)

    use(side, server, coordinator, test)
    assert coordinator.error is None


def test_a_stop_ends_the_iteration_and_what_came_before_is_read(side, server):
    coordinator = Merge(room=count("room", 100))

    async def test(stream):
        assert await side.until(lambda: not coordinator.has_room("room"))
        stream.request_stop()
        items = [item async for item in stream]
        assert items[0] == ("room", 0)
        assert len(items) <= 2

    use(side, server, coordinator, test)


def test_a_closed_host_ends_the_iteration(side, server):
    host = Host()
    coordinator = Merge(room=count("room", 1))

    async def test(stream):
        assert await stream.__anext__() == ("room", 0)
        host.close()
        with pytest.raises(ProviderClosed):
            await stream.__anext__()

    use(side, server, coordinator, test, host)


def test_outside_of_its_block_there_is_nothing(side, server):
    async def main():
        async with side.channel(server.url) as channel:
            kind = MergedStream if isinstance(side, SyncSide) else AsyncMergedStream
            stream = kind(Merge(a=count("a", 1)), _unwrap(channel), Host())
            with pytest.raises(RuntimeError, match="inside its"):
                await _SyncItems(stream).__anext__() if isinstance(side, SyncSide) else await stream.__anext__()

    side.run(main)


def test_an_error_of_the_block_leaves_as_it_is(side, server):
    async def test(stream):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        use(side, server, Merge(a=count("a", 100)), test)


def test_a_transport_failure_is_for_the_child(side):
    met = []

    def tries():
        try:
            yield from Open(WATCH, 1.0)
        except TransportError as error:
            met.append(error)
        yield from Emit(["went on"])

    async def main():
        async with side.channel("http://127.0.0.1:9") as channel, merged(side, Merge(a=tries()), channel) as stream:
            assert [item async for item in stream] == ["went on"]

    side.run(main)
    assert len(met) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_wait_loses_nothing(backend, server):
    body = LiveBody()
    server.route("/watch", body)

    async def main():
        side = AsyncSide(backend)
        async with side.channel(server.url) as channel, merged(side, Merge(a=lines()), channel) as stream:
            for number in range(3):
                with anyio.move_on_after(0.05):
                    await stream.__anext__()
                body.send(b"%d" % number)
                assert await stream.__anext__() == b"%d" % number
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stream.__anext__)
                await anyio.sleep(0.05)
                with pytest.raises(RuntimeError, match="another task"):
                    await stream.__anext__()
                tasks.cancel_scope.cancel()

    anyio.run(main, backend=backend)
