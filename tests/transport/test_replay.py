"""A replay answers what was recorded and says where a request is another one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.errors import HodeiK8sError, TransportError
from hodei_k8s_core.http import Request
from hodei_k8s_core.secret import Secret
from hodei_k8s_transport.channels.recording.exchange import (
    Answered,
    Asked,
    Exchange,
    Recording,
)
from hodei_k8s_transport.channels.recording.exchange_file import load_recording
from hodei_k8s_transport.channels.recording.recording_channel import RecordingChannel
from hodei_k8s_transport.channels.recording.replay_channel import ReplayChannel
from hodei_k8s_transport.channels.recording.replay_match import Matching
from hodei_k8s_transport.channels.recording.replayer import Order, ReplayMismatch
from tests.transport.scripted_channel import Reply, ScriptedChannel

PODS = "/api/v1/namespaces/n/pods"


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
