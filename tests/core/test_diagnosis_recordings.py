"""Recorded Pods, replayed byte for byte: the verdict, and when it is given first. One row a scenario.

The clock is the cluster's: the creation of the Pod and the seconds of the recording since then.
"""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core.config.startup_policy import DEFAULT_POLICY
from hodei_k8s_core.diagnosis import diagnose, examine
from hodei_k8s_core.event_list import parse_event_list
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.verdict import Blame, Category, CauseKind, Verdict
from tests.recordings import V1_36, Recording, load

SOON, LATE = 0.0, DEFAULT_POLICY.settle

# scenario: category, blame, terminal, retryable; how many seconds after the cause is first in the Pod it is told
VERDICTS = {
    "command-not-found": (Category.START_FAILED, Blame.IMAGE, True, False, SOON),
    "deadline-exceeded": (Category.DEADLINE_EXCEEDED, Blame.WORKER, True, False, SOON),
    "fails-exit-3": (Category.EXITED, Blame.WORKER, True, False, SOON),
    "finalizer-blocks-delete": None,
    "image-never-pull": (Category.IMAGE_UNAVAILABLE, Blame.IMAGE, True, False, SOON),
    "image-pull-error": (Category.IMAGE_UNAVAILABLE, Blame.PLATFORM, False, True, SOON),
    "invalid-image-name": (Category.IMAGE_INVALID, Blame.IMAGE, True, False, SOON),
    # What is missing may be about to be made, so these are told when the Pod has a certain age.
    "missing-pvc": (Category.VOLUME_UNAVAILABLE, Blame.CONFIGURATION, True, False, LATE),
    "missing-secret-env": (Category.CONFIG_INVALID, Blame.CONFIGURATION, True, False, LATE),
    "oom-killed": (Category.OUT_OF_MEMORY, Blame.WORKER, True, False, SOON),
    "ready-then-running": None,
    "restarts": (Category.CRASH_LOOP, Blame.WORKER, False, False, SOON),
    "sidecar-still-running": None,
    "succeeds": None,
    "unschedulable-cpu": (Category.UNSCHEDULABLE, Blame.CAPACITY, False, True, SOON),
    "unschedulable-gpu": (Category.UNSCHEDULABLE, Blame.CAPACITY, False, True, SOON),
    "unschedulable-selector": (Category.UNSCHEDULABLE, Blame.CONFIGURATION, False, True, SOON),
}

# What the Pod looked like when its trouble first showed: seconds of the recording, and a word of the summary.
FIRST = {
    "command-not-found": (2.27, "/no/such/program"),
    "deadline-exceeded": (6.38, "3 s"),
    "fails-exit-3": (1.44, "exit code 3"),
    "image-never-pull": (0.99, "pull policy of Never"),
    "image-pull-error": (1.35, "could not be reached"),
    "invalid-image-name": (0.94, "must be lowercase"),
    "missing-pvc": (0.34, '"absent"'),
    "missing-secret-env": (0.96, 'secret "absent" not found'),
    "oom-killed": (3.0, "memory"),
    "restarts": (2.0, "exit code 1"),  # before it is restarted it has simply ended
    "unschedulable-cpu": (0.34, "not even when it is empty: 1 Insufficient cpu"),
    "unschedulable-gpu": (0.34, "nvidia.com/gpu"),
    "unschedulable-selector": (0.33, "affinity/selector"),
}


class Look(msgspec.Struct, frozen=True):
    """A Pod as it was told, `at` seconds into the recording; `now` by the cluster's clock."""

    at: float
    now: float
    pod: Pod


class _Event(msgspec.Struct):
    object: msgspec.Raw


def looks(recording: Recording) -> list[Look]:
    told: list[tuple[float, bytes]] = []
    for step in recording.steps:
        told += [(line.at, bytes(msgspec.json.decode(line.line, type=_Event).object)) for line in step.response.lines]
        if step.note in ("create", "get", "delete"):
            told.append((step.at, step.response.body.encode()))
    pods = [(at, parse_pod(data)) for at, data in told if b'"kind":"Pod"' in data[:40]]
    created_at = pods[0][1].metadata.created_at
    assert created_at is not None
    begin = created_at - pods[0][0]
    return [Look(at, begin + at, pod) for at, pod in pods]


def read_by_the_recorder(scenario: str) -> Look:
    """Its last look before it deleted the Pod."""
    recording = load(f"v1.36/{scenario}")
    at = next(step.at for step in recording.steps if step.note == "get")
    return next(look for look in looks(recording) if look.at == at)


def test_every_recording_has_a_row() -> None:
    assert set(V1_36) == set(VERDICTS)
    assert set(FIRST) == {name for name, row in VERDICTS.items() if row is not None}


