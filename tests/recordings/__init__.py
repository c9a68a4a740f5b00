"""What real API servers answered: a folder a version, a file a scenario, each a list of exchanges.

`load("v1.36/succeeds")` gives the exchanges; bodies and watch lines are the server's own bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parent
V1_36 = tuple(sorted(path.stem for path in (FOLDER / "v1.36").glob("*.json")))


class RecordedLine(msgspec.Struct, frozen=True):
    """One line of a watch, and when it came (seconds from the start of the recording)."""

    at: float
    line: str


class RecordedRequest(msgspec.Struct, frozen=True):
    method: str
    path: str
    body: Any = None


class RecordedResponse(msgspec.Struct, frozen=True):
    """`body` of a whole reply, or `lines` of a watch."""

    status: int
    headers: dict[str, str] = {}
    body: str = ""
    lines: tuple[RecordedLine, ...] = ()


class Exchange(msgspec.Struct, frozen=True):
    at: float
    note: str
    request: RecordedRequest
    response: RecordedResponse


class Recording(msgspec.Struct, frozen=True):
    scenario: str
    kubernetes: str
    steps: tuple[Exchange, ...]

    def bodies(self, note: str) -> list[bytes]:
        """The bodies of the replies to all exchanges of that note."""
        return [step.response.body.encode() for step in self.steps if step.note == note]

    def pods(self) -> list[bytes]:
        """Every Pod that the server told, in order: in replies, and in the events of watches."""
        return [pod for step in self.steps for pod in _pods(step.response)]


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Object(msgspec.Struct):
    kind: str = ""


def load(name: str) -> Recording:
    """The recording `name`, such as `v1.36/succeeds`."""
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=Recording)


def _pods(response: RecordedResponse) -> list[bytes]:
    events = (msgspec.json.decode(told.line, type=_Event) for told in response.lines)
    objects = [bytes(event.object) for event in events]
    if response.body.startswith("{"):
        objects.append(response.body.encode())
    return [data for data in objects if msgspec.json.decode(data, type=_Object).kind == "Pod"]
