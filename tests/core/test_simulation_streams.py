"""Streams in virtual time: waiting, silence, cuts, restarts."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.effects import SILENCE, Monotonic, Open, Operation, Read, Send
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Body, Request
from hodei_k8s_core.simulation import (
    Behaviour,
    CutStream,
    Delay,
    ExpireVersions,
    LoseReply,
    Restart,
    Rule,
    SimulationError,
    Stall,
    StallStream,
    World,
    server_error,
)
from hodei_k8s_core.simulation.faults import Fault
from tests.core.simulation_operations import reads
from tests.core.simulation_requests import PODS, create, delete, get, log, ready_world, seen, watch

STILL = {"worker:1": Behaviour(schedule=1e9)}

# --- streams


def test_reading_waits_until_something_comes() -> None:
    world = World(behaviours=STILL)

    def watching() -> Operation[tuple[float, Any]]:
        body = yield from Open(watch(resourceVersion="1002"), 5.0)
        chunk = yield from Read(body, 100.0)
        return (yield from Monotonic()), chunk

    world.at(7.0, lambda cluster: cluster.handle(create(), 7.0))
    when, chunk = world.run(watching()).result
    assert when == 7.0
    assert seen(chunk) == [("ADDED", "a")]


def test_silence_is_told_after_its_limit_and_is_not_the_end() -> None:
    world = World(behaviours=STILL)

    def watching() -> Operation[list[Any]]:
        body = yield from Open(watch(resourceVersion="1002", timeoutSeconds="10"), 5.0)
        return [(yield from Read(body, 4.0)), (yield from Read(body, 4.0)), (yield from Read(body, 4.0))]

    outcome = world.run(watching())
    assert outcome.result == [SILENCE, SILENCE, b""]
    assert [step.at for step in outcome.effects] == pytest.approx([0.0, 0.01, 4.01, 8.01])
    assert world.now == pytest.approx(10.005)
    assert outcome.bodies_left == 1


def test_a_clean_end_stays_one_whatever_happens_afterwards() -> None:
    world = World(behaviours=STILL)

    def watching() -> Operation[list[Any]]:
        body = yield from Open(watch(resourceVersion="1002", timeoutSeconds="1"), 5.0)
        first = yield from Read(body, 4.0)
        yield from Send(create(), 5.0)
        return [first, (yield from Read(body, 4.0))]

    assert world.run(watching()).result == [b"", b""]


@pytest.mark.parametrize("after", [0, 1, 50, 100_000])
def test_a_stream_can_be_cut_after_any_byte(after: int) -> None:
    world = ready_world(faults=[Rule("watch", "pods", CutStream(after))])
    outcome = world.run(reads(watch()))
    chunks = [step.reply for step in outcome.effects if isinstance(step.effect, Read)]
    data = b"".join(chunk for chunk in chunks if isinstance(chunk, bytes))
    whole = world.run(reads(watch())).result[0]
    assert isinstance(whole, bytes)
    assert data == whole[:after]
    if after < len(whole):
        assert isinstance(outcome.error, TransportError)
        assert outcome.error.delivery is Delivery.ANSWERED
        assert outcome.bodies_left == 1
    else:
        assert outcome.result[-1] is SILENCE


def test_a_stream_can_be_cut_as_if_it_were_whole() -> None:
    world = ready_world(faults=[Rule("watch", "pods", CutStream(10, clean=True))])
    first, end = world.run(reads(watch())).result
    assert isinstance(first, bytes)
    assert (len(first), end) == (10, b"")


def test_a_stream_can_fall_silent_for_ever() -> None:
    world = ready_world(faults=[Rule("watch", "pods", StallStream(10))])
    first, silence = world.run(reads(watch(timeoutSeconds="1"), silence_limit=99.0)).result
    assert isinstance(first, bytes)
    assert (len(first), silence) == (10, SILENCE)
    assert world.now > 99.0


def test_after_a_failure_every_read_fails() -> None:
    world = ready_world(faults=[Rule("watch", "pods", CutStream(0))])

    def twice() -> Operation[int]:
        body = yield from Open(watch(), 5.0)
        failures = 0
        for _ in range(2):
            try:
                yield from Read(body, 5.0)
            except TransportError:
                failures += 1
        return failures

    assert world.run(twice()).result == 2


def test_a_restart_cuts_the_streams_that_are_open() -> None:
    world = ready_world(faults=[Rule("get", "version", Restart())])

    def watching() -> Operation[str]:
        body = yield from Open(watch(resourceVersion=str(world.cluster.store.version)), 5.0)
        yield from Send(get("/version"), 5.0)
        try:
            yield from Read(body, 5.0)
        except TransportError as error:
            return error.detail
        return "went on"

    assert world.run(watching()).result == "the server closed the connection"


@pytest.mark.parametrize("fault", [ExpireVersions(), ExpireVersions(as_http=True), Restart()])
def test_versions_from_before_are_too_old(fault: Fault) -> None:
    world = ready_world(faults=[Rule("watch", "pods", fault)])
    (chunk, end) = world.run(reads(watch(resourceVersion=str(world.cluster.store.version)))).result
    assert isinstance(chunk, bytes)
    assert b'"reason":"Expired"' in chunk
    assert end == b""


@pytest.mark.parametrize("fault", [LoseReply(), Stall(acting=True), server_error(acting=True), Delay(50.0)])
def test_a_stream_whose_head_is_lost_is_let_go(fault: Fault) -> None:
    world = ready_world(faults=[Rule("watch", "pods", fault)])
    streams: list[Any] = []
    handle = world.cluster.handle

    def watched(request: Request, now: float) -> Any:
        streams.append(handle(request, now))
        return streams[-1]

    world.cluster.handle = watched  # type: ignore[method-assign]
    world.run(reads(watch()))
    assert not streams[0].is_open


def test_reads_give_at_most_a_chunk() -> None:
    world = ready_world(max_chunk=7)
    chunks = world.run(reads(watch())).result[:-1]
    assert all(isinstance(chunk, bytes) and len(chunk) <= 7 for chunk in chunks)


def test_a_whole_reply_can_be_opened_and_read() -> None:
    world = World()
    (chunk, end) = world.run(reads(get("/readyz"))).result
    assert (chunk, end) == (b"ok", b"")
    assert world.run(reads(get(f"{PODS}/zzz"))).effects[0].reply.status == 404


def test_a_whole_reply_that_is_opened_can_stall() -> None:
    world = World(faults=[Rule("get", "readyz", StallStream(1))])
    assert world.run(reads(get("/readyz"))).result == [b"o", SILENCE]


def test_a_stream_that_is_sent_for_is_read_to_its_end() -> None:
    world = ready_world(behaviours={"worker:1": Behaviour(logs=((0, "x"),), exit_code=0, run=60)})
    assert world.exchange(log(follow="true"), timeout=100.0).body == b"x\n"
    assert world.now == pytest.approx(60.405)


def test_a_stream_that_is_sent_for_and_does_not_end_times_out() -> None:
    world = ready_world()
    with pytest.raises(TransportError) as caught:
        world.exchange(watch(), timeout=10.0)
    assert (caught.value.fault, caught.value.delivery) == (TransportFault.TIMEOUT, Delivery.ANSWERED)
    assert world.now == pytest.approx(15.01)


def test_a_deadline_is_kept_to_the_second_while_others_are_busy() -> None:
    world = ready_world(behaviours={"worker:1": Behaviour(term=None)})
    world.exchange(delete(gracePeriodSeconds=30))
    outcome = world.run(reads(watch(resourceVersion=str(world.cluster.store.version)), silence_limit=20.0))
    assert outcome.result == [SILENCE]
    assert outcome.seconds == pytest.approx(20.01)


def test_reading_what_is_not_open_is_a_bug() -> None:
    with pytest.raises(SimulationError, match="not open"):
        World().host.perform(Read(Body(200, key=77), 1.0))
