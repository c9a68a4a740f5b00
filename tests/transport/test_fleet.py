"""The live view of a fleet: one watch, shared by readers and waiters, on threads, asyncio and trio."""

from __future__ import annotations

import time
from typing import Any

import anyio
import pytest

from hodei_k8s_core.errors import (
    ConfigurationError,
    ConnectionFailed,
    NotReady,
    PermissionDenied,
    ProviderClosed,
    ProvisioningTimeout,
)
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_core.worker_change import ChangeKind, Freshness, WorkerChange
from hodei_k8s_transport.testing.loopback import LiveBody, reply
from tests.transport.fleet_api import (
    PODS,
    Api,
    handle_of,
    json_reply,
    pod,
    providing,
    with_fleet,
)
from tests.transport.sides import SyncSide


@pytest.fixture
def api(server) -> Api:
    return Api(server)


def test_entering_waits_until_the_picture_is_whole(side, api) -> None:
    async def test(fleet) -> None:
        assert list(fleet.view.workers) == ["w1"]
        assert fleet.view.is_synced
        assert fleet.get("w1").state is WorkerState.CREATING
        assert fleet.get("w9") is None

    with_fleet(side, api, test)


def test_the_picture_is_live(side, api) -> None:
    async def test(fleet) -> None:
        api.tell("ADDED", pod("w2", 101, phase="Running"))
        api.tell("DELETED", pod("w1", 102, deletionTimestamp="2026-01-01T00:00:00Z"))
        assert await side.until(lambda: fleet.view.count_by_state() == {WorkerState.READY: 1})

    with_fleet(side, api, test)


def test_what_is_already_so_is_told_without_a_request(side, api) -> None:
    api.listed = [pod("w1", 1, phase="Running")]

    async def test(fleet) -> None:
        assert (await fleet.wait_for(handle_of("w1"))).state is WorkerState.READY
        assert api.looks() == 0

    with_fleet(side, api, test)


def test_any_number_of_waiters_share_one_watch(side, api) -> None:
    api.listed = [pod(f"w{n}", n) for n in range(1, 21)]

    async def test(fleet) -> None:
        async def wait(worker_id: str) -> Any:
            return await fleet.wait_for(handle_of(worker_id), timeout=10)

        async def act() -> None:
            for n in range(1, 21):
                api.tell("MODIFIED", pod(f"w{n}", 100 + n, phase="Running"))

        *infos, _ = await side.gather(*(lambda n=n: wait(f"w{n}") for n in range(1, 21)), act)
        assert {info.state for info in infos} == {WorkerState.READY}
        assert (api.watches, api.looks()) == (1, 0)

    with_fleet(side, api, test)


def test_a_worker_that_ends_is_no_longer_waited_for(side, api) -> None:
    async def test(fleet) -> None:
        async def wait() -> None:
            with pytest.raises(NotReady):
                await fleet.wait_for(handle_of("w1"), timeout=10)

        async def act() -> None:
            api.tell("MODIFIED", pod("w1", 101, phase="Failed"))

        await side.gather(wait, act)

    with_fleet(side, api, test)


def test_a_worker_that_is_deleted_is_terminated(side, api) -> None:
    api.lacks("w1")

    async def test(fleet) -> None:
        async def wait() -> None:
            info = await fleet.wait_for(handle_of("w1"), until=WorkerState.TERMINATED, timeout=10)
            assert info.state is WorkerState.TERMINATED

        async def act() -> None:
            api.tell("DELETED", pod("w1", 101))

        await side.gather(wait, act)
        assert fleet.get("w1") is None

    with_fleet(side, api, test)


def test_a_worker_that_the_view_does_not_show_yet_is_looked_at_and_then_waited_for(side, api) -> None:
    api.has(pod("w2", 101))

    async def test(fleet) -> None:
        async def wait() -> None:
            assert (await fleet.wait_for(handle_of("w2"), timeout=10)).state is WorkerState.READY

        async def act() -> None:
            assert await side.until(lambda: api.looks() == 1)
            api.tell("ADDED", pod("w2", 102, phase="Running"))

        await side.gather(wait, act)

    with_fleet(side, api, test)


def test_the_look_alone_can_tell(side, api) -> None:
    api.has(pod("w2", 101, phase="Running"))
    api.lacks("w3")

    async def test(fleet) -> None:
        assert (await fleet.wait_for(handle_of("w2"), timeout=10)).state is WorkerState.READY
        with pytest.raises(NotReady):
            await fleet.wait_for(handle_of("w3"), timeout=10)

    with_fleet(side, api, test)


def test_a_view_that_shows_an_earlier_pod_of_that_name_is_not_believed(side, api) -> None:
    """Destroyed and made again: the view lags behind."""
    api.has(pod("w1", 101, uid="new", phase="Running"))

    async def test(fleet) -> None:
        assert (await fleet.wait_for(handle_of("w1", uid="new"), timeout=10)).handle.pod_uid == "new"

    with_fleet(side, api, test)


