"""What a recording channel writes a replay channel gives back: on threads, asyncio and trio, through the same file."""

from __future__ import annotations

import errno
import json
import stat
from pathlib import Path
from typing import Any

import anyio
import pytest

from hodei_k8s_core.effects import SILENCE
from hodei_k8s_core.errors import ConfigurationError, Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.secret import Secret
from hodei_k8s_transport.channels.recording.exchange import InvalidRecording, Recording
from hodei_k8s_transport.channels.recording.exchange_file import load_recording, parse_recording
from hodei_k8s_transport.channels.recording.recording_channel import AsyncRecordingChannel, RecordingChannel
from hodei_k8s_transport.channels.recording.replay_channel import AsyncReplayChannel, ReplayChannel
from tests.transport.scripted_channel import (
    BACKENDS,
    END,
    AsyncScriptedChannel,
    Call,
    Reply,
    ScriptedChannel,
    in_tasks,
    outcomes,
)

GOLDEN = Path(__file__).parent / "golden" / "exchanges-v1.jsonl"
JSON = (("content-type", "application/json"),)
TEXT = (("content-type", "text/plain"),)
PODS = "/api/v1/namespaces/n/pods"
CREATE = Request("POST", PODS, (), JSON, b'{"kind":"Pod","metadata":{"name":"w"}}')
WATCH = Request("GET", PODS, (("watch", "true"), ("resourceVersion", "7")))
LOG = Request("GET", f"{PODS}/w/log", (("follow", "true"),))
LOST = TransportError(TransportFault.INTERRUPTED, Delivery.ANSWERED, "cut at byte 17")
LATE = TransportError(TransportFault.TIMEOUT, Delivery.MAYBE_SENT)

SCRIPT: tuple[Reply | BaseException, ...] = (
    Reply(201, JSON, (b'{"kind":"Pod"}\n',)),
    Reply(200, JSON, (b'{"type":"ADD', b'ED"}\n{"type":"M', SILENCE, b'ODIFIED"}\n', SILENCE, SILENCE, END)),
    Reply(200, TEXT, (b"caf\xc3", b"\xa9\n\xff\x00", b"\r\nhalf a li", LOST)),
    LATE,
    TransportError(TransportFault.REFUSED, Delivery.NOT_SENT, "nobody there"),
    Reply(204, (), (b"",)),
    Reply(200, TEXT, (b"one\n", b"two\n", b"three\n")),
)
PLAN = (
    Call(CREATE),
    Call(WATCH, (5.0,) * 8),
    Call(LOG, (5.0,) * 4),
    Call(CREATE),
    Call(WATCH, (5.0,)),
    Call(LOG),
    Call(LOG, (5.0, 5.0)),
)


class Ticks:
    """A clock that goes a quarter of a second further at every look."""

    def __init__(self) -> None:
        self._now = 100.0

    def __call__(self) -> float:
        self._now += 0.25
        return self._now


def recorded(backend: str, path: Path, script: Any = SCRIPT, plan: Any = PLAN) -> list[Any]:
    if backend == "threads":
        channel = RecordingChannel(ScriptedChannel(script), path, clock=Ticks())
        seen = outcomes(channel, plan)
        channel.close()
        return seen
    return in_tasks(backend, AsyncRecordingChannel(AsyncScriptedChannel(script), path, clock=Ticks()), plan)


def replayed(backend: str, recording: Recording, plan: Any = PLAN) -> list[Any]:
    if backend == "threads":
        channel = ReplayChannel(recording)
        seen = outcomes(channel, plan)
        channel.assert_exhausted()
        return seen
    tasks = AsyncReplayChannel(recording)
    seen = in_tasks(backend, tasks, plan)
    tasks.assert_exhausted()
    return seen


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exchanges.jsonl"


@pytest.mark.parametrize("writer", BACKENDS)
@pytest.mark.parametrize("reader", BACKENDS)
def test_a_replay_gives_what_was_recorded_chunk_by_chunk(path: Path, writer: str, reader: str) -> None:
    seen = recorded(writer, path)
    assert seen == outcomes(ScriptedChannel(SCRIPT), PLAN)
    assert replayed(reader, load_recording(path)) == seen


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_format_is_the_golden_file(path: Path, backend: str) -> None:
    recorded(backend, path)
    assert path.read_text() == GOLDEN.read_text()


def test_the_golden_file_can_still_be_replayed() -> None:
    assert replayed("threads", load_recording(GOLDEN)) == outcomes(ScriptedChannel(SCRIPT), PLAN)


@pytest.mark.parametrize("cut", range(0, GOLDEN.stat().st_size, 53))
def test_what_a_crash_leaves_replays_up_to_there_and_never_looks_complete(cut: int) -> None:
    data = GOLDEN.read_bytes()
    kept = data[: max(data.index(b"\n") + 1, cut)]
    whole = outcomes(ScriptedChannel(SCRIPT), PLAN)
    replay = ReplayChannel(parse_recording(kept))
    asked = kept.count(b'"event":"request"')
    asked -= not kept.endswith(b"\n") and b'"event":"request"' in kept.rpartition(b"\n")[2]
    seen = outcomes(replay, PLAN[:asked])
    differs = next((at for at, (one, other) in enumerate(zip(seen, whole, strict=False)) if one != other), len(seen))
    assert all(outcome[0] == "interrupted" for outcome in seen[differs : differs + 1])
    replay.assert_exhausted()


