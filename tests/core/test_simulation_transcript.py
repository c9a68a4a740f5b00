"""The transcript tester: it must be able to fail, and say where."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.effects import Emit, Monotonic, Operation, Send, Sleep, Stream
from hodei_k8s_core.errors import ConnectionFailed, Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation import TranscriptMismatch, is_request, play

VERSION = Send(Request("GET", "/version"), 10.0)
LOST = TransportError(TransportFault.CLOSED, Delivery.MAYBE_SENT)


def version() -> Operation[str]:
    start = yield from Monotonic()
    for _ in range(2):
        try:
            reply = yield from VERSION
        except TransportError:
            yield from Sleep(start + 1.0)
            continue
        return reply.body.decode()
    raise ConnectionFailed("no version")


def test_a_transcript_gives_the_result() -> None:
    assert play(version(), [(Monotonic(), 5.0), (VERSION, Response(200, body=b"v1"))]) == "v1"


def test_a_failure_is_thrown_in_and_the_operations_own_comes_out() -> None:
    script: list[tuple[Any, Any]] = [(Monotonic, 5.0), (VERSION, LOST), (lambda effect: effect.seconds == 6.0, None)]
    assert play(version(), [*script, (is_request("GET", "/version"), Response(200, body=b"v2"))]) == "v2"
    with pytest.raises(ConnectionFailed):
        play(version(), [*script, (VERSION, LOST), (Sleep, None)])


def test_a_last_reply_can_be_a_failure() -> None:
    def gives_up() -> Operation[str]:
        try:
            yield from Sleep(1.0)
        except TransportError:
            return "gave up"
        return "slept"

    assert play(gives_up(), [(Sleep(1.0), LOST)]) == "gave up"


def mismatch(operation: Operation[Any] | Stream[Any, Any], script: list[tuple[Any, Any]]) -> str:
    with pytest.raises(TranscriptMismatch) as caught:
        play(operation, script)
    return str(caught.value)


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (Sleep(1.0), "at #0: expected Sleep(seconds=1.0), got Monotonic()"),
        (Sleep, "at #0: expected Sleep, got Monotonic()"),
        (is_request("GET", "/x"), "at #0: GET /x does not hold for Monotonic()"),
    ],
)
def test_another_effect_than_expected(expected: Any, message: str) -> None:
    assert mismatch(version(), [(expected, None)]) == message


def test_ending_early_names_what_was_still_expected() -> None:
    script: list[tuple[Any, Any]] = [
        (Monotonic, 0.0),
        (VERSION, Response(200, body=b"v1")),
        (Sleep, None),
        (Sleep(2.0), None),
    ]
    assert mismatch(version(), script) == "it returned 'v1' before:\n  #2: Sleep\n  #3: Sleep(seconds=2.0)"


def test_going_on_is_a_mismatch() -> None:
    assert mismatch(version(), [(Monotonic, 0.0)]).startswith("after its 1 effects it goes on with Send(")


def sends(body: bytes, timeout: float = 10.0) -> Operation[None]:
    yield from Send(Request("POST", "/x", body=body), timeout)


@pytest.mark.parametrize(
    ("expected", "lines"),
    [
        (Send(Request("PUT", "/x", body=b"{}"), 10.0), ["request.method: expected 'PUT', got 'POST'"]),
        (Send(Request("POST", "/x", body=b"{}"), 9.0), ["timeout: expected 9.0, got 10.0"]),
        (
            Send(Request("POST", "/x", body=b"no json"), 10.0),
            ["request.body: expected 7 bytes, got 2 other bytes"],
        ),
        (Send(Request("POST", "/x", body=b"[]"), 10.0), ["request.body differs at its root"]),
        (Send(Request("POST", "/x", body=b"{ }"), 10.0), ["request.body: the same JSON, written differently"]),
    ],
)
def test_a_diff_names_the_fields(expected: Send, lines: list[str]) -> None:
    told = mismatch(sends(b"{}"), [(expected, None)])
    assert told == "\n".join(["at #0: Send differs:", *(f"  {line}" for line in lines)])


def test_a_diff_of_bodies_names_places_and_no_values() -> None:
    expected = b'{"same": 1, "env": [{"name": "OTP", "value": "secret"}, 2], "only": [1]}'
    got = b'{"same": 1, "env": [{"name": "OTP", "value": "other"}, 3], "only": [1, 2]}'
    told = mismatch(sends(got), [(Send(Request("POST", "/x", body=expected), 10.0), None)])
    assert told.splitlines()[1:] == [
        "  request.body differs at env[0].value",
        "  request.body differs at env[1]",
        "  request.body differs at only",
    ]
    assert "secret" not in told


def test_a_stream_is_played_too() -> None:
    def emits() -> Stream[int, str]:
        yield from Emit([1])
        return "end"

    assert play(emits(), [(Emit([1]), None)]) == "end"
    assert "items: expected [2], got [1]" in mismatch(emits(), [(Emit([2]), None)])


def test_a_mismatch_closes_the_operation() -> None:
    operation = version()
    mismatch(operation, [(Sleep, None)])
    with pytest.raises(StopIteration):
        next(operation)
