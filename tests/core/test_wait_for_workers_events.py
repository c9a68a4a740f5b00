"""Waiting for many workers: troubles that only events tell are seen by one list for all, and starts are observed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core import operations
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.errors import NotReady, ProvisioningTimeout
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.observations import PodStarted
from hodei_k8s_core.operations.pod_events import EventsOfMany, read_events_of_many
from hodei_k8s_core.simulation.behaviour import Behaviour, Unschedulable, Waits
from hodei_k8s_core.simulation.driver import Outcome
from hodei_k8s_core.simulation.faults import Answer, Rule
from hodei_k8s_core.simulation.world import World
from hodei_k8s_core.verdict import Category
from hodei_k8s_core.worker import WorkerHandle, WorkerState
from tests.core.test_wait_for_workers import BEHAVIOURS, CONFIG, created
from tests.core.watch_script import Script, status

STUCK = Waits((("ContainerCreating", ""),))
PATIENT = KubernetesConfig(
    provider_id="tests", startup=StartupPolicy(schedule=60, scale_up=200, pull=90, start=30, ready=45)
)


def stuck_world(count: int, fail: Any = STUCK) -> tuple[World, list[WorkerHandle]]:
    world = World(behaviours={"service:1": Behaviour(), "stuck:1": Behaviour(fail=fail, pull=1000.0)})
    return world, [created(world, f"stuck{n}", "stuck:1") for n in range(count)]


def add_event(world: World, handle: WorkerHandle, reason: str, message: str) -> None:
    now = world.cluster.clock.timestamp(world.now)
    about = {"kind": "Pod", "name": handle.pod_name, "uid": handle.pod_uid}
    meta = {"name": f"{handle.pod_name}.{reason}", "namespace": PATIENT.namespace}
    times = {"firstTimestamp": now, "lastTimestamp": now}
    world.cluster.add_event({"metadata": meta, "involvedObject": about, "reason": reason, "message": message, **times})


def event_lists(outcome: Outcome[Any]) -> list[Request]:
    return [request for request in outcome.requests if request.path.endswith("/events")]


def test_a_trouble_that_only_events_tell_ends_the_wait_of_just_that_worker() -> None:
    world, handles = stuck_world(2)
    message = 'MountVolume.SetUp failed for volume "v" : secret "absent" not found'
    world.at(2, lambda _: add_event(world, handles[1], "FailedMount", message))
    outcome = world.run(operations.wait_for_workers(PATIENT, handles, timeout=40))
    first, second = outcome.result
    assert isinstance(second.error, NotReady)
    assert second.error.verdict.category is Category.VOLUME_UNAVAILABLE
    assert '"absent" not found' in str(second.error)
    assert isinstance(first.error, ProvisioningTimeout)
    assert outcome.bodies_left <= 1


def test_many_stuck_workers_are_one_list_of_events_per_recheck() -> None:
    world, handles = stuck_world(30)
    outcome = world.run(operations.wait_for_workers(PATIENT, handles, timeout=40))
    asked = event_lists(outcome)
    assert 2 <= len(asked) <= 8
    assert {request.parameter("fieldSelector") for request in asked} == {"involvedObject.kind=Pod"}
    assert all(isinstance(one.error, ProvisioningTimeout) for one in outcome.result)


def test_where_all_is_well_no_events_are_asked_for_and_each_start_is_observed_once() -> None:
    world = World(behaviours=BEHAVIOURS)
    handles = [created(world, "w1"), created(world, "w2")]
    outcome = world.run(operations.wait_for_workers(CONFIG, [*handles, handles[0]]))
    assert event_lists(outcome) == []
    starts = [told for told in outcome.observations if isinstance(told, PodStarted)]
    assert [told.image for told in starts] == ["service:1", "service:1"]
    assert all(0 <= told.seconds < 10 for told in starts)
    alone = world.run(operations.wait_for_worker(CONFIG, handles[0]))
    assert [told for told in alone.observations if isinstance(told, PodStarted)] == starts[:1]


def test_what_ends_otherwise_is_no_start() -> None:
    world = World(behaviours=BEHAVIOURS)
    handles = [created(world, "w1", "job:1")]
    outcome = world.run(operations.wait_for_workers(CONFIG, handles, until=WorkerState.TERMINATED))
    assert outcome.result[0].is_success
    assert not any(isinstance(told, PodStarted) for told in outcome.observations)


def test_a_node_that_is_being_added_is_waited_for_longer_than_the_pod_alone_allows() -> None:
    world, handles = stuck_world(1, Unschedulable())
    world.at(20, lambda _: add_event(world, handles[0], "TriggeredScaleUp", "1->2"))
    outcome = world.run(operations.wait_for_workers(PATIENT, handles, timeout=600))
    assert isinstance(outcome.result[0].error, ProvisioningTimeout)
    assert outcome.seconds > PATIENT.startup.schedule + 60


def test_without_the_permission_the_evidence_tells_it() -> None:
    world, handles = stuck_world(2, Unschedulable())
    refusal = b'{"kind":"Status","status":"Failure","reason":"Forbidden","message":"no events for you","code":403}'
    world.plan.add(Rule("list", "events", Answer(403, refusal), times=None))
    outcome = world.run(operations.wait_for_workers(PATIENT, handles, timeout=600))
    for one in outcome.result:
        assert isinstance(one.error, ProvisioningTimeout)
        assert "no events for you" in str(one.error.verdict.evidence)
    assert outcome.seconds == pytest.approx(PATIENT.startup.schedule, abs=3)


def test_of_others_in_view_no_events_are_asked_for() -> None:
    world, _ = stuck_world(1)
    handles = [created(world, f"x{n}-{'x' * 50}") for n in range(40)]
    world.advance(30)
    outcome = world.run(operations.wait_for_workers(PATIENT, handles))
    assert all(one.is_success for one in outcome.result)
    assert event_lists(outcome) == []


def events_page(number: int, uid: str, token: str) -> Response:
    about = {"kind": "Pod", "uid": uid}
    item = {"metadata": {"name": f"e{number}"}, "involvedObject": about, "reason": f"R{number}"}
    return Response(
        200, (), msgspec.json.encode({"kind": "EventList", "metadata": {"continue": token}, "items": [item]})
    )


def read_pages(*replies: Any) -> tuple[EventsOfMany, list[Request]]:
    script = Script(*replies)
    found = script.run(read_events_of_many(CONFIG, {"u1", "u2"}))
    return found, [effect.request for effect in script.asked]


def test_pages_are_read_to_the_end_and_only_what_was_asked_for_is_kept() -> None:
    pages = [events_page(1, "u1", "t1"), events_page(2, "other", "t2"), events_page(3, "u1", "")]
    found, requests = read_pages(*pages)
    assert {uid: [event.reason for event in events] for uid, events in found.by_uid.items()} == {"u1": ["R1", "R3"]}
    assert found.unreadable == ""
    assert [request.parameter("continue") for request in requests] == [None, "t1", "t2"]
    assert {request.parameter("limit") for request in requests} == {"500"}


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (status(410, "Expired"), "410"),
        (Response(200, (), b'{"kind":"PodList"}'), "not an EventList"),
    ],
)
def test_a_page_that_fails_leaves_what_was_read_and_is_told(reply: Any, words: str) -> None:
    found, _ = read_pages(events_page(1, "u1", "t1"), reply)
    assert list(found.by_uid) == ["u1"]
    assert words in found.unreadable


def test_a_list_without_an_end_is_cut_and_told() -> None:
    found, requests = read_pages(*(events_page(n, "u1", f"t{n}") for n in range(30)))
    assert (len(requests), len(found.by_uid["u1"])) == (20, 20)
    assert "more than 10000" in found.unreadable


def test_workers_that_get_stuck_one_after_the_other_share_their_lists_too() -> None:
    world, handles = stuck_world(1)
    for number in range(1, 8):
        world.advance(1)
        handles.append(created(world, f"stuck{number}", "stuck:1"))
    outcome = world.run(operations.wait_for_workers(PATIENT, handles, timeout=21))
    assert 2 <= len(event_lists(outcome)) <= 5
