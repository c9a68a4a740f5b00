"""A replay answers what was recorded and says where a request is another one."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from hodei_k8s_core.effects import SILENCE
from hodei_k8s_core.errors import HodeiK8sError, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_core.secret import Secret
from hodei_k8s_transport.channels.exchange import (
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
from hodei_k8s_transport.channels.exchange_file import load_recording, parse_recording
from hodei_k8s_transport.channels.recording import RecordingChannel
from hodei_k8s_transport.channels.replay import AsyncReplayChannel, ReplayChannel
from hodei_k8s_transport.channels.replay_match import Matching
from hodei_k8s_transport.channels.replayer import Order, ReplayMismatch
from tests.transport.scripted_channel import Reply, ScriptedChannel

PODS = "/api/v1/namespaces/n/pods"
RECORDINGS = sorted((Path(__file__).parents[1] / "recordings" / "v1.36").glob("*.json"))


def body(**changes: Any) -> bytes:
    annotations = {"hodei.io/creation-token": "random-1", "a/b": "c"}
    pod = {"kind": "Pod", "metadata": {"name": "w", "annotations": annotations}, "spec": {"hosts": ["a", "b"]}}
    return json.dumps(pod | changes).encode()


GET = Request("GET", f"{PODS}/w", (("pretty", "no"), ("timeoutSeconds", "300")), (("accept", "a/b"),))
POST = Request("POST", PODS, (), (("content-type", "a/json"),), body())
TEXT = ("content-type", "text/plain")
replace = msgspec.structs.replace


def recording_of(*requests: Request) -> Recording:
    return Recording(
        tuple(
            Exchange(
                Asked(
                    exchange=number,
                    at=0.0,
                    how="send",
                    method=request.method,
                    path=request.path,
                    query=request.query,
                    headers=request.headers,
                    text=request.body.decode(),
                ),
                (Answered(exchange=number, at=0.0, status=200, text=str(number)),),
            )
            for number, request in enumerate(requests, start=1)
        )
    )


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


X = Request("GET", "/x")


@pytest.mark.parametrize(
    ("recorded", "now", "places"),
    [
        (GET, replace(GET, method="DELETE"), ["method: recorded GET, now DELETE"]),
        (GET, replace(GET, path=f"{PODS}/v"), [f"path: recorded {PODS}/w, now {PODS}/v"]),
        (GET, replace(GET, query=(("pretty", "yes"),)), ["query pretty: recorded no, now yes"]),
        (GET, replace(GET, query=()), ["query pretty: recorded no, now (absent)"]),
        (GET, replace(GET, query=(*GET.query, ("limit", "5"))), ["query limit: recorded (absent), now 5"]),
        (GET, replace(GET, headers=()), ["header accept: recorded a/b, now (absent)"]),
        (POST, replace(POST, body=body(kind="Job")), ['body /kind: recorded "Pod", now "Job"']),
        (POST, replace(POST, body=body(kind=None)), ['body /kind: recorded "Pod", now null']),
        (POST, replace(POST, body=body(x=1)), ["body /x: recorded (absent), now 1"]),
        (POST, replace(POST, body=body(spec={"hosts": ["a"]})), ['body /spec/hosts/1: recorded "b", now (absent)']),
        (POST, replace(POST, body=body(spec={"hosts": {}})), ['body /spec/hosts: recorded ["a","b"], now {}']),
        (
            POST,
            replace(POST, body=body(metadata={"annotations": {"a/b": "d"}})),
            [
                'body /metadata/name: recorded "w", now (absent)',
                'body /metadata/annotations/a~1b: recorded "c", now "d"',
            ],
        ),
        (
            POST,
            replace(POST, headers=(TEXT,), body=b"no"),
            ["header content-type: recorded a/json", "body: recorded 141", "now 2 bytes 'no'"],
        ),
        (replace(POST, body=b"[1]"), replace(POST, body=b"[true]"), ["body /0: recorded 1, now true"]),
    ],
)
def test_a_mismatch_says_where(recorded: Request, now: Request, places: list[str]) -> None:
    replay = ReplayChannel(recording_of(recorded))
    with pytest.raises(ReplayMismatch) as caught:
        replay.send(now, 1.0)
    message = str(caught.value)
    assert all(place in message for place in places), message
    assert len(caught.value.differences) == sum(place.count(": recorded ") for place in places)
    assert f"exchange 1 ({recorded.method} {recorded.path}" in message
    assert caught.value.recorded == replay.remaining[0]


def test_a_mismatch_uses_nothing_and_is_told_as_a_failed_assertion() -> None:
    replay = ReplayChannel(recording_of(GET))
    with pytest.raises(ReplayMismatch):
        replay.open(POST, 1.0)
    assert issubclass(ReplayMismatch, AssertionError)
    assert issubclass(ReplayMismatch, HodeiK8sError)
    assert not issubclass(ReplayMismatch, TransportError)
    assert replay.send(GET, 1.0).body == b"1"
    with pytest.raises(ReplayMismatch, match=r"request 3 \(GET .*all 1 recorded exchanges were used"):
        replay.send(GET, 1.0)


def test_what_is_random_is_not_compared() -> None:
    annotations = {"hodei.io/creation-token": "random-2", "hodei.io/idle-since": "now", "a/b": "c"}
    other = replace(POST, body=body(metadata={"name": "w", "annotations": annotations}))
    later = replace(GET, query=(("timeoutSeconds", "512"), ("pretty", "no")), headers=(*GET.headers, ("x", "y")))
    replay = ReplayChannel(recording_of(POST, GET))
    assert [replay.send(other, 1.0).body, replay.send(later, 1.0).body] == [b"1", b"2"]


def test_what_is_compared_can_be_chosen() -> None:
    strict = ReplayChannel(recording_of(POST), matching=Matching(body=()))
    annotations = {"hodei.io/creation-token": "random-2", "a/b": "c"}
    other = replace(POST, body=body(metadata={"name": "w", "annotations": annotations}))
    with pytest.raises(ReplayMismatch, match='creation-token: recorded "random-1"'):
        strict.send(other, 1.0)
    for pointer in ("", "/metadata", "/*/annotations"):
        ReplayChannel(recording_of(POST), matching=Matching(body=(pointer,))).send(other, 1.0)


def test_many_differences_are_cut_off() -> None:
    recorded = replace(POST, body=body(x=dict.fromkeys(map(str, range(30)), 1)))
    with pytest.raises(ReplayMismatch) as caught:
        ReplayChannel(recording_of(recorded)).send(POST, 1.0)
    assert len(caught.value.differences) == 1
    other = replace(POST, body=body(x=dict.fromkeys(map(str, range(30)), "y" * 1000)))
    with pytest.raises(ReplayMismatch, match="10 more differences") as caught:
        ReplayChannel(recording_of(recorded)).send(other, 1.0)
    assert len(str(caught.value)) < 20 * 300


def test_the_recorded_order_is_the_expected_one() -> None:
    replay = ReplayChannel(recording_of(POST, GET))
    with pytest.raises(ReplayMismatch, match="method: recorded POST, now GET"):
        replay.send(GET, 1.0)


def test_any_order_serves_operations_that_run_at_the_same_time() -> None:
    other = replace(POST, body=body(kind="Job"))
    replay = ReplayChannel(recording_of(POST, GET, other, GET), order=Order.ANY)
    assert [replay.send(request, 1.0).body for request in (other, GET, POST, GET)] == [b"3", b"2", b"1", b"4"]
    replay.assert_exhausted()


def test_any_order_shows_the_nearest_exchange_of_that_method_and_path() -> None:
    far = replace(POST, body=body(kind="Job", a=1, b=2))
    replay = ReplayChannel(recording_of(far, GET, POST), order=Order.ANY)
    with pytest.raises(ReplayMismatch, match="exchange 3 ") as caught:
        replay.send(replace(POST, body=body(kind="Node")), 1.0)
    assert [str(difference) for difference in caught.value.differences] == ['body /kind: recorded "Pod", now "Node"']
    with pytest.raises(ReplayMismatch, match="no exchange that is left has this method and path"):
        replay.send(replace(GET, path="/other"), 1.0)


def test_what_was_not_asked_is_listed() -> None:
    replay = ReplayChannel(recording_of(GET, POST))
    replay.send(GET, 1.0)
    assert [exchange.request.method for exchange in replay.remaining] == ["POST"]
    with pytest.raises(ReplayMismatch, match=rf"1 of 2 recorded(?s:.)*exchange 2 \(POST {PODS}\)"):
        replay.assert_exhausted()


def test_a_closed_replay_says_so() -> None:
    replay = ReplayChannel(recording_of(GET))
    replay.close()
    with pytest.raises(TransportError, match=r"closed \(not sent\)"):
        replay.send(GET, 1.0)


def test_a_secret_of_another_run_does_not_differ_and_is_not_shown(tmp_path: Path) -> None:
    def asked(otp: str, password: str, kind: str = "Pod") -> Request:
        env = [{"name": "HODEI_OTP_TOKEN", "value": otp}, {"name": "PLAIN", "value": password}]
        return replace(POST, body=body(kind=kind, env=env), headers=(("authorization", otp),))

    path = tmp_path / "r"
    channel = RecordingChannel(ScriptedChannel([Reply(201)]), path, secrets=[Secret("first password")])
    channel.send(asked("otp-of-then", "first password"), 1.0)
    channel.close()
    replay = ReplayChannel(load_recording(path), secrets=[Secret("another")])
    with pytest.raises(ReplayMismatch) as caught:
        replay.send(asked("the otp of today", "another", "Job"), 1.0)
    assert [difference.place for difference in caught.value.differences] == ["body /kind"]
    assert (
        "today" not in f"{caught.value} {caught.value.request} {caught.value.request and caught.value.request.body!r}"
    )
    assert replay.send(asked("the otp of today", "another"), 1.0).status == 201


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
    opened = ReplayChannel(recording_of(X)).open(X, 1.0)
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