@pytest.mark.parametrize("scenario", V1_36)
def test_the_verdict_on_the_pod_as_it_was_read(scenario: str) -> None:
    look, row = read_by_the_recorder(scenario), VERDICTS[scenario]
    late = row[-1] if row is not None else 0.0
    verdict = diagnose(look.pod, now=look.now + late)
    if row is None:
        assert verdict is None
        return
    assert verdict is not None
    assert (verdict.category, verdict.blame, verdict.terminal, verdict.retryable) == row[:4]
    assert verdict.evidence
    assert all(item.source and item.says for item in verdict.evidence)


@pytest.mark.parametrize("scenario", FIRST)
def test_when_it_is_told_first(scenario: str) -> None:
    """At the very change that shows the cause; or, for what may be made yet, as soon as it is late for that."""
    row = VERDICTS[scenario]
    assert row is not None
    at, words = FIRST[scenario]
    later = row[-1]
    told = [(look, diagnose(look.pod, now=look.now + later)) for look in looks(load(f"v1.36/{scenario}"))]
    first, verdict = next((look, verdict) for look, verdict in told if verdict is not None)
    assert first.at == pytest.approx(at, abs=0.006)
    assert verdict is not None
    assert words in verdict.summary
    if later:
        found = examine(first.pod, now=first.now)
        assert found.verdict is None
        assert found.recheck_after == pytest.approx(later - first.at + 0.34, abs=0.02)


@pytest.mark.parametrize("scenario", ["fails-exit-3", "command-not-found", "oom-killed", "deadline-exceeded"])
def test_how_it_ended_is_part_of_it_and_stays_when_the_pod_is_deleted(scenario: str) -> None:
    all_looks = looks(load(f"v1.36/{scenario}"))
    assert all_looks[-1].pod.is_deleting
    last = diagnose(all_looks[-1].pod, now=all_looks[-1].now)
    assert last is not None
    assert last.category is VERDICTS[scenario][0]  # type: ignore[index] # it has a row
    if scenario != "deadline-exceeded":
        code, signal = {"fails-exit-3": (3, ""), "command-not-found": (128, ""), "oom-killed": (137, "SIGKILL")}[
            scenario
        ]
        assert (last.exit_code, last.signal) == (code, signal)


@pytest.mark.parametrize("scenario", [name for name, row in VERDICTS.items() if row is None])
def test_nothing_is_wrong_with_what_went_well_or_was_told_to_end(scenario: str) -> None:
    assert {diagnose(look.pod, now=look.now) for look in looks(load(f"v1.36/{scenario}"))} == {None}


def test_a_worker_that_never_started_has_no_fault_of_its_own_when_it_is_deleted() -> None:
    for scenario in ("image-never-pull", "invalid-image-name", "missing-secret-env", "image-pull-error"):
        deleting = [look for look in looks(load(f"v1.36/{scenario}")) if look.pod.is_deleting]
        assert {diagnose(look.pod, now=look.now) for look in deleting} == {None}


def test_what_a_finalizer_holds_is_stuck_when_it_is_late() -> None:
    last = looks(load("v1.36/finalizer-blocks-delete"))[-1]
    assert diagnose(last.pod, now=last.now + DEFAULT_POLICY.end - 2) is None
    stuck = diagnose(last.pod, now=last.now + DEFAULT_POLICY.end + 2)
    assert stuck is not None
    assert (stuck.category, stuck.terminal) == (Category.TERMINATING_STUCK, True)
    assert stuck.finalizers == last.pod.metadata.finalizers != ()


@pytest.mark.parametrize(
    ("scenario", "kind", "reason"),
    [
        ("unschedulable-cpu", CauseKind.CAPACITY, "Insufficient cpu"),
        ("unschedulable-gpu", CauseKind.CAPACITY, "Insufficient nvidia.com/gpu"),
        ("unschedulable-selector", CauseKind.SELECTOR, "node(s) didn't match Pod's node affinity/selector"),
    ],
)
def test_the_causes_of_the_scheduler(scenario: str, kind: CauseKind, reason: str) -> None:
    look = read_by_the_recorder(scenario)
    verdict = diagnose(look.pod, now=look.now)
    assert verdict is not None
    assert verdict.nodes == 1
    assert [(cause.kind, cause.reason, cause.nodes) for cause in verdict.causes] == [(kind, reason, 1)]


@pytest.mark.parametrize("scenario", V1_36)
def test_its_events_change_no_verdict_that_the_pod_gives(scenario: str) -> None:
    look, row = read_by_the_recorder(scenario), VERDICTS[scenario]
    events = parse_event_list(load(f"v1.36/{scenario}").bodies("events")[0]).items
    late = row[-1] if row is not None else 0.0
    with_events = diagnose(look.pod, events, now=look.now + late)
    without = diagnose(look.pod, now=look.now + late)
    assert (with_events and with_events.category) == (without and without.category)


def test_a_verdict_survives_a_trip_through_json() -> None:
    look = read_by_the_recorder("unschedulable-gpu")
    verdict = diagnose(look.pod, now=look.now)
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict
