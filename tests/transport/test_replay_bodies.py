"""What a replayed body gives: chunks, silence, ends and failures as recorded; and recorded scenarios."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import anyio
import pytest

from hodei_k8s_core.effects import SILENCE, Open, Operation, Read, Send, Silence
from hodei_k8s_core.errors import TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_transport.channels.recording.exchange import (
    Answered,
    Asked,
    Chunk,
    Closed,
    End,
    Event,
    Exchange,
    Head,
    Recording,
    Silent,
)
from hodei_k8s_transport.channels.recording.exchange_file import load_recording, parse_recording
from hodei_k8s_transport.channels.recording.replay_channel import AsyncReplayChannel, ReplayChannel
from hodei_k8s_transport.channels.recording.replayer import ReplayMismatch
from hodei_k8s_transport.drivers import async_driver, sync_driver
from hodei_k8s_transport.drivers.host import Host
from tests.transport.scripted_channel import BACKENDS

PODS = "/api/v1/namespaces/n/pods"
RECORDINGS = sorted((Path(__file__).parents[1] / "recordings" / "v1.36").glob("*.json"))
X = Request("GET", "/x")
OTHER = Request("GET", "/other")
ASKED = Asked(exchange=1, at=0.0, how="send", method="GET", path="/x")
WHOLE = Recording((Exchange(ASKED, (Answered(exchange=1, at=0.0, status=200, text="1"),)),))


def stream_of(*events: Callable[..., Event] | float | bytes) -> ReplayChannel:
    """A body that gives bytes, is silent for seconds, and whatever a type of event says."""
    followed: list[Event] = [Head(exchange=1, at=0.0, status=200)]
    for event in events:
        if isinstance(event, bytes):
            followed.append(Chunk(exchange=1, at=0.0, text=event.decode()))
        else:
            silent = isinstance(event, float)
            followed.append(Silent(exchange=1, at=0.0, seconds=event) if silent else event(exchange=1, at=0.0))  # type: ignore[operator,arg-type]
    asked = Asked(exchange=1, at=0.0, how="open", method="GET", path="/x")
    return ReplayChannel(Recording((Exchange(asked, tuple(followed)),)))


@pytest.mark.parametrize(
    ("recorded", "limits", "given"),
    [
        ((b"a", 60.0, b"b", End), [60.0] * 3, [b"a", SILENCE, b"b"]),
        ((b"a", 60.0, b"b", End), [60.0, 20.0, 20.0, 20.0, 20.0], [b"a", SILENCE, SILENCE, SILENCE, b"b"]),
        ((b"a", 59.9, b"b", End), [60.0] * 3, [b"a", SILENCE, b"b"]),
        ((b"a", 30.0, b"b", End), [60.0] * 2, [b"a", b"b"]),
        ((b"a", 90.0, b"b", End), [60.0] * 3, [b"a", SILENCE, b"b"]),
        ((120.0, End), [60.0] * 4, [SILENCE, SILENCE, b"", b""]),
        ((10.0, 20.0, b"a", End), [30.0] * 2, [SILENCE, b"a"]),
        ((10.0, b"a", End), [0.0] * 2, [SILENCE, b"a"]),
        ((10.0, b"a", End), [math.inf], [b"a"]),
    ],
)
def test_silence_is_an_amount_of_time_however_it_is_waited_for(recorded: Any, limits: Any, given: Any) -> None:
    opened = stream_of(*recorded).open(X, 1.0)
    assert [opened.read(limit) for limit in limits] == given


@pytest.mark.parametrize("last", [(), (Closed,), (10.0,)])
def test_a_body_that_was_not_read_to_its_end_fails_there(last: Any) -> None:
    opened = stream_of(b"a", *last).open(X, 1.0)
    assert opened.read(20.0) == b"a"
    for _ in range(2):
        with pytest.raises(TransportError, match=r"recorded body|recording was cut off") as caught:
            opened.read(20.0)
        assert caught.value.fault is TransportFault.INTERRUPTED
    with pytest.raises(TransportError):
        stream_of(b"a", *last).send(X, 1.0)


def test_a_body_can_be_asked_for_the_other_way_than_it_was_recorded() -> None:
    assert stream_of(b"a", 5.0, b"b", End).send(X, 1.0).body == b"ab"
    opened = ReplayChannel(WHOLE).open(X, 1.0)
    assert [opened.read(1.0) for _ in range(3)] == [b"1", b"", b""]
    opened.close()
    opened.close()
    with pytest.raises(TransportError, match="closed"):
        opened.read(1.0)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_async_read_loses_no_bytes(backend: str) -> None:
    async def scenario() -> None:
        recording = Recording(stream_of(b"a", End).remaining)
        async with AsyncReplayChannel(recording) as replay:
            opened = await replay.open(X, 1.0)
            with anyio.CancelScope() as scope:
                scope.cancel()
                await opened.read(1.0)
            assert [await opened.read(1.0), await opened.read(1.0)] == [b"a", b""]
            assert replay.remaining == ()

    anyio.run(scenario, backend=backend)


def reads_then_another_request() -> Operation[list[bytes | Silence]]:
    opened = yield from Open(X, 1.0)
    given = []
    for _ in range(3):
        given.append((yield from Read(opened, 60.0)))
    try:
        yield from Send(OTHER, 1.0)
    except TransportError:
        given.append(b"retried")
    return given


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_mismatch_reaches_the_caller_through_every_driver(backend: str) -> None:
    recording = Recording(stream_of(b"a", b"b", End).remaining)
    with pytest.raises(ReplayMismatch, match=r"request 2 \(GET"):
        run_on(backend, recording)


def run_on(backend: str, recording: Recording) -> None:
    if backend == "threads":
        sync_driver.run(reads_then_another_request(), ReplayChannel(recording), Host())
    else:
        anyio.run(run_in_a_task, AsyncReplayChannel(recording), backend=backend)


async def run_in_a_task(channel: AsyncReplayChannel) -> None:
    async with channel:
        await async_driver.run_async(reads_then_another_request(), channel, Host())


SCENARIO = {
    "scenario": "x",
    "kubernetes": "v1",
    "recorded": "2026-11-23",
    "steps": [
        {
            "at": 0.1,
            "note": "create",
            "request": {"method": "POST", "path": PODS, "body": {"a": "é"}},
            "response": {"status": 201, "headers": {"Content-Type": "a/json"}, "body": "{}"},
        },
        {
            "at": 0.2,
            "note": "watch",
            "request": {"method": "GET", "path": f"{PODS}?watch=true&fieldSelector=a%3Db", "body": None},
            "response": {"status": 200, "headers": {}, "lines": [{"at": 0.3, "line": "é"}, {"at": 0.4, "line": "2"}]},
        },
    ],
}


def test_a_recorded_scenario_is_replayed_its_lines_as_chunks() -> None:
    recording = parse_recording(json.dumps(SCENARIO, indent=1).encode())
    assert [str(exchange) for exchange in recording.exchanges] == [
        f"exchange 1 (POST {PODS}, create)",
        f"exchange 2 (GET {PODS}?watch=true&fieldSelector=a%3Db, watch)",
    ]
    assert [event.at for event in recording.exchanges[1].followed] == [0.2, 0.3, 0.4, 0.4]
    replay = ReplayChannel(recording)
    created = replay.send(Request("POST", PODS, (), (("x", "y"),), '{ "a": "é"}'.encode()), 1.0)
    assert (created.status, created.header("content-type"), created.body) == (201, "a/json", b"{}")
    watch = replay.open(Request("GET", PODS, (("fieldSelector", "a=b"), ("watch", "true"))), 1.0)
    assert [watch.read(1.0) for _ in range(3)] == ["é\n".encode(), b"2\n", b""]
    replay.assert_exhausted()


def ask_all(recording: Recording) -> Generator[Request]:
    yield from (exchange.request for exchange in recording.exchanges)


@pytest.mark.skipif(not RECORDINGS, reason="no recordings of a real API server are here")
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_every_scenario_of_a_real_server_is_replayed_byte_for_byte(path: Path) -> None:
    recording = load_recording(path)
    steps = json.loads(path.read_text())["steps"]
    replay = ReplayChannel(recording)
    for step, request in zip(steps, ask_all(recording), strict=True):
        expected = step["response"].get(
            "body", "".join(line["line"] + "\n" for line in step["response"].get("lines", ()))
        )
        assert replay.send(request, 1.0).body.decode() == expected
    replay.assert_exhausted()
