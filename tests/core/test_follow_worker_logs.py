"""Following a log in a simulated cluster, across every break: each line once, in order, or a gap that says so."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core import operations
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import StopRequested
from hodei_k8s_core.errors import ConfigurationError, ConnectionFailed, PermissionDenied, WorkerNotFound
from hodei_k8s_core.http import Request
from hodei_k8s_core.log_entry import GapReason, LogEntry, LogGap, LogRestart
from hodei_k8s_core.manifest import encode_worker_pod
from hodei_k8s_core.observations import LogReconnected
from hodei_k8s_core.requests import create_pod, delete_pod
from hodei_k8s_core.simulation import (
    Answer,
    Behaviour,
    CutStream,
    LoseRequest,
    Rule,
    StallStream,
    Throw,
    World,
    image_cannot_be_pulled,
    server_error,
)
from hodei_k8s_core.simulation.wire import EPOCH
from hodei_k8s_core.worker import WorkerHandle
from tests.core.operation_cases import CONFIG, SPEC

# Several lines in one moment, some in one second, some seconds apart.
TIMES = (0.0, 0.0, 0.0, 0.4, 0.9, 1.0, 1.0, 1.1, 4.0, 4.5, 4.5, 7.25)
LINES = [f"line {number}" for number in range(len(TIMES))]
TALKS = Behaviour(
    logs=tuple(zip(TIMES, LINES, strict=True)), exit_code=0, run=8.0, schedule=0, pull=0, start=0, ready=0
)
GOES_ON = msgspec.structs.replace(TALKS, exit_code=None, on_term=("stopping", "stopped"))
COMPLAINT = b"failed to create fsnotify watcher: too many open files"


def world_with(behaviour: Behaviour = TALKS, **options: Any) -> tuple[World, WorkerHandle]:
    world = World(behaviours={"job:1": behaviour}, **options)
    return world, world.run(operations.create_worker(CONFIG, SPEC)).result


def restarting(behaviour: Behaviour) -> tuple[World, WorkerHandle]:
    """A worker that somebody else lets restart."""
    world = World(behaviours={"job:1": behaviour})
    pod = msgspec.json.decode(encode_worker_pod(SPEC, CONFIG, creation_token="t"))
    pod["spec"]["restartPolicy"] = "Always"
    made = msgspec.json.decode(world.exchange(create_pod(CONFIG.namespace, msgspec.json.encode(pod))).body)
    handle = WorkerHandle(
        worker_id="w1",
        provider_resource_id=made["metadata"]["name"],
        provider_id=CONFIG.provider_id,
        created_at=0.0,
        metadata={"namespace": CONFIG.namespace, "pod_uid": made["metadata"]["uid"]},
    )
    return world, handle


def delete_in(world: World, handle: WorkerHandle, seconds: float) -> None:
    """Somebody else deletes the Pod."""
    at = world.now + seconds
    world.at(seconds, lambda cluster: cluster.handle(delete_pod(CONFIG.namespace, handle.pod_name), at))


def follow(world: World, handle: WorkerHandle, **options: Any) -> Any:
    return world.run(operations.follow_worker_logs(CONFIG, handle, **options), max_effects=50_000)


def told(items: list[Any]) -> list[str]:
    """Entries as they are, the others by kind."""
    return [item.message if isinstance(item, LogEntry) else _kind(item) for item in items]


def _kind(item: LogGap | LogRestart) -> str:
    return f"gap: {item.reason.value}" if isinstance(item, LogGap) else f"restart {item.restarts}"


def size_of_log() -> int:
    return len("2026-09-21T14:13:20.000000000Z \n") * len(LINES) + len("".join(LINES))


def log_requests(outcome: Any) -> list[Request]:
    return [request for request in outcome.requests if request.path.endswith("/log")]


def test_every_line_once_and_the_cursor_at_the_end() -> None:
    world, handle = world_with()
    outcome = follow(world, handle)
    assert told(outcome.emitted) == LINES
    assert outcome.result == outcome.emitted[-1].cursor
    assert [entry.timestamp for entry in outcome.emitted] == sorted(entry.timestamp for entry in outcome.emitted)
    assert outcome.bodies_left == 0


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("max_chunk", [None, 7])
def test_cut_at_every_byte(clean: bool, max_chunk: int | None) -> None:
    for after in range(0, size_of_log() + 2, 1 if max_chunk is None else 11):
        world, handle = world_with(max_chunk=max_chunk)
        world.plan.add(Rule("get", "pods/log", CutStream(after, clean=clean)))
        assert told(follow(world, handle).emitted) == LINES, after


@pytest.mark.parametrize("clean", [False, True])
def test_every_connection_is_cut(clean: bool) -> None:
    """Each one brings something new, so that the log comes to its end; what comes again is dropped."""
    for after in range(400, 700, 37):
        world, handle = world_with()
        world.plan.add(Rule("get", "pods/log", CutStream(after, clean=clean), times=40))
        assert told(follow(world, handle).emitted) == LINES, after


def test_silence_is_looked_behind() -> None:
    for after in range(0, size_of_log(), 29):
        world, handle = world_with()
        world.plan.add(Rule("get", "pods/log", StallStream(after)))
        outcome = follow(world, handle)
        assert told(outcome.emitted) == LINES, after
    assert LogReconnected("silent") in outcome.observations


def test_a_quiet_log_costs_a_request_now_and_then() -> None:
    world, handle = world_with(Behaviour(logs=((0.0, "a"), (1000.0, "b")), exit_code=0, run=1001.0))
    outcome = follow(world, handle)
    assert told(outcome.emitted) == ["a", "b"]
    assert len(log_requests(outcome)) < 1000 / CONFIG.silence_limit + 6


def test_a_complaint_of_the_kubelet_is_a_break() -> None:
    """A node without inotify instances serves what there is, and is asked again: lines come with a delay."""
    for after in (0, 38 * 3, 38 * 10):
        world, handle = world_with()
        world.plan.add(Rule("get", "pods/log", CutStream(after, saying=COMPLAINT), times=3))
        outcome = follow(world, handle)
        assert told(outcome.emitted) == LINES
        assert LogReconnected("complaint") in outcome.observations


def test_a_complaint_within_a_line_spoils_none() -> None:
    world, handle = world_with()
    world.plan.add(Rule("get", "pods/log", CutStream(38 * 3 - 2, saying=COMPLAINT)))
    assert told(follow(world, handle).emitted) == LINES


def test_a_log_that_cannot_be_had_is_a_gap() -> None:
    world, handle = world_with()
    world.advance(20)
    told_by_kubelet = b"unable to retrieve container logs for containerd://1"
    world.plan.add(Rule("get", "pods/log", CutStream(0, saying=told_by_kubelet), times=None))
    outcome = follow(world, handle)
    assert told(outcome.emitted) == ["gap: unavailable"]
    assert outcome.emitted[0].detail == told_by_kubelet.decode()
    assert outcome.seconds < 60


def test_a_refusal_without_end_of_a_finished_container_is_a_gap() -> None:
    world, handle = world_with()
    world.advance(20)
    refusal = Answer(400, b'{"kind":"Status","code":400,"message":"container is waiting to start: x"}')
    world.plan.add(Rule("get", "pods/log", refusal, times=None))
    assert told(follow(world, handle).emitted) == ["gap: unavailable"]


@pytest.mark.parametrize("lines_before", range(1, len(LINES) + 1))
def test_a_cursor_goes_on_in_another_process(lines_before: int) -> None:
    world, handle = world_with()
    cursor = follow(world, handle).emitted[lines_before - 1].cursor
    assert told(follow(world, handle, since=cursor).emitted) == LINES[lines_before:]


def test_a_rotation_while_a_stream_is_open_loses_nothing() -> None:
    world, handle = world_with()
    world.at(1.05, lambda cluster: cluster.rotate_logs(1.05))
    outcome = follow(world, handle)
    assert told([item for item in outcome.emitted if isinstance(item, LogEntry)]) == LINES


@pytest.mark.parametrize("rotated", [0.5, 1.05, 4.2, 4.6])
def test_what_a_rotation_took_is_a_gap(rotated: float) -> None:
    """Read up to 1.05 s; what was written until `rotated` is gone, the rest comes once."""
    world, handle = world_with()
    world.plan.add(Rule("get", "pods/log", CutStream(38 * 7)))
    for request in ("get", "list"):
        world.plan.add(Rule(request, "pods", LoseRequest(), nth=2, times=6))
    world.at(rotated, lambda cluster: cluster.rotate_logs(rotated))
    items = follow(world, handle).emitted
    entries = [item for item in items if isinstance(item, LogEntry)]
    gaps = [item for item in items if isinstance(item, LogGap)]
    gone = [line for at, line in zip(TIMES, LINES, strict=True) if 1.05 < at <= rotated]
    assert told(entries) == [line for line in LINES if line not in gone]
    if gone:
        (gap,) = gaps
        assert gap.reason is GapReason.ROTATED
        assert gap.since == entries[6].timestamp
        assert gap.until == entries[7].timestamp
        assert "rotated" in gap.message
        assert told(follow(world, handle, since=gap.cursor).emitted) == told(entries)[7:]


def test_a_rotation_that_took_all_is_told_at_the_latest_at_the_end() -> None:
    world, handle = world_with()
    entry = follow(world, handle).emitted[3]
    world, handle = world_with(GOES_ON)
    world.advance(9)
    world.cluster.rotate_logs(world.now)
    delete_in(world, handle, 600)
    gap, *rest = follow(world, handle, since=entry.cursor).emitted
    assert (gap.reason, gap.since) == (GapReason.ROTATED, entry.timestamp)
    assert told(rest) == ["stopping", "stopped"]


def test_a_restart_is_marked_and_the_rest_of_the_run_before_comes_first() -> None:
    behaviour = msgspec.structs.replace(TALKS, logs=((0.0, "begin"), (1.5, "end")), run=2.0, exit_code=1)
    world, handle = restarting(behaviour)
    world.plan.add(Rule("get", "pods/log", CutStream(40)))
    world.plan.add(Rule("get", "pods", LoseRequest(), nth=2, times=3))
    delete_in(world, handle, 6.0)
    items = follow(world, handle).emitted
    assert told(items) == ["begin", "end", "restart 1", "begin", "end"]
    assert items[2].restarts == 1
    assert "1. restart" in items[2].message
    assert len({item.cursor for item in items}) == 5
    for place, item in enumerate(items[:2]):
        world, handle = restarting(behaviour)
        world.advance(3.5)
        delete_in(world, handle, 2.5)
        assert told(follow(world, handle, since=item.cursor).emitted) == told(items)[place + 1 :]


def test_runs_that_were_missed_are_a_gap() -> None:
    behaviour = msgspec.structs.replace(TALKS, logs=((0.0, "begin"), (0.5, "end")), run=1.0, exit_code=1)
    world, handle = restarting(behaviour)
    world.advance(0.2)
    cursor = (
        world.run(
            operations.follow_worker_logs(CONFIG, handle),
            on_emit=lambda items: Throw(StopRequested()) if items else None,
        )
        .emitted[0]
        .cursor
    )
    world.advance(40)
    delete_in(world, handle, 0.1)
    items = follow(world, handle, since=cursor).emitted
    assert told(items)[0] == "gap: restarted"
    assert [item.restarts for item in items if isinstance(item, LogRestart)] in ([2], [2, 3], [3], [1, 2])


def test_waiting_for_the_next_run_asks_for_nothing() -> None:
    behaviour = msgspec.structs.replace(TALKS, logs=((0.0, "run"),), run=1.0, exit_code=1)
    world, handle = restarting(behaviour)
    delete_in(world, handle, 30)
    outcome = follow(world, handle)
    lines = [line for line in told(outcome.emitted) if line == "run"]
    assert len(lines) == len({item.cursor for item in outcome.emitted if isinstance(item, LogEntry)}) >= 3
    assert "gap" not in " ".join(told(outcome.emitted))
    assert len(log_requests(outcome)) <= 4 * len(lines)


def test_the_last_words_of_a_worker_that_is_deleted_arrive() -> None:
    for after in (None, 500):
        world, handle = world_with(GOES_ON)
        if after:
            world.plan.add(Rule("get", "pods/log", CutStream(after)))
        delete_in(world, handle, 5.0)
        assert told(follow(world, handle).emitted) == [*LINES[:11], "stopping", "stopped"]


def test_a_pod_that_is_gone_before_its_log_was_read_is_a_gap() -> None:
    world, handle = world_with(GOES_ON)
    world.plan.add(Rule("get", "pods/log", CutStream(300)))
    for request in ("get", "list"):
        world.plan.add(Rule(request, "pods", LoseRequest(), nth=2, times=8))
    delete_in(world, handle, 2.0)
    items = follow(world, handle).emitted
    assert told(items)[-1] == "gap: gone"
    assert told(items)[:-1] == LINES[:7]
    assert items[-1].since == items[-2].timestamp


def test_last_words_without_a_newline_arrive_though_the_log_cannot_be_asked_for_again() -> None:
    """The Pod is removed right behind the end of the followed reply, or before the request that would confirm it."""
    gone = Answer(404, b'{"kind":"Status","code":404,"reason":"NotFound","message":"gone","details":{"kind":"pods"}}')
    for last_look, last_log in ((2, 2), (3, 2), (3, 3)):
        world, handle = world_with(msgspec.structs.replace(TALKS, run=7.25))
        world.plan.add(Rule("get", "pods/log", CutStream(size_of_log() - 1, clean=True)))
        world.plan.add(Rule("get", "pods/log", gone, nth=last_log, times=None))
        world.plan.add(Rule("get", "pods", gone, nth=last_look, times=None))
        outcome = follow(world, handle)
        assert told(outcome.emitted) == LINES
        assert outcome.result == outcome.emitted[-1].cursor


def test_a_last_line_that_is_still_being_written_is_not_given_before_it_is_whole() -> None:
    """A kubelet serves the beginning of a line that a runtime is just writing, as if the log ended there."""
    for missing in range(1, len(LINES[-1]) + 2):
        for more in (0, 2):  # the runtime has written some more of it when it is asked again
            world, handle = world_with()
            world.advance(60)
            world.plan.add(Rule("get", "pods/log", CutStream(size_of_log() - missing, clean=True)))
            if more:
                still = CutStream(size_of_log() - max(1, missing - more), clean=True)
                world.plan.add(Rule("get", "pods/log", still, nth=2))
            assert told(follow(world, handle).emitted) == LINES, (missing, more)


def test_a_reply_that_ends_before_the_cursor_is_asked_for_again_and_is_no_gap() -> None:
    """A kubelet that dies ends a reply just as cleanly: in the lines that were given before, too."""
    world, handle = world_with()
    whole = follow(world, handle).emitted
    for after in range(0, 38 * 4, 7):
        world, handle = world_with()
        world.advance(60)
        world.plan.add(Rule("get", "pods/log", CutStream(after, clean=True)))
        assert told(follow(world, handle, since=whole[8].cursor).emitted) == LINES[9:], after


def test_a_last_line_that_never_gets_a_newline_is_given_in_the_end() -> None:
    world, handle = world_with()
    world.advance(60)
    world.plan.add(Rule("get", "pods/log", CutStream(size_of_log() - 1, clean=True), times=None))
    outcome = follow(world, handle)
    assert told(outcome.emitted) == LINES
    assert outcome.seconds < 2


def test_a_container_that_was_removed_before_its_end_was_told_is_no_gap() -> None:
    """The Pod's status still says that it runs, and the kubelet that it is not there any more."""
    removed = CutStream(0, saying=b"unable to retrieve container logs for containerd://1")
    for gone_at, times in ((8.5, 2), (90.0, 12)):
        world, handle = world_with()
        world.plan.add(Rule("get", "pods/log", CutStream(size_of_log() - 1, clean=True)))
        world.plan.add(Rule("get", "pods/log", removed, nth=2, times=times))
        delete_in(world, handle, gone_at)
        assert told(follow(world, handle).emitted) == LINES


