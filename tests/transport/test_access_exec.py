"""Exec plugins as real programs: one run at a time, however many wait; none blocks the loop or outlives its run."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Request
from hodei_k8s_transport.access.async_credentials import RefreshingAsyncCredentials
from hodei_k8s_transport.access.connect import async_credentials, build_endpoint, sync_credentials
from hodei_k8s_transport.channels.async_httpx_channel import AsyncHttpxChannel
from hodei_k8s_transport.channels.httpx_channel import HttpxChannel
from hodei_k8s_transport.testing.loopback import LoopbackServer, reply
from hodei_k8s_transport.testing.never_suspending import NeverSuspending
from tests.transport.access_cases import (
    Clock,
    Plugin,
    access_to,
    ends_soon,
    expiring_at,
    failure,
    source_on,
    token,
)
from tests.transport.sides import AsyncSide, SyncSide

Side = SyncSide | AsyncSide


def test_an_answer_without_end_counts_for_ever(side: Side, tmp_path: Path) -> None:
    plugin, clock = Plugin(tmp_path), Clock()
    source = source_on(side, access_to(tmp_path, plugin.user), clock)

    async def main() -> None:
        first = await source.current()
        clock.now += 10**9
        assert await source.current() is first
        assert token(first) == "t-1"

    side.run(main)
    assert plugin.runs == 1


def test_an_answer_that_has_expired_is_asked_for_again(side: Side, tmp_path: Path) -> None:
    clock = Clock(1_795_514_399.0)
    plugin = Plugin(tmp_path, status=expiring_at("2026-11-24T10:00:00Z"))
    source = source_on(side, access_to(tmp_path, plugin.user), clock)

    async def main() -> None:
        first = await source.current()
        assert await source.current() is first
        clock.now += 2
        second = await source.current()
        assert (token(first), token(second)) == ("t-1", "t-2")
        assert second.generation == first.generation + 1

    side.run(main)
    assert plugin.runs == 2


def test_fifty_callers_that_are_refused_cost_one_run(side: Side, tmp_path: Path) -> None:
    plugin = Plugin(tmp_path, then="sleep 0.2")
    source = source_on(side, access_to(tmp_path, plugin.user))

    async def main() -> None:
        refused = (await source.current()).generation

        async def renew() -> Any:
            return await source.renew(refused)

        renewed = await side.gather(*[renew] * 50)
        assert {token(credential) for credential in renewed} == {"t-2"}
        assert await source.renew(refused) is await source.current()

    side.run(main)
    assert plugin.runs == 2


def test_fifty_first_callers_cost_one_run(side: Side, tmp_path: Path) -> None:
    plugin = Plugin(tmp_path, first="sleep 0.2")
    source = source_on(side, access_to(tmp_path, plugin.user))

    async def main() -> None:
        async def current() -> Any:
            return await source.current()

        assert {token(credential) for credential in await side.gather(*[current] * 50)} == {"t-1"}

    side.run(main)
    assert plugin.runs == 1


def test_fifty_requests_that_are_refused_cost_one_run(side: Side, server: LoopbackServer, tmp_path: Path) -> None:
    """Through the real channels. (Credentials go to https only, so the endpoint is changed to the plain server.)"""
    plugin = Plugin(tmp_path, then="sleep 0.2")
    good, refused = reply(200, b"yes"), reply(401, b"no")
    server.route("/x", lambda request: good if request.headers.get("authorization") == "Bearer t-2" else refused)
    access = access_to(tmp_path, plugin.user)
    endpoint = type(build_endpoint(access, {}))(server.url)

    async def ask(channel: Any) -> None:
        async def send() -> int:
            return int((await channel.send(Request("GET", "/x"), 20.0)).status)

        assert await side.gather(*[send] * 50) == [200] * 50

    async def main() -> None:
        if isinstance(side, SyncSide):
            channel = HttpxChannel(endpoint, sync_credentials(access))
            await ask(NeverSuspending(channel))
            channel.close()
        else:
            async with AsyncHttpxChannel(endpoint, async_credentials(access)) as async_channel:
                await ask(async_channel)

    side.run(main)
    assert plugin.runs == 2


def test_those_who_waited_for_a_run_share_its_failure(side: Side, tmp_path: Path) -> None:
    plugin = Plugin(tmp_path, first="sleep 0.5; exit 3")
    source = source_on(side, access_to(tmp_path, plugin.user))

    async def main() -> None:
        async def fail() -> TransportError:
            return await failure(source.current)

        failures = await side.gather(*[fail] * 10)
        assert {error.detail.rpartition(": ")[2] for error in failures} == {
            f"the program {tmp_path}/plugin failed with exit code 3"
        }
        assert plugin.runs == 1
        assert token(await source.current()) == "t-2"  # who comes later tries again

    side.run(main)


def test_the_loop_goes_on_while_a_plugin_runs(async_side: AsyncSide, tmp_path: Path) -> None:
    plugin = Plugin(tmp_path, first="sleep 2")
    source = source_on(async_side, access_to(tmp_path, plugin.user))
    beats: list[float] = []

    async def beat() -> None:
        while True:
            beats.append(time.monotonic())
            await anyio.sleep(0.02)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(beat)
            await source.current()
            tasks.cancel_scope.cancel()

    async_side.run(main)
    assert beats[-1] - beats[0] > 1.8
    assert max(later - earlier for earlier, later in itertools.pairwise(beats)) < 0.5


def test_a_cancelled_runner_hands_over_and_leaves_no_process(async_side: AsyncSide, tmp_path: Path) -> None:
    child = tmp_path / "child"
    plugin = Plugin(tmp_path, first=f"sleep 60 & echo $! >{child}; wait")
    source: RefreshingAsyncCredentials = source_on(async_side, access_to(tmp_path, plugin.user))
    tokens: list[str] = []

    async def wait() -> None:
        tokens.append(token(await source.current()))

    async def main() -> None:
        with anyio.fail_after(15):
            async with anyio.create_task_group() as waiters, anyio.create_task_group() as runner:
                runner.start_soon(source.current)
                assert await async_side.until(lambda: child.exists() and child.read_text() != "")
                waiters.start_soon(wait)
                waiters.start_soon(wait)
                await anyio.sleep(0.05)
                runner.cancel_scope.cancel()

    async_side.run(main)
    assert tokens == ["t-2", "t-2"]
    assert plugin.runs == 2
    assert ends_soon(plugin.process_ids[0])
    assert ends_soon(int(child.read_text()))


def test_an_interrupt_stops_a_plugin_with_what_it_started(tmp_path: Path) -> None:
    """Ctrl-C reaches only us: the plugin has a session of its own."""
    child = tmp_path / "child"
    plugin = Plugin(tmp_path, first=f"sleep 60 & echo $! >{child}; kill -INT {os.getpid()}; wait")
    source = sync_credentials(access_to(tmp_path, plugin.user))

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        source.current()

    assert time.monotonic() - start < 30
    assert ends_soon(plugin.process_ids[0])
    assert ends_soon(int(child.read_text()))
    assert token(source.current()) == "t-2"


def test_a_plugin_that_takes_too_long_is_stopped_with_what_it_started(side: Side, tmp_path: Path) -> None:
    child = tmp_path / "child"
    plugin = Plugin(tmp_path, first=f"sleep 60 & echo $! >{child}; wait")
    source = source_on(side, access_to(tmp_path, plugin.user), timeout=0.5)

    async def main() -> None:
        start = time.monotonic()
        error = await failure(source.current)
        assert error.detail.endswith("exec: the program did not end in time, and was stopped")
        assert time.monotonic() - start < 10

    side.run(main)
    assert ends_soon(plugin.process_ids[0])
    assert ends_soon(int(child.read_text()))
