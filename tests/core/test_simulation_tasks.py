"""Many operations at once in virtual time, faults by chance, and what the further faults do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import SILENCE, Emit, Operation, Sleep, Stream
from hodei_k8s_core.errors import ConnectionFailed, HodeiK8sError, TransportError, TransportFault
from hodei_k8s_core.errors import Delivery as Sent
from hodei_k8s_core.operations import create_worker, destroy_worker, get_worker_status, watch_workers
from hodei_k8s_core.simulation import (
    Behaviour,
    Chance,
    ClockJump,
    Cluster,
    DelayEvents,
    DuplicateEvents,
    FaultPlan,
    LoseRequest,
    Rule,
    StallStream,
    Tasks,
    World,
    throttled,
)
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.worker import WorkerState
from tests.core.simulation_operations import reads
from tests.core.simulation_requests import PODS, ask, create, events, get, ready_world, seen, watch

CONFIG = KubernetesConfig()


def spec(number: int) -> WorkerSpec:
    return WorkerSpec(worker_id=f"w-{number}", image="worker:1", server_address="hodei.test:9090")


def life(number: int) -> Operation[WorkerState]:
    handle = yield from create_worker(CONFIG, spec(number))
    yield from Sleep(10.0)
    yield from destroy_worker(CONFIG, handle, grace_period=2)
    return (yield from get_worker_status(CONFIG, handle))


def story(seed: int) -> tuple[list[Any], list[str]]:
    """What a watch saw of ten lives at once, under faults by chance."""
    world = World(seed=seed)
    world.plan.chances = [Chance(0.3, throttled(1)), Chance(0.1, LoseRequest(), "get", "pods")]
    tasks, told = Tasks(world), list[Any]()
    tasks.start("watch", watch_workers(CONFIG), on_emit=told.extend)
    for number in range(10):
        tasks.at(number * 3.0, lambda number=number: tasks.start(f"w-{number}", life(number)))  # type: ignore[misc] # each its own
    tasks.run_until(300.0)
    assert set(tasks.running) == {"watch"}
    assert {tasks.done[f"w-{number}"].result for number in range(10)} == {WorkerState.TERMINATED}
    assert world.pods("hodei-workers") == {}
    tasks.stop("watch")
    assert tasks.done["watch"].bodies_left == 1
    return told, [f"{fault} {request}" for fault, request in world.plan.fired]


def test_many_at_once_are_the_same_every_time() -> None:
    first, again = story(7), story(7)
    assert first == again
    assert len(first[1]) > 5
    assert story(8)[1] != first[1]


def test_each_goes_on_when_its_own_wait_is_over() -> None:
    tasks, order = Tasks(World()), list[str]()

    def sleeps(name: str, seconds: float) -> Operation[None]:
        yield from Sleep(seconds)
        order.append(f"{name} at {tasks.world.now:g}")

    for name, seconds in (("a", 3.0), ("b", 1.0), ("c", 2.0)):
        tasks.start(name, sleeps(name, seconds))
    tasks.run_until(2.5)
    assert order == ["b at 1", "c at 2"]
    tasks.run_until(2.5)
    tasks.run_until(10.0)
    assert order[-1] == "a at 3"
    assert tasks.world.now == 10.0


def test_what_a_task_raises_is_what_became_of_it() -> None:
    tasks, told = Tasks(World(faults=[Rule("", "", LoseRequest(), times=None)])), list[Any]()

    def fails(error: HodeiK8sError) -> Stream[int, None]:
        yield from Emit([1, 2])
        raise error

    tasks.start("a", fails(ConnectionFailed("no")), on_end=told.append)
    tasks.start("b", fails(TransportError(TransportFault.CLOSED, Sent.NOT_SENT, "no")))
    tasks.start("c", reads(get(PODS)))
    tasks.run_until(1.0)
    with pytest.raises(ConnectionFailed):
        _ = tasks.done["a"].result
    assert told == [tasks.done["a"]]
    assert tasks.done["a"].emitted == [1, 2]
    for name in ("b", "c"):
        assert isinstance(tasks.done[name].error, TransportError)


# --- further faults


def test_chances_are_the_same_from_a_seed() -> None:
    def fired(seed: int) -> list[bool]:
        plan = FaultPlan(chances=[Chance(0.5, throttled())], seed=seed)
        return [bool(plan.faults_for(get(PODS))) for _ in range(50)]

    assert fired(1) == fired(1) != fired(2)
    assert 10 < sum(fired(1)) < 40


def test_a_chance_is_of_some_requests_alone() -> None:
    plan = FaultPlan(chances=[Chance(1.0, throttled(), "list", "pods", lambda one: one.parameter("limit") == "1")])
    assert not plan.faults_for(get(f"{PODS}/a"))
    assert not plan.faults_for(get(PODS))
    assert plan.faults_for(get(PODS, limit="1"))


def test_events_that_come_twice() -> None:
    world = World(faults=[Rule("watch", "pods", DuplicateEvents())])
    world.exchange(create())
    told = b"".join(one for one in world.run(reads(watch(timeoutSeconds="4"))).result if isinstance(one, bytes))
    names = seen(told)
    assert len(names) % 2 == 0
    assert names[0] == names[1] == ("ADDED", "a")


def test_events_that_come_late() -> None:
    world = ready_world(faults=[Rule("watch", "pods", DelayEvents(3.0))])
    began = world.now
    outcome = world.run(reads(watch(timeoutSeconds="4"), silence_limit=10.0))
    first, *_, last = outcome.result
    assert isinstance(first, bytes)
    assert seen(first) == [("ADDED", "a")]
    assert next(step.at for step in outcome.effects[1:]) < began + 3.0 <= outcome.effects[2].at
    assert last == b""
    assert outcome.seconds == pytest.approx(7.0, abs=0.1)


def test_the_servers_clock_jumps() -> None:
    world = World(faults=[Rule("get", "version", ClockJump(3600.0))])
    before = world.exchange(get(PODS)).header("date")
    after = world.exchange(get("/version")).header("date")
    assert (before, after) == ("Mon, 21 Sep 2026 14:13:20 GMT", "Mon, 21 Sep 2026 15:13:20 GMT")


# --- history


def test_history_is_compacted_and_watches_from_before_are_too_old() -> None:
    cluster = Cluster(history_limit=20)
    first = ask(cluster, create())["metadata"]["resourceVersion"]
    lazy: Any = cluster.handle(watch(), 0.0)
    eager: Any = cluster.handle(watch(), 0.0)
    for number in range(60):
        body = {"metadata": {"annotations": {"n": str(number)}}}
        ask(cluster, patch_of(body))
        assert eager.read(0.0)
    assert [one["type"] for one in events(lazy.read(0.0))] == ["ADDED", "ERROR"]
    assert lazy.read(0.0) == b""
    late: Any = cluster.handle(watch(resourceVersion=first), 0.0)
    (event,) = events(late.read(0.0))
    assert event["object"]["code"] == 410


def patch_of(body: dict[str, Any]) -> Any:
    from tests.core.simulation_requests import patch

    return patch("a", body)


def test_a_task_without_a_watch_needs_no_news() -> None:
    world = World(behaviours={"worker:1": Behaviour(logs=((1.0, "x"), (2.0, "y")), exit_code=0, run=3.0)})
    world.exchange(create())
    world.advance(1.0)
    tasks = Tasks(world)
    tasks.start("log", reads(get(f"{PODS}/a/log", follow="true")))
    tasks.run_until(20.0)
    assert b"".join(tasks.done["log"].result) == b"x\ny\n"
    assert msgspec.json.encode(sorted(tasks.done)) == b'["log"]'


def test_what_is_late_on_a_silent_reply_keeps_nobody_awake() -> None:
    world = ready_world(faults=[Rule("watch", "pods", DelayEvents(3.0)), Rule("watch", "pods", StallStream(after=10))])
    tasks = Tasks(world)
    world.at(1.0, lambda cluster: cluster.handle(create("b"), world.now))
    tasks.start("watch", reads(watch(timeoutSeconds="60"), silence_limit=30.0))
    tasks.run_until(world.now + 40.0)
    head, end = tasks.done["watch"].result
    assert (len(head), end) == (10, SILENCE)
