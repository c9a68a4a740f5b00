"""The live view of a fleet: one watch, shared by readers and waiters, on threads, asyncio and trio."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.config.watch_policy import WatchPolicy
from hodei_k8s_core.errors import (
    ConfigurationError,
    ConnectionFailed,
    NotReady,
    PermissionDenied,
    ProviderClosed,
    ProvisioningTimeout,
)
from hodei_k8s_core.observations import Observation, PodStarted
from hodei_k8s_core.server_time import format_rfc3339
from hodei_k8s_core.verdict import Category, Stage
from hodei_k8s_core.worker import WorkerHandle, WorkerState
from hodei_k8s_core.worker_change import ChangeKind, Freshness, WorkerChange
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.provider import KubernetesProvider
from hodei_k8s_transport.testing.loopback import LiveBody, LoopbackServer, ReceivedRequest, reply
from tests.transport.sides import SyncSide

CONFIG = KubernetesConfig(
    provider_id="tests",
    request_timeout=2.0,
    retry=RetryPolicy(max_attempts=1),
    watch=WatchPolicy(first_delay=0.02, max_delay=0.05),
)
PODS = "/api/v1/namespaces/hodei-workers/pods"
EVENTS = "/api/v1/namespaces/hodei-workers/events"


def ago(seconds: float) -> str:
    return format_rfc3339(time.time() - seconds)


def stuck(worker_id: str, version: int, seconds: float) -> dict[str, Any]:
    """A Pod that has a node, and whose container is not created for `seconds` already; why, only events tell."""
    made = pod(worker_id, version, creationTimestamp=ago(seconds))
    there = {"type": "PodScheduled", "status": "True", "lastTransitionTime": ago(seconds)}
    waiting = {"name": "worker", "ready": False, "state": {"waiting": {"reason": "ContainerCreating"}}}
    status = {"phase": "Pending", "conditions": [there], "containerStatuses": [waiting]}
    return {**made, "spec": {"nodeName": "n1"}, "status": status}


def homeless(worker_id: str, version: int, seconds: float) -> dict[str, Any]:
    """A Pod for which no node is found for `seconds` already."""
    made = pod(worker_id, version, creationTimestamp=ago(seconds))
    none = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": ago(seconds)}
    return {**made, "status": {"phase": "Pending", "conditions": [{**none, "message": "0/1 nodes are available"}]}}


def started(worker_id: str, version: int) -> dict[str, Any]:
    """A Pod that became ready 3 s after it was created."""
    made = pod(worker_id, version, phase="Running", creationTimestamp=ago(10))
    made["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": ago(8)}}
    made["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": ago(7)}]
    return made


def pod(worker_id: str, version: int, *, phase: str = "Pending", uid: str = "", **meta: Any) -> dict[str, Any]:
    labels = {"hodei.io/worker-id": worker_id, "hodei.io/managed": "true", "hodei.io/provider-id": "tests"}
    named = {
        "name": f"hodei-worker-{worker_id}",
        "namespace": "hodei-workers",
        "uid": uid or f"uid-{worker_id}",
        "resourceVersion": str(version),
        "labels": labels,
    }
    worker = {"name": "worker", "ready": phase == "Running", "state": {"running": {}}}
    status = {"phase": phase, "containerStatuses": [worker] if phase == "Running" else []}
    return {"kind": "Pod", "metadata": {**named, **meta}, "status": status}


def handle_of(worker_id: str, uid: str = "") -> WorkerHandle:
    return WorkerHandle(
        worker_id=worker_id,
        provider_resource_id=f"hodei-worker-{worker_id}",
        provider_id="tests",
        created_at=0.0,
        metadata={"namespace": "hodei-workers", "pod_uid": uid or f"uid-{worker_id}"},
    )


class Api:
    """An API server with a list of Pods and a watch that a test writes to."""

    def __init__(self, server: LoopbackServer) -> None:
        self.url = server.url
        self.server = server
        self.listed = [pod("w1", 1)]
        self.watch = LiveBody()
        self.watches = 0
        server.route(PODS, self._answer)

    def _answer(self, request: ReceivedRequest) -> Any:
        if "watch=true" in request.target:
            self.watches += 1
            return self.watch
        meta = {"resourceVersion": "100"}
        return json_reply({"kind": "PodList", "metadata": meta, "items": self.listed})

    def tell(self, kind: str, item: dict[str, Any]) -> None:
        self.watch.send(json.dumps({"type": kind, "object": item}).encode() + b"\n")

    def has(self, item: dict[str, Any]) -> None:
        """What a look at that one Pod gives."""
        self.server.route(f"{PODS}/{item['metadata']['name']}", json_reply(item))

    def lacks(self, worker_id: str) -> None:
        self.server.route(f"{PODS}/hodei-worker-{worker_id}", json_reply({"kind": "Status", "reason": "NotFound"}, 404))

    def tells_of(self, reason: str, message: str = "", worker_id: str = "w1") -> None:
        """What the list of events shows, of that one worker."""
        about = {"kind": "Pod", "name": f"hodei-worker-{worker_id}", "uid": f"uid-{worker_id}"}
        event = {"metadata": {"name": "e"}, "involvedObject": about, "reason": reason, "message": message}
        at = {"firstTimestamp": ago(1), "lastTimestamp": ago(1)}
        self.server.route(EVENTS, json_reply({"kind": "EventList", "metadata": {}, "items": [{**event, **at}]}))

    def event_lists(self) -> int:
        return sum(request.path == EVENTS for request in self.server.requests)

    def looks(self) -> int:
        return sum(request.path.startswith(f"{PODS}/") for request in self.server.requests)


def json_reply(value: dict[str, Any], status: int = 200) -> Any:
    return reply(status, json.dumps(value).encode(), (("content-type", "application/json"),))


@pytest.fixture
def api(server) -> Iterator[Api]:
    return Api(server)


class BlockingFleet:
    """The fleet for threads with methods to await, which block."""

    def __init__(self, fleet: Any) -> None:
        self._fleet = fleet

    async def __aenter__(self) -> BlockingFleet:
        self._fleet.__enter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._fleet.__exit__(*exc_info)

    async def wait_for(self, *args: Any, **options: Any) -> Any:
        return self._fleet.wait_for(*args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)


@contextlib.asynccontextmanager
async def providing(
    side, api: Api, config: KubernetesConfig = CONFIG, observer: Callable[[Observation], None] | None = None
) -> AsyncIterator[Any]:
    async with side.channel(api.url) as channel:
        if not isinstance(side, SyncSide):
            yield AsyncKubernetesProvider(config, channel, observer=observer)
            return
        provider = KubernetesProvider(config, channel.wrapped, observer=observer)
        provider_fleet = provider.fleet
        provider.fleet = lambda **options: BlockingFleet(provider_fleet(**options))  # type: ignore[method-assign,assignment,return-value]
        yield provider


def with_fleet(side, api: Api, test, *, idle: int = 1) -> None:
    """`idle`: connections that may be kept afterwards; that of the watch is not one of them."""

    async def main() -> None:
        async with providing(side, api) as provider:
            async with provider.fleet() as fleet:
                await test(fleet)
            assert await side.until(lambda: api.server.open_connections <= idle)

    side.run(main)


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