def test_time_runs_out_with_what_is_known(side, api) -> None:
    async def test(fleet) -> None:
        began = time.monotonic()
        with pytest.raises(ProvisioningTimeout, match="it is CREATING"):
            await fleet.wait_for(handle_of("w1"), timeout=0.2)
        assert 0.15 < time.monotonic() - began < 2

    with_fleet(side, api, test)


@pytest.mark.parametrize("options", [{"until": ()}, {"timeout": 0}])
def test_a_wait_that_makes_no_sense_is_refused(side, api, options) -> None:
    async def test(fleet) -> None:
        with pytest.raises(ConfigurationError):
            await fleet.wait_for(handle_of("w1"), **options)

    with_fleet(side, api, test)


def test_a_break_is_seen_in_the_age_of_the_picture_and_mended(side, api) -> None:
    async def test(fleet) -> None:
        assert await side.until(lambda: api.watches == 1)
        broken, api.watch = api.watch, LiveBody()
        api.listed = []
        broken.cut()
        assert await side.until(lambda: api.watches == 2)
        api.tell("ADDED", pod("w2", 101))
        assert await side.until(lambda: fleet.get("w2") is not None and fleet.view.is_synced)
        assert fleet.get("w1") is not None

    with_fleet(side, api, test)


def test_a_server_that_is_away_makes_the_picture_stale(side, api) -> None:
    async def test(fleet) -> None:
        api.server.route(PODS, reply(503))
        api.watch.cut()
        assert await side.until(lambda: fleet.view.health.freshness is Freshness.STALE)
        assert list(fleet.view.workers) == ["w1"]

    with_fleet(side, api, test, idle=2)


def test_what_cannot_begin_is_raised_when_it_is_entered(side, api) -> None:
    api.server.route(PODS, json_reply({"kind": "Status", "reason": "Forbidden", "message": "no", "code": 403}, 403))

    async def main() -> None:
        async with providing(side, api) as provider:
            with pytest.raises(PermissionDenied):
                async with provider.fleet():
                    pytest.fail("entered")

    side.run(main)


def test_what_the_block_raises_is_not_wrapped(side, api) -> None:
    async def main() -> None:
        async with providing(side, api) as provider:
            with pytest.raises(ZeroDivisionError):
                async with provider.fleet():
                    raise ZeroDivisionError

    side.run(main)


def test_waiters_hear_that_the_provider_was_closed(side, api) -> None:
    async def main() -> None:
        async with providing(side, api) as provider, provider.fleet() as fleet:

            async def wait() -> None:
                with pytest.raises(ProviderClosed):
                    await fleet.wait_for(handle_of("w1"), timeout=10)

            async def act() -> None:
                assert await side.until(lambda: api.watches == 1)
                provider.close()

            await side.gather(wait, act)
            with pytest.raises(ProviderClosed):
                await fleet.wait_for(handle_of("w1"), timeout=10)

    side.run(main)


def test_a_cancelled_wait_and_a_cancelled_block_end_at_once(async_side, api) -> None:
    async def main() -> None:
        async with providing(async_side, api) as provider:
            async with provider.fleet() as fleet:
                with anyio.move_on_after(0.05):
                    await fleet.wait_for(handle_of("w1"))
                assert fleet.view.is_synced
            began = time.monotonic()
            with anyio.move_on_after(0.05):
                async with provider.fleet():
                    await anyio.sleep(30)
            api.server.route(PODS, LiveBody())
            with anyio.move_on_after(0.05):
                async with provider.fleet():
                    pytest.fail("entered")
            assert time.monotonic() - began < 5

    async_side.run(main)


def test_outside_of_its_block_it_says_so(side, api) -> None:
    async def main() -> None:
        async with providing(side, api) as provider:
            fleet = provider.fleet()
            with pytest.raises(RuntimeError, match="block"):
                await fleet.wait_for(handle_of("w1"))

    side.run(main)


def test_the_facades_watch_and_wait_for_many(side, api) -> None:
    api.listed = [pod("w1", 1, phase="Running"), pod("w2", 2, phase="Failed")]

    async def main() -> None:
        async with providing(side, api) as provider:
            handles = [handle_of("w2"), handle_of("w1")]
            told = provider.wait_for_workers(handles, timeout=5)
            outcomes = told if isinstance(told, list) else await told
            assert [outcome.is_success for outcome in outcomes] == [False, True]
            kinds = []
            if isinstance(side, SyncSide):
                with provider.watch_workers(namespace="hodei-workers") as items:
                    kinds = [next(items) for _ in range(3)]
            else:
                async with provider.watch_workers(namespace="hodei-workers") as items:
                    kinds = [await anext(items) for _ in range(3)]
            assert [one.kind for one in kinds if isinstance(one, WorkerChange)] == [ChangeKind.ADDED] * 2

    side.run(main)


def test_a_connection_that_is_refused_is_told(side, api) -> None:
    api.server.stop()

    async def main() -> None:
        async with providing(side, api) as provider:
            with pytest.raises(ConnectionFailed):
                async with provider.fleet():
                    pytest.fail("entered")

    side.run(main)