def test_after_a_failure_an_earlier_end_proves_nothing() -> None:
    """A kubelet that dies ends a reply cleanly; what was written until the Pod was gone is not known."""
    world, handle = world_with(GOES_ON)
    world.plan.add(Rule("get", "pods/log", CutStream(38 * 5, clean=True)))
    world.plan.add(Rule("get", "pods/log", server_error(), nth=2, times=None))
    delete_in(world, handle, 3.0)
    assert told(follow(world, handle).emitted) == [*LINES[:5], "gap: gone"]


def test_a_worker_that_never_ran_has_no_log() -> None:
    world, handle = world_with(Behaviour(fail=image_cannot_be_pulled("job:1")))
    delete_in(world, handle, 30.0)
    assert follow(world, handle).emitted == []


def test_from_a_time_on() -> None:
    world, handle = world_with()
    since = (EPOCH + 1) * 10**9 + 50_000_000
    outcome = follow(world, handle, since=since)
    assert told(outcome.emitted) == LINES[7:]


@pytest.mark.parametrize("cut", [None, 0, 60, 200])
@pytest.mark.parametrize("tail", [0, 1, 3, 99])
def test_a_tail_and_what_follows(tail: int, cut: int | None) -> None:
    world, handle = world_with()
    world.advance(1.05)
    if cut is not None:
        world.plan.add(Rule("get", "pods/log", CutStream(cut)))
    lines = told(follow(world, handle, tail=tail).emitted)
    if cut == 0:  # nothing came, so the last lines are those of the next attempt
        assert lines == LINES[-len(lines) :]
        assert len(lines) >= len(LINES[7:])
    else:
        assert lines == LINES[max(0, 7 - tail) :]


