"""The drivers: what operations ask for is done, and nothing is left open however they end."""

from __future__ import annotations

import random
import signal
import threading
import time

import anyio
import pytest

from hodei_k8s_core.effects import (
    SILENCE,
    Close,
    Monotonic,
    Observe,
    Open,
    Random,
    Read,
    Send,
    Sleep,
    SpendRetry,
    StopRequested,
    WallClock,
)
from hodei_k8s_core.errors import ProviderClosed, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_core.observations import StepStarted
from hodei_k8s_core.retry_budget import RetryBudget
from hodei_k8s_transport.drivers import async_driver
from hodei_k8s_transport.drivers.host import Host
from hodei_k8s_transport.drivers.stopper import Stopper
from hodei_k8s_transport.testing.loopback import HANG_UP, NEVER, LiveBody, reply
from tests.transport.sides import SyncSide

HTTP = ("httpx", "h11")
GET = Request("GET", "/x")
WATCH = Request("GET", "/watch")
SOON = 5.0


@pytest.fixture
def live(server):
    body = LiveBody()
    server.route("/watch", body)
    server.route("/x", reply(200, b"x"))
    return body


def interrupt_soon():
    """What Ctrl-C does, a moment from now."""
    threading.Timer(0.1, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()


def perform(side, server, operation, host=None, *, idle=0):
    """Run one operation on a channel of its own, which then has `idle` connections; its result or its exception."""
    outcome = []

    async def main():
        async with side.channel(server.url) as channel:
            try:
                outcome.append(await side.run_operation(operation, channel, host or Host()))
            except Exception as error:  # noqa: BLE001
                outcome.append(error)
            assert await side.until(lambda: server.open_connections == idle)

    side.run(main)
    return outcome[0]


def test_every_effect_is_answered(side, server, live):
    seen = []
    host = Host(
        retry_budget=RetryBudget(1, 0),
        observer=seen.append,
        random_source=random.Random(7),
        monotonic=lambda: 5.5,
        wall_clock=lambda: 1e9,
    )

    def operation():
        assert (yield from Monotonic()) == 5.5
        assert (yield from WallClock()) == 1e9
        assert (yield from Random()) == random.Random(7).random()
        assert [(yield from SpendRetry()), (yield from SpendRetry())] == [True, False]
        yield from Observe(StepStarted("op", "step"))
        yield from Sleep(0.01)
        response = yield from Send(GET, SOON)
        body = yield from Open(WATCH, SOON)
        assert (yield from Read(body, 0.02)) is SILENCE
        live.send(b"line")
        line = yield from Read(body, SOON)
        yield from Close(body)
        yield from Close(body)
        try:
            yield from Read(body, SOON)
        except TransportError as error:
            return response.body, body.status, line, error.fault

    assert perform(side, server, operation(), host, idle=1) == (b"x", 200, b"line", TransportFault.CLOSED)
    assert seen == [StepStarted("op", "step")]


def test_a_transport_failure_is_thrown_in(side, server):
    server.route("/x", HANG_UP)

    def operation():
        faults = []
        for effect in (Send(GET, SOON), Open(GET, SOON)):
            try:
                yield from effect
            except TransportError as error:
                faults.append(error.fault)
        return faults

    assert perform(side, server, operation()) == [TransportFault.CLOSED] * 2


def test_bodies_left_open_are_closed_at_the_end(side, server, live):
    def returns():
        yield from Open(WATCH, SOON)
        return "returned"

    def raises():
        yield from Open(WATCH, SOON)
        raise LookupError("raised")

    assert perform(side, server, returns()) == "returned"
    assert isinstance(perform(side, server, raises()), LookupError)


def test_two_bodies_and_calls_at_once(side, server, live):
    def operation():
        first = yield from Open(WATCH, SOON)
        second = yield from Open(WATCH, SOON)
        live.send(b"a")
        return [(yield from Read(first, SOON)), (yield from Send(GET, SOON)).body, (yield from Read(second, SOON))]

    assert perform(side, server, operation(), idle=1) == [b"a", b"x", b"a"]


def test_an_observer_that_fails_breaks_nothing(side, server, caplog):
    def operation():
        yield from Observe(StepStarted("op", "step"))
        return "went on"

    def observer(observation):
        raise ValueError("in the observer")

    assert perform(side, server, operation(), Host(observer=observer)) == "went on"
    assert "the observer failed" in caplog.text


def test_what_is_no_effect_is_named(side, server):
    def operation():
        yield Send
        yield from ()

    error = perform(side, server, operation())
    assert isinstance(error, TypeError)
    assert "yielded a" in str(error)


def test_an_operation_that_yields_while_closing_is_an_error(side, server, live):
    def operation():
        yield from Open(WATCH, SOON)
        try:
            yield object()
        finally:
            yield from Sleep(0)

    assert isinstance(perform(side, server, operation()), RuntimeError)


def test_a_closed_host_performs_nothing(side, server, live):
    host = Host()
    host.close()

    def operation():
        yield from Send(GET, SOON)

    assert isinstance(perform(side, server, operation(), host), ProviderClosed)
    assert server.requests == []


@pytest.mark.parametrize("wait", [Sleep(30), Read])
def test_closing_the_host_ends_what_waits(side, server, live, wait):
    host = Host()

    def operation():
        body = yield from Open(WATCH, SOON)
        yield from wait if isinstance(wait, Sleep) else Read(body, 30)

    async def main():
        async with side.channel(server.url) as channel:

            async def work():
                with pytest.raises(ProviderClosed):
                    await side.run_operation(operation(), channel, host)

            async def close():
                assert await side.until(lambda: len(server.requests) == 1)
                host.close()

            started = time.monotonic()
            await side.gather(work, close)
            assert time.monotonic() - started < 2
            assert await side.until(lambda: server.open_connections == 0)

    side.run(main)


def stopped(side, server, operation, stops, ready, *, idle=0):
    """Run an operation that is asked to stop `stops` times once `ready`; its outcome."""
    stopper = Stopper()
    outcome = []

    async def main():
        async with side.channel(server.url) as channel:

            async def work():
                try:
                    outcome.append(await side.run_operation(operation, channel, Host(), stopper))
                except Exception as error:  # noqa: BLE001
                    outcome.append(error)

            async def stop():
                assert await side.until(ready)
                for _ in range(stops):
                    stopper.request_stop()

            started = time.monotonic()
            await side.gather(work, stop)
            assert time.monotonic() - started < 2
            assert await side.until(lambda: server.open_connections == idle)

    side.run(main)
    return outcome[0]


@pytest.mark.parametrize("wait", ["sleep", "read"])
def test_a_stop_is_thrown_into_a_wait_and_the_operation_goes_on(side, server, live, wait):
    def operation():
        body = yield from Open(WATCH, SOON)
        try:
            yield from Sleep(30) if wait == "sleep" else Read(body, 30)
        except StopRequested:
            live.send(b"last line")
            last = yield from Read(body, SOON)
            return last, (yield from Send(GET, SOON)).body

    assert stopped(side, server, operation(), 1, lambda: len(server.requests) == 1, idle=1) == (b"last line", b"x")


def test_a_stop_lets_a_change_finish_and_its_reply_arrive(side, server):
    release = threading.Event()

    def slowly(_):
        release.wait(SOON)
        return reply(201, b"made")

    server.route("/x", slowly)
    made = []

    def operation():
        made.append((yield from Send(Request("POST", "/x"), SOON)).body)
        try:
            yield from Monotonic()
        except StopRequested:
            return "stopped after the reply"

    def ready():
        if len(server.requests) == 1 and not release.is_set():
            threading.Timer(0.1, release.set).start()
            return True
        return False

    assert stopped(side, server, operation(), 1, ready, idle=1) == "stopped after the reply"
    assert made == [b"made"]


def test_a_stop_that_is_not_handled_leaves_the_operation(side, server, live):
    def operation():
        yield from Open(WATCH, SOON)
        yield from Sleep(30)

    assert isinstance(stopped(side, server, operation(), 1, lambda: len(server.requests) == 1), StopRequested)


def test_a_second_stop_closes(side, server, live):
    closed = []

    def operation():
        yield from Open(WATCH, SOON)
        try:
            yield from Sleep(30)
        except StopRequested:
            try:
                yield from Sleep(30)
            except GeneratorExit:
                closed.append(True)
                raise

    assert isinstance(stopped(side, server, operation(), 2, lambda: len(server.requests) == 1), StopRequested)
    assert closed == [True]


def test_cancellation_closes_the_operation_and_its_bodies(async_side, server, live):
    ended = []

    def operation(effect):
        body = yield from Open(WATCH, SOON)
        try:
            yield from effect if effect is not None else Read(body, 30)
        finally:
            ended.append(True)

    server.route("/never", NEVER)
    effects = [Sleep(30), None, Send(Request("GET", "/never"), 30), Open(Request("GET", "/never"), 30)]

    async def main():
        async with async_side.channel(server.url) as channel:
            for effect in effects:
                with anyio.move_on_after(0.1) as scope:
                    await async_side.run_operation(operation(effect), channel, Host())
                assert scope.cancelled_caught
                assert await async_side.until(lambda: server.open_connections == 0)

    async_side.run(main)
    assert len(ended) == len(effects)


def test_closing_a_body_is_shielded_from_the_cancellation_and_bounded(async_side, monkeypatch):
    monkeypatch.setattr(async_driver, "CLOSE_LIMIT", 0.3)
    closed = []

    class SlowToClose:
        """A channel and its bodies; closing one takes `seconds`."""

        status, headers = 200, ()

        def __init__(self, seconds):
            self.seconds = seconds

        async def open(self, request, timeout):
            return self

        async def close(self):
            await anyio.sleep(self.seconds)
            closed.append(self.seconds)

    def operation():
        yield from Open(WATCH, SOON)
        yield from Sleep(30)

    async def main():
        for seconds in (0.05, 60):
            started = time.monotonic()
            with anyio.move_on_after(0.05):
                await async_side.run_operation(operation(), SlowToClose(seconds), Host())
            assert time.monotonic() - started < 2

    async_side.run(main)
    assert closed == [0.05]


@pytest.mark.parametrize("effect", [Sleep(30), Read, Send(Request("GET", "/never"), 30)], ids=["sleep", "read", "send"])
def test_a_keyboard_interrupt_closes_the_operation_and_its_bodies(server, live, effect):
    side = SyncSide()
    server.route("/never", NEVER)
    ended = []

    def operation():
        body = yield from Open(WATCH, SOON)
        try:
            yield from Read(body, 30) if effect is Read else effect
        finally:
            ended.append(True)

    async def main():
        async with side.channel(server.url) as channel:
            interrupt_soon()
            with pytest.raises(KeyboardInterrupt):
                await side.run_operation(operation(), channel, Host())
            assert await side.until(lambda: server.open_connections == 0)

    side.run(main)
    assert ended == [True]
