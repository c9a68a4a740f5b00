"""Who waits by the shared view hears what events tell, and a start is observed once, whoever waits for it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hodei_k8s_core.errors import (
    NotReady,
    ProvisioningTimeout,
)
from hodei_k8s_core.observations import Observation, PodStarted
from hodei_k8s_core.verdict import Category, Stage
from hodei_k8s_core.worker import WorkerState
from tests.transport.fleet_api import (
    CONFIG,
    EVENTS,
    Api,
    handle_of,
    homeless,
    json_reply,
    providing,
    started,
    stuck,
    with_fleet,
)
from tests.transport.sides import SyncSide


@pytest.fixture
def api(server) -> Api:
    return Api(server)


def test_a_trouble_that_only_events_tell_ends_the_wait_early_and_waiters_share_the_lists(side, api) -> None:
    api.listed = [stuck(f"w{n}", n, 20) for n in range(1, 11)]
    api.tells_of("FailedMount", 'MountVolume.SetUp failed for volume "v" : secret "absent" not found', "w7")

    async def test(fleet) -> None:
        async def wait(worker_id: str) -> Any:
            with pytest.raises((NotReady, ProvisioningTimeout)) as caught:
                await fleet.wait_for(handle_of(worker_id), timeout=30 if worker_id == "w7" else 3)
            return caught.value

        began = time.monotonic()
        *others, told = await side.gather(*(lambda n=n: wait(f"w{n}") for n in (1, 2, 3, 4, 5, 7)))
        assert isinstance(told, NotReady)
        assert told.verdict is not None
        assert told.verdict.category is Category.VOLUME_UNAVAILABLE
        assert {type(error) for error in others} == {ProvisioningTimeout}
        assert {error.verdict.stage for error in others} == {Stage.PULL}  # the phase that ran out of its time
        assert time.monotonic() - began < 10
        assert api.event_lists() <= 2  # who came later than the first list is in the second
        assert (api.watches, api.looks()) == (1, 0)

    with_fleet(side, api, test, idle=2)


def test_events_that_may_not_be_read_are_missing_evidence_and_no_failure(side, api) -> None:
    api.listed = [homeless("w1", 1, 10_000)]
    api.has(api.listed[0])
    no = {"kind": "Status", "reason": "Forbidden", "message": "no events for you", "code": 403}
    api.server.route(EVENTS, json_reply(no, 403))

    async def test(fleet) -> None:
        with pytest.raises(ProvisioningTimeout) as caught:
            await fleet.wait_for(handle_of("w1"), timeout=10)
        assert "no events for you" in str(caught.value.verdict.evidence)

    with_fleet(side, api, test, idle=2)


def test_a_verdict_of_the_view_from_the_pod_alone_is_no_reason_to_give_up(side, api) -> None:
    """Its time is over, unless an autoscaler adds a node, which only an event tells."""
    api.listed = [homeless("w1", 1, CONFIG.startup.schedule + 5)]
    api.has(api.listed[0])
    api.tells_of("TriggeredScaleUp", "pod triggered scale-up: 1->2")

    async def test(fleet) -> None:
        assert fleet.get("w1").verdict.category is Category.STARTUP_TIMEOUT

        async def wait() -> Any:
            return await fleet.wait_for(handle_of("w1"), timeout=20)

        async def act() -> None:
            assert await side.until(lambda: api.event_lists() >= 2)  # of the look, and of the watch
            api.tell("MODIFIED", started("w1", 101))

        info, _ = await side.gather(wait, act)
        assert info.state is WorkerState.READY

    with_fleet(side, api, test, idle=2)


def test_a_start_is_observed_once_whoever_waits_for_it(side, api) -> None:
    observed: list[Observation] = []
    api.has(started("w1", 101))

    async def main() -> None:
        async with providing(side, api, observer=observed.append) as provider:
            async with provider.fleet() as fleet:

                async def wait() -> Any:
                    return await fleet.wait_for(handle_of("w1"), timeout=20)

                async def act() -> None:
                    assert await side.until(lambda: api.watches == 1)
                    api.tell("MODIFIED", started("w1", 101))

                first, second, _ = await side.gather(wait, wait, act)
                assert first.timeline.ready is not None
                assert second == first
            alone = provider.wait_for_worker(handle_of("w1"), timeout=5)
            assert (alone if isinstance(side, SyncSide) else await alone).state is WorkerState.READY
            (start,) = [one for one in observed if isinstance(one, PodStarted)]
            assert start.seconds == pytest.approx(3, abs=1.1)
            assert provider.estimated_startup_time() == start.seconds

    side.run(main)
