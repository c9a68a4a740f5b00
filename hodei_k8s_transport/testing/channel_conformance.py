"""The conformance suite for a channel of one's own: subclass, say how a channel is made, and let pytest collect it.

    class TestMyChannel(ChannelConformance):
        def make_channel(self, endpoint: Endpoint) -> Channel:
            return MyChannel(endpoint.server)

    class TestMyAsyncChannel(AsyncChannelConformance):
        def make_channel(self, endpoint: Endpoint) -> AsyncChannel:
            return MyAsyncChannel(endpoint.server)

pytest is not needed: every `test_...` method can be called, and raises AssertionError. Each brings a server on loopback
of its own. What the contract says about credentials depends on the channel's source of them and is not tested here.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import anyio

from hodei_k8s_core.effects import SILENCE
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Request
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.channels.channel import AsyncChannel, Channel
from hodei_k8s_transport.testing import channel_scenarios as scenarios
from hodei_k8s_transport.testing.channel_scenarios import require
from hodei_k8s_transport.testing.loopback import NEVER, LiveBody, LoopbackServer
from hodei_k8s_transport.testing.never_suspending import NeverSuspending, drive

Scenario = Callable[[Any, LoopbackServer], Awaitable[None]]
_GET = Request("GET", "/x")
_LONG = 30.0


class _Conformance:
    def _check(self, scenario: Scenario) -> None:
        raise NotImplementedError

    def test_a_whole_exchange(self) -> None:
        self._check(scenarios.a_whole_exchange)

    def test_every_status_is_a_reply(self) -> None:
        self._check(scenarios.every_status_is_a_reply)

    def test_no_content_coding_is_left(self) -> None:
        self._check(scenarios.no_content_coding_is_left)

    def test_a_cut_reply_is_never_a_reply(self) -> None:
        self._check(scenarios.a_cut_reply_is_never_a_reply)

    def test_no_answer_is_a_timeout(self) -> None:
        self._check(scenarios.no_answer_is_a_timeout)

    def test_nothing_listens(self) -> None:
        self._check(scenarios.nothing_listens)

    def test_bytes_arrive_while_a_body_is_open(self) -> None:
        self._check(scenarios.bytes_arrive_while_a_body_is_open)

    def test_silence_is_not_the_end(self) -> None:
        self._check(scenarios.silence_is_not_the_end)

    def test_a_cut_body_is_never_a_clean_end(self) -> None:
        self._check(scenarios.a_cut_body_is_never_a_clean_end)

    def test_closing_ends_this_connection_only(self) -> None:
        self._check(scenarios.closing_ends_this_connection_only)

    def test_streams_do_not_starve_a_call(self) -> None:
        self._check(scenarios.streams_do_not_starve_a_call)


class ChannelConformance(_Conformance):
    """For channels of threads."""

    def make_channel(self, endpoint: Endpoint) -> Channel:
        """A new channel to `endpoint` (plain http, no credentials needed)."""
        raise NotImplementedError

    def test_closing_ends_everything(self) -> None:
        with LoopbackServer() as server:
            server.route("/x", LiveBody())
            channel = self.make_channel(Endpoint(server.url))
            body = channel.open(_GET, 5)
            channel.close()
            for call in (lambda: channel.send(_GET, 5), lambda: channel.open(_GET, 5), lambda: body.read(5)):
                _must_fail(call)
            require(server.wait_until(lambda: server.open_connections == 0), "closing a channel closes connections")

    def test_a_waiting_read_can_be_woken(self) -> None:
        with LoopbackServer() as server:
            live = LiveBody()
            server.route("/x", live)
            channel = self.make_channel(Endpoint(server.url))
            try:
                body = channel.open(_GET, 5)
                waker = threading.Timer(0.1, body.wake)
                waker.start()
                require(body.read(_LONG) is SILENCE, "a read that is woken returns SILENCE")
                waker.join()
                live.send(b"more")
                require(body.read(5) == b"more", "after that the body can still be read")
            finally:
                channel.close()

    def _check(self, scenario: Scenario) -> None:
        with LoopbackServer() as server:
            channel = self.make_channel(Endpoint(server.url))
            try:
                drive(_run(scenario, NeverSuspending(channel), server))
            finally:
                channel.close()
            require(server.wait_until(lambda: server.open_connections == 0), "closing a channel closes connections")


class AsyncChannelConformance(_Conformance):
    """For channels of tasks; on each of `backends`."""

    backends: ClassVar[tuple[str, ...]] = ("asyncio", "trio")

    def make_channel(self, endpoint: Endpoint) -> AsyncChannel:
        """A new channel to `endpoint` (plain http, no credentials needed), not entered yet."""
        raise NotImplementedError

    def test_a_cancelled_read_is_not_the_end(self) -> None:
        self._check(_a_cancelled_read)

    def test_what_is_cancelled_leaves_no_connection(self) -> None:
        self._check(_cancelled_calls)

    def test_closing_ends_everything(self) -> None:
        async def main() -> None:
            with LoopbackServer() as server:
                server.route("/x", LiveBody())
                async with self.make_channel(Endpoint(server.url)) as channel:
                    body = await channel.open(_GET, 5)
                for call in (channel.send(_GET, 5), channel.open(_GET, 5), body.read(5)):
                    await scenarios.failure_of(call, "a call after closing")
                require(server.wait_until(lambda: server.open_connections == 0), "closing a channel closes connections")

        self._on_each_backend(main)

    def _check(self, scenario: Scenario) -> None:
        async def main() -> None:
            with LoopbackServer() as server:
                async with self.make_channel(Endpoint(server.url)) as channel:
                    await _run(scenario, channel, server)
                require(server.wait_until(lambda: server.open_connections == 0), "closing a channel closes connections")

        self._on_each_backend(main)

    def _on_each_backend(self, main: Callable[[], Awaitable[None]]) -> None:
        for backend in self.backends:
            anyio.run(main, backend=backend)


async def _run(scenario: Scenario, channel: Any, server: LoopbackServer) -> None:
    await scenario(channel, server)


def _must_fail(call: Callable[[], object]) -> None:
    try:
        result = call()
    except TransportError:
        return
    raise AssertionError(f"a call after closing; it gave {result!r}")


async def _a_cancelled_read(channel: AsyncChannel, server: LoopbackServer) -> None:
    live = LiveBody()
    server.route("/x", live)
    body = await channel.open(_GET, 5)
    with anyio.move_on_after(0.05):
        await body.read(30)
    try:
        require(await body.read(0.05) != b"", 'after a cancelled read comes anything but b""')
        live.send(b"x")
        require(await body.read(5) == b"x", "after a cancelled read come the next bytes, or a TransportError")
    except TransportError:
        pass
    await body.close()


async def _cancelled_calls(channel: AsyncChannel, server: LoopbackServer) -> None:
    server.route("/x", NEVER)
    for call in (channel.send, channel.open):
        with anyio.move_on_after(0.1):
            await call(_GET, 30)
        with anyio.move_on_after(5):
            while server.open_connections:
                await anyio.sleep(0.01)
        require(server.open_connections == 0, "a cancelled call leaves no connection open")
