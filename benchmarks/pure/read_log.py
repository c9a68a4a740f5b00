"""The chunks of a log -> its lines with their times, to the nanosecond."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.case import Case, Contestant
from benchmarks.data import busy_log, quiet_log

_AMOUNT = 100_000


def _messages(lines: list[Any]) -> list[str]:
    return [_message(line) for line in lines]


def _message(line: Any) -> str:
    if isinstance(line, str):
        return line
    return str(line[1] if isinstance(line, tuple) else line.message)


_CONTESTANTS = (
    Contestant("hodei-k8s", "hodei", "read_log"),
    Contestant("splitlines, message sliced (floor)", "plain_python", "slice_log", at_least=1 / 3),
    Contestant("splitlines, sliced in two", "plain_python", "slice_log_in_two"),
    Contestant("splitlines, datetime.fromisoformat", "plain_python", "read_log"),
)

BUSY_LOG = Case(
    name="read 100,000 log lines, as of a build",
    unit="line",
    size=_AMOUNT,
    data=partial(busy_log, _AMOUNT),
    proof=_messages,
    contestants=_CONTESTANTS,
)

QUIET_LOG = Case(
    name="read 100,000 log lines, one a second",
    unit="line",
    size=_AMOUNT,
    data=partial(quiet_log, _AMOUNT),
    proof=_messages,
    contestants=_CONTESTANTS,
)
