"""Reads the documents that hold recorded bytes of real API servers, one scenario each:

    {"scenario": "succeeds", "kubernetes": "v1.36.3", "recorded": "2026-11-23", "steps": [
      {"at": 0.331, "note": "create",
       "request": {"method": "POST", "path": "/api/v1/…?…", "body": {…} | null},
       "response": {"status": 201, "headers": {"content-type": "application/json"}, "body": "…"}},
      {"at": 0.352, "note": "watch",
       "request": {…},
       "response": {"status": 200, "headers": {…}, "lines": [{"at": 0.355, "line": "…"}, …]}}]}

`at` is seconds since the beginning; `body` and `line` are the bytes as text. A response with `lines` is a body that was
kept open: each line becomes a chunk, with its line feed, and the body ends cleanly after the last one (how it ended is
not in the document). Requests have no headers there, so none are compared.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec

from hodei_k8s_transport.channels.recording.exchange import (
    Answered,
    Asked,
    Chunk,
    End,
    Event,
    Exchange,
    Head,
    InvalidRecording,
    Recording,
)


class _Line(msgspec.Struct, frozen=True):
    at: float
    line: str


class _Request(msgspec.Struct, frozen=True):
    method: str
    path: str
    body: Any = None


class _Response(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str] = {}
    body: str = ""
    lines: tuple[_Line, ...] | None = None


class _Step(msgspec.Struct, frozen=True):
    at: float
    request: _Request
    response: _Response
    note: str = ""


class _Scenario(msgspec.Struct, frozen=True):
    steps: tuple[_Step, ...]


def parse_scenario(data: bytes) -> Recording:
    """The recording in such a document. Raises `InvalidRecording`."""
    try:
        scenario = msgspec.json.decode(data, type=_Scenario)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidRecording(f"this is neither a recording nor a recorded scenario: {error}") from None
    return Recording(tuple(_exchange(number, step) for number, step in enumerate(scenario.steps, start=1)))


def _exchange(number: int, step: _Step) -> Exchange:
    path, _, query = step.request.path.partition("?")
    asked = Asked(
        exchange=number,
        at=step.at,
        how="send" if step.response.lines is None else "open",
        method=step.request.method,
        path=path,
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        text="" if step.request.body is None else msgspec.json.encode(step.request.body).decode(),
        note=step.note,
    )
    return Exchange(asked, _followed(number, step))


def _followed(number: int, step: _Step) -> tuple[Event, ...]:
    response = step.response
    headers = tuple((name.lower(), value) for name, value in response.headers.items())
    if response.lines is None:
        return (Answered(exchange=number, at=step.at, status=response.status, headers=headers, text=response.body),)
    chunks = [Chunk(exchange=number, at=line.at, text=line.line + "\n") for line in response.lines]
    end = chunks[-1].at if chunks else step.at
    return (
        Head(exchange=number, at=step.at, status=response.status, headers=headers),
        *chunks,
        End(exchange=number, at=end),
    )