def test_a_tail_without_lines_does_not_miss_what_comes_while_it_is_cut() -> None:
    world, handle = world_with()
    world.advance(1.05)
    world.plan.add(Rule("get", "pods/log", StallStream(0)))
    lines = told(follow(world, handle, tail=0).emitted)
    assert lines[-5:] == LINES[7:]


@pytest.mark.parametrize(
    ("options", "field"),
    [({"since": "x"}, "since"), ({"since": -1}, "since"), ({"tail": -1}, "tail"), ({"since": "x", "tail": 1}, "tail")],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], field: str) -> None:
    world, handle = world_with()
    outcome = follow(world, handle, **options)
    assert isinstance(outcome.error, ConfigurationError)
    assert field in str(outcome.error)
    assert not outcome.requests


def test_without_a_pod() -> None:
    world, handle = world_with()
    world.run(operations.force_destroy_worker(CONFIG, handle))
    assert isinstance(follow(world, handle).error, WorkerNotFound)


def test_an_outage_is_outlived_and_a_longer_one_is_told() -> None:
    world, handle = world_with()
    world.plan.add(Rule("get", "pods/log", server_error(), times=4))
    assert told(follow(world, handle).emitted) == LINES
    world, handle = world_with()
    world.plan.add(Rule("get", "pods/log", server_error(), nth=1, times=None))
    error = follow(world, handle).error
    assert isinstance(error, Exception)
    assert world.now < CONFIG.outage_limit + 60


