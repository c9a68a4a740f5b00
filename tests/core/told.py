"""What an operation asks of an API server, as short lines; and scripts of exchanges, where a world is too much.

    told = tell(read_pod(CONFIG, handle), [("GET pods/hodei-worker-w1", not_found_reply())])
    assert told.result is None

Only requests are in a script: time passes by what the operation waits, chance is 0, retries are free.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hodei_k8s_core.effects import (
    SILENCE,
    Close,
    Monotonic,
    Observe,
    Open,
    Random,
    Read,
    Send,
    Sleep,
    SpendRetry,
    WallClock,
)
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Body, Request, Response
from hodei_k8s_core.observations import Observation, StepStarted

WALL = 1_700_000_000.0
JSON = (("content-type", "application/json"),)


def said(request: Request) -> str:
    """A request as one line: `POST pods`, `GET pods/x`, `WATCH pods from 12`, `GET namespaces/x`."""
    _, _, inside = request.path.partition("/namespaces/")
    _, _, path = inside.partition("/")
    if request.parameter("watch"):
        return f"WATCH {path} from {request.parameter('resourceVersion')}"
    return f"{request.method} {path or request.path.removeprefix('/api/v1/')}"


class Stream:
    """A body: its chunks in turn, then its clean end; an exception in it is raised. `SILENCE` lets the time pass."""

    def __init__(self, *chunks: bytes | TransportError, endless: bool = False) -> None:
        self.left = list(chunks)
        self.endless = endless


class Told(msgspec.Struct):
    """What an operation did, and how it ended."""

    requests: list[Request] = []
    sleeps: list[float] = []
    observations: list[Observation] = []
    error: BaseException | None = None
    returned: Any = None
    seconds: float = 0.0

    @property
    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.returned

    @property
    def lines(self) -> list[str]:
        return [said(request) for request in self.requests]

    @property
    def steps(self) -> list[str]:
        return [one.step for one in self.observations if isinstance(one, StepStarted)]


Answer = Response | TransportError | Stream
Script = list[tuple[str, Answer]]


def tell(
    operation: Any, script: Iterable[tuple[str, Answer]], *, retries: int = 1000, seconds_each: float = 0.0
) -> Told:
    """Run an operation on a script of exchanges; each takes `seconds_each`."""
    teller = _Teller(list(script), retries, seconds_each)
    resume: Any = None
    while True:
        try:
            effect = operation.throw(resume) if isinstance(resume, BaseException) else operation.send(resume)
        except StopIteration as end:
            teller.told.returned = end.value
            break
        except AssertionError:
            raise
        except Exception as error:  # noqa: BLE001 - a test asks for it
            teller.told.error = error
            break
        resume = teller.answer(effect)
    assert not teller.script, f"never asked: {teller.script}"
    teller.told.seconds = teller.now
    return teller.told


class _Teller:
    def __init__(self, script: list[tuple[str, Answer]], retries: int, seconds_each: float) -> None:
        self.script = script
        self.told = Told()
        self.now = 0.0
        self._retries = retries
        self._seconds_each = seconds_each
        self._streams: dict[int, Stream] = {}

    def answer(self, effect: Any) -> Any:
        if isinstance(effect, Send | Open):
            return self._exchange(effect)
        if isinstance(effect, Read):
            return self._read(effect)
        if isinstance(effect, Sleep):
            self.now += effect.seconds
            self.told.sleeps.append(effect.seconds)
        elif isinstance(effect, Observe):
            self.told.observations.append(effect.observation)
        elif isinstance(effect, SpendRetry):
            self._retries -= 1
            return self._retries >= 0
        plain: dict[type, Any] = {Monotonic: self.now, WallClock: WALL + self.now, Random: 0.0}
        assert type(effect) in {*plain, Sleep, Observe, Close}, effect
        return plain.get(type(effect))

    def _exchange(self, effect: Send | Open) -> Any:
        line = said(effect.request)
        assert self.script, f"asked beyond the script: {line}"
        expected, answer = self.script.pop(0)
        assert line == expected
        self.told.requests.append(effect.request)
        self.now += self._seconds_each
        if isinstance(answer, Stream):
            key = len(self._streams) + 1
            self._streams[key] = answer
            return Body(200, JSON, key)
        return answer

    def _read(self, effect: Read) -> Any:
        stream = self._streams[effect.body.key]
        if stream.left:
            return stream.left.pop(0)
        if not stream.endless:
            return b""
        self.now += effect.silence_limit
        return SILENCE


def reply(value: Any, code: int = 200, **headers: str) -> Response:
    """A JSON reply; bytes are sent as they are."""
    data = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return Response(code, (*JSON, *((name.replace("_", "-"), text) for name, text in headers.items())), data)


def status_reply(code: int, reason: str, message: str, *, kind: str = "", field: str = "", **headers: str) -> Response:
    """A Status as an API server sends it."""
    details: dict[str, Any] = {"kind": kind, "causes": [{"field": field, "message": message}] if field else []}
    body = {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code}
    return reply({**body, "details": details}, code, **headers)


def not_found_reply(name: str = "hodei-worker-w1", kind: str = "pods") -> Response:
    return status_reply(404, "NotFound", f'{kind} "{name}" not found', kind=kind)


def events(*changes: tuple[str, dict[str, Any]]) -> bytes:
    """Watch events as their lines."""
    return b"".join(msgspec.json.encode({"type": kind, "object": item}) + b"\n" for kind, item in changes)
