"""The timeline: from a Pod, from its events, from recordings; and the durations of its phases."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from hodei_k8s_core.diagnosis import timeline
from hodei_k8s_core.event_list import parse_event_list
from hodei_k8s_core.pod import parse_pod
from hodei_k8s_core.timeline import Milestone, Timeline
from tests.core.made_pods import T0, condition, container, event, pod, running, terminated, waiting
from tests.recordings import V1_36, load

WORKER = "spec.containers{worker}"
EVENTS = [
    event("Scheduled", last=0.5),
    event("Pulling", last=40, first=3, count=2, field=WORKER),
    event("Pulled", last=9, field="spec.containers{proxy}"),
    event("Pulled", last=44, field=WORKER),
    event("Started", last=46, field=WORKER),
]


def seconds(of: Timeline) -> dict[str, float]:
    return {name: milestone.at - T0 for name, milestone in of.reached.items()}


def test_a_whole_life() -> None:
    of = pod("Failed", container(terminated(3, start=45, end=60)), conditions=(condition("PodScheduled"),), deleted=70)
    life = timeline(of, EVENTS)
    assert seconds(life) == {
        "created": 0, "scheduled": 1, "pulling": 3, "pulled": 44, "started": 45, "finished": 60, "deleted": 70,
    }  # fmt: skip
    assert life.durations == {"schedule": 1, "prepare": 2, "pull": 41, "start": 1, "run": 15}
    assert [milestone.source for milestone in life.reached.values()] == [
        "metadata.creationTimestamp",
        "condition PodScheduled",
        "event Pulling",
        "event Pulled",
        "container worker terminated.startedAt",
        "container worker terminated.finishedAt",
        "metadata.deletionTimestamp",
    ]


def test_a_worker_that_is_ready() -> None:
    conditions = (condition("PodScheduled"), condition("Ready", since=30))
    life = timeline(pod("Running", container(running(since=20), ready=True), conditions=conditions))
    assert seconds(life) == {"created": 0, "scheduled": 1, "started": 20, "ready": 30}
    assert life.durations == {"schedule": 1, "start": 19, "ready": 10}
    assert life.ready == Milestone(T0 + 30, "condition Ready")


def test_the_run_before_a_restart_counts_while_there_is_no_other() -> None:
    life = timeline(pod("Running", container(waiting("CrashLoopBackOff"), last=terminated(1, start=5, end=6))))
    assert (seconds(life)["started"], seconds(life)["finished"]) == (5, 6)


def test_events_stand_in_for_what_the_pod_does_not_tell() -> None:
    life = timeline(pod(conditions=()), EVENTS)
    assert life.scheduled == Milestone(T0 + 0.5, "event Scheduled")
    assert life.started == Milestone(T0 + 46, "event Started")


def test_what_has_not_happened_is_not_told() -> None:
    fresh = pod(conditions=(condition("PodScheduled", "False"), condition("Ready", "False")))
    assert list(timeline(fresh).reached) == ["created"]
    never_ran = pod("Failed", container(terminated(128, "StartError", start=None)))
    assert timeline(never_ran).started is None


def test_events_of_another_pod_and_without_a_time_do_not_count() -> None:
    of = pod(conditions=())
    other = msgspec.structs.replace(of, metadata=msgspec.structs.replace(of.metadata, uid="uid-2"))
    assert timeline(other, EVENTS).pulled is None
    undated = msgspec.structs.replace(EVENTS[3], first_timestamp=None, last_timestamp=None)
    assert timeline(of, [undated]).pulled is None


def test_clocks_that_differ_give_no_negative_duration() -> None:
    life = Timeline(created=Milestone(10, "a"), scheduled=Milestone(9, "b"))
    assert life.durations == {"schedule": 0}


@pytest.mark.parametrize("scenario", V1_36)
def test_recorded_lives_are_in_order(scenario: str) -> None:
    recording = load(f"v1.36/{scenario}")
    events = parse_event_list(recording.bodies("events")[0]).items
    life = timeline(parse_pod(recording.bodies("get")[0]), events)
    times = [milestone.at for milestone in life.reached.values()]
    assert times[0] == life.created.at  # type: ignore[union-attr] # every Pod was created
    # The kubelet's times are whole seconds, cut; an event's can be finer.
    assert all(later - earlier > -1 for earlier, later in pairwise(times))
    assert ("started" in life.reached) == (scenario in RAN)
    assert msgspec.json.decode(msgspec.json.encode(life), type=Timeline) == life


RAN = {
    "deadline-exceeded", "fails-exit-3", "finalizer-blocks-delete", "oom-killed", "ready-then-running", "restarts",
    "sidecar-still-running", "succeeds",
}  # fmt: skip