def test_a_chunk_is_written_when_its_line_is_complete_and_lines_are_on_disk_at_once(path: Path) -> None:
    channel = RecordingChannel(ScriptedChannel([Reply(200, TEXT, (b"one\ntw", b"o\n", b"three"))]), path)
    body = channel.open(LOG, 1.0)
    assert path.read_text().count('"chunk"') == 0
    body.read(1.0)
    assert path.read_text().count('"chunk"') == 0
    body.read(1.0)
    assert path.read_text().count('"chunk"') == 2
    body.read(1.0)
    assert path.read_text().count('"chunk"') == 2
    channel.close()
    assert path.read_text().count('"chunk"') == 3


def test_what_comes_from_a_channel_that_breaks_off_is_written_with_its_bodies(path: Path) -> None:
    channel = RecordingChannel(ScriptedChannel([Reply(200, TEXT, (b"half",)), KeyboardInterrupt()]), path)
    body = channel.open(LOG, 1.0)
    body.read(1.0)
    with pytest.raises(KeyboardInterrupt):
        channel.send(CREATE, 1.0)
    channel.close()
    events = [json.loads(line).get("event") for line in path.read_text().splitlines()]
    assert events == [None, "request", "head", "request", "abandoned", "chunk"]
    replay = ReplayChannel(load_recording(path))
    assert replay.open(LOG, 1.0).read(1.0) == b"half"
    with pytest.raises(TransportError, match=r"maybe sent.*cancelled"):
        replay.send(CREATE, 1.0)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_read_leaves_no_trace_and_a_cancelled_send_does(path: Path, backend: str) -> None:
    class Slow(AsyncScriptedChannel):
        async def send(self, request: Request, timeout: float) -> Response:
            await anyio.sleep_forever()
            return Response(200)

    async def scenario() -> None:
        async with AsyncRecordingChannel(Slow([Reply(200, TEXT, (b"one\n", END))]), path) as channel:
            body = await channel.open(LOG, 1.0)
            with anyio.CancelScope() as scope:
                scope.cancel()
                await channel.send(CREATE, 1.0)
            assert await body.read(1.0) == b"one\n"

    anyio.run(scenario, backend=backend)
    events = [json.loads(line).get("event") for line in path.read_text().splitlines()]
    assert events == [None, "request", "head", "request", "abandoned", "chunk"]


def test_the_wrapped_channel_gets_the_request_as_it_is_and_is_closed(path: Path) -> None:
    wrapped = ScriptedChannel([Reply()])
    request = Request("GET", "/x", (), (("authorization", "Bearer abcdefgh"),), b"token: abcdefgh")
    channel = RecordingChannel(wrapped, path, secrets=[Secret("abcdefgh")])
    channel.send(request, 1.0)
    channel.close()
    assert wrapped.seen == [request]
    assert wrapped.closed
    assert "abcdefgh" not in path.read_text()


def test_the_file_is_for_its_owner_only_and_made_anew(path: Path) -> None:
    path.write_text("old")
    path.unlink()
    RecordingChannel(ScriptedChannel([]), path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    RecordingChannel(ScriptedChannel([]), path).close()
    assert path.read_text() == '{"format":"hodei-k8s exchanges","version":1}\n'


def test_a_full_disk_does_not_change_the_exchanges_and_close_says_so() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    wrapped = ScriptedChannel([Reply(201)])
    channel = RecordingChannel(wrapped, full)
    assert channel.send(CREATE, 1.0).status == 201
    with pytest.raises(OSError, match="space") as caught:
        channel.close()
    assert caught.value.errno == errno.ENOSPC
    assert wrapped.closed


def test_a_secret_that_is_too_short_is_refused_without_being_told(path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"secrets\[1\]") as caught:
        RecordingChannel(ScriptedChannel([]), path, secrets=[Secret("long enough"), Secret("q7")])
    assert "q7" not in str(caught.value)
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "neither a recording nor"),
        ("not json", "neither a recording nor"),
        ('{"a": 1}', "neither a recording nor"),
        ('{"format":"other","version":1}\n', "'other'"),
        ('{"format":"hodei-k8s exchanges","version":2}\n', "version 2"),
        ('{"format":"hodei-k8s exchanges","version":1}\n{"event":"nap","exchange":1,"at":0}\n', "line 2"),
        ('{"format":"hodei-k8s exchanges","version":1}\n{"event":"end","exchange":1,"at":0}\n', "line 2.*not asked"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_with_the_reason(path: Path, text: str, problem: str) -> None:
    path.write_text(text)
    with pytest.raises(InvalidRecording, match=problem) as caught:
        load_recording(path)
    assert str(path) in str(caught.value)


def test_a_later_release_may_add_fields(path: Path) -> None:
    path.write_text(GOLDEN.read_text().replace('"at":', '"new":[1],"at":'))
    assert load_recording(path) == load_recording(GOLDEN)
