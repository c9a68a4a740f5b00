"""What has been written so far, and what stands in the way of it; and what an item of a log is for a program."""

from __future__ import annotations

import pytest

from hodei_k8s_core import operations
from hodei_k8s_core.errors import ProviderSpecific, WorkerNotFound
from hodei_k8s_core.log_entry import GapReason, LogEntry, LogGap, LogRestart
from hodei_k8s_core.operations.handles import handle_for_id
from hodei_k8s_core.simulation import Answer, Behaviour, Rule, World, image_cannot_be_pulled
from hodei_k8s_core.simulation.statuses import failure
from hodei_k8s_core.simulation.wire import encode
from tests.core.operation_cases import CONFIG, JOB, SPEC, created, ended, messages

COMPLAINT = b"failed to create fsnotify watcher: too many open files"


def test_a_container_that_has_not_started_has_no_lines() -> None:
    world = World(behaviours={SPEC.image: Behaviour(fail=image_cannot_be_pulled(SPEC.image))})
    handle = created(world)
    world.advance(2.0)
    assert world.run(operations.get_worker_logs(CONFIG, handle)).result == []


def test_a_worker_without_a_pod_is_not_found() -> None:
    outcome = World().run(operations.get_worker_logs(CONFIG, handle_for_id("nobody", CONFIG)))
    assert isinstance(outcome.error, WorkerNotFound)


def test_what_the_kubelet_says_in_place_of_the_log_is_an_error_and_no_line() -> None:
    world = World(behaviours={SPEC.image: JOB})
    handle = ended(world)
    world.plan.add(Rule("get", "pods/log", Answer(200, COMPLAINT, (("content-type", "text/plain"),))))
    outcome = world.run(operations.get_worker_logs(CONFIG, handle))
    assert isinstance(outcome.error, ProviderSpecific)
    assert outcome.error.retryable
    assert COMPLAINT.decode() in str(outcome.error)


def test_a_refusal_of_the_log_is_told() -> None:
    world = World(behaviours={SPEC.image: JOB})
    handle = ended(world)
    world.plan.add(Rule("get", "pods/log", Answer(400, encode(failure(400, "BadRequest", "container x is not valid")))))
    outcome = world.run(operations.get_worker_logs(CONFIG, handle))
    assert isinstance(outcome.error, ProviderSpecific)
    assert "container x is not valid" in str(outcome.error)


@pytest.mark.parametrize(
    ("behaviour", "told"), [(Behaviour(), ["hello"]), (JOB, ["hello", "by"])], ids=["running", "ended"]
)
def test_a_line_that_is_being_written_is_left_out(behaviour: Behaviour, told: list[str]) -> None:
    """What ended without a newline has a last line all the same."""
    world = World(behaviours={SPEC.image: behaviour})
    handle = created(world)
    world.advance(60)
    stamp = b"2026-09-21T14:13:20.000000000Z"
    text = stamp + b" hello\n" + stamp + b" by"
    world.plan.add(Rule("get", "pods/log", Answer(200, text, (("content-type", "text/plain"),))))
    assert messages(world.run(operations.get_worker_logs(CONFIG, handle)).result) == told


def test_lines_since_a_time() -> None:
    world = World(behaviours={SPEC.image: JOB})
    handle = ended(world)
    entries = world.run(operations.get_worker_logs(CONFIG, handle)).result
    later = world.run(operations.get_worker_logs(CONFIG, handle, since=entries[1].timestamp)).result
    assert messages(later) == messages(entries[1:])


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (
            LogEntry(1, "ERROR: no"),
            {"timestamp": 1, "level": "ERROR", "message": "ERROR: no", "source": "worker", "partial": False},
        ),
        (LogGap(reason=GapReason.ROTATED, since=1, until=2), {"gap": "rotated", "since": 1, "until": 2}),
        (LogRestart(restarts=2), {"restarts": 2, "source": "worker"}),
    ],
)
def test_an_item_as_json(item: LogEntry | LogGap | LogRestart, told: dict[str, object]) -> None:
    document = item.to_dict()
    assert told.items() <= document.items()
    assert document["message"] == item.message
    assert document["cursor"] == item.cursor


def test_a_report_on_a_pod_that_goes_before_the_delete() -> None:
    world = World(behaviours={SPEC.image: JOB})
    handle = ended(world)
    gone = Answer(404, encode(failure(404, "NotFound", 'pods "hodei-worker-w1" not found')), acting=True)
    world.plan.add(Rule("delete", "pods", gone))
    report = world.run(operations.destroy_worker_with_report(CONFIG, handle)).result
    assert report.exit_code == 3