def test_logs_that_are_forbidden_are_told_at_once() -> None:
    world, handle = world_with()
    world.cluster.denied = frozenset({("get", "pods/log")})
    assert isinstance(follow(world, handle).error, PermissionDenied)
    assert world.now < 5


def test_an_api_server_that_is_gone_for_good() -> None:
    world, handle = world_with()
    world.plan.add(Rule("", "", LoseRequest(), nth=3, times=None))
    assert isinstance(follow(world, handle).error, ConnectionFailed)


def test_the_levels_of_a_log_can_be_off() -> None:
    world, handle = world_with(msgspec.structs.replace(TALKS, logs=((0.0, "ERROR: x"),)))
    config = KubernetesConfig(provider_id="tests", log_levels=False)
    (entry,) = world.run(operations.follow_worker_logs(config, handle)).emitted
    assert entry.level.value == "INFO"


def test_another_container_is_not_the_worker() -> None:
    world, handle = world_with()
    delete_in(world, handle, 9.0)
    assert follow(world, handle, container="sidecar").emitted == []


def test_a_kubelet_that_does_not_know_the_pod_yet_is_asked_now_and_then() -> None:
    """It was started again, and the container has ended meanwhile."""
    world, handle = world_with()
    world.advance(20)
    world.plan.add(Rule("get", "pods/log", Answer(404, b'{"kind":"Status","code":404,"reason":"NotFound"}'), times=8))
    outcome = follow(world, handle)
    assert told(outcome.emitted) == LINES
    assert outcome.seconds > 5
