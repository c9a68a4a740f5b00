"""A verdict and a timeline for a person: what is wrong by which evidence, and a bar for each phase of the start."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping, Sequence

import msgspec

from hodei_k8s_core.timeline import Timeline
from hodei_k8s_core.verdict import Blame, Category, Verdict
from hodei_k8s_core.worker import WorkerInfo, WorkerState
from hodei_k8s_transport.cli.output import plain

_ENDS = {
    "schedule": "scheduled",
    "prepare": "pulling",
    "pull": "pulled",
    "start": "started",
    "ready": "ready",
    "run": "finished",
}
"""With which milestone a phase is over."""
_UNDER_WAY = {"created": "schedule", "scheduled": "start", "pulling": "pull", "pulled": "start", "started": "ready"}
"""In which phase a worker is that got no further than a milestone."""
_MENDERS = {
    Blame.WORKER: "what runs in the worker",
    Blame.IMAGE: "the image",
    Blame.CONFIGURATION: "the configuration of the worker",
    Blame.CAPACITY: "the capacity of the cluster",
    Blame.PLATFORM: "the platform (the cluster or its nodes)",
    Blame.OPERATOR: "somebody's decision",
}
_NARROWEST = 8
_WIDEST = 60
_INDENT = "  "


class Phase(msgspec.Struct, frozen=True):
    """One phase of a start. `begin` and `seconds`: on the cluster's clock; `is_over`: it has ended."""

    name: str
    begin: float
    seconds: float
    is_over: bool = True


def verdict_lines(verdict: Verdict) -> list[str]:
    """The verdict, what it means, and the evidence, in lines."""
    again = "a new worker like it could succeed" if verdict.retryable else "a new worker like it would fail too"
    lasts = "it cannot recover by itself" if verdict.terminal else "it may pass by itself"
    if verdict.category is Category.EXITED and verdict.terminal:
        lasts = "it is over"
    causes = [("cause", str(cause)) for cause in verdict.causes]
    evidence = [("evidence", str(one)) for one in verdict.evidence]
    rows = [
        ("verdict", str(verdict)),
        ("fault of", _MENDERS[verdict.blame]),
        ("outlook", f"{lasts}; {again}"),
        *([("last words", verdict.termination_message)] if verdict.termination_message else []),
        *([("finalizers", ", ".join(verdict.finalizers))] if verdict.finalizers else []),
        *causes,
        *evidence,
    ]
    width = max(len(name) for name, _ in rows)
    named = ["" if number and rows[number - 1][0] == name else name for number, (name, _) in enumerate(rows)]
    return [f"{name.ljust(width)}   {plain(text)}" for name, (_, text) in zip(named, rows, strict=True)]


def timeline_lines(timeline: Timeline) -> list[str]:
    """The milestones: the first with its date, each later one by how long after that; and where each was read."""
    reached = timeline.reached
    if not reached:
        return []
    begin = next(iter(reached.values())).at
    rows = [
        (name, _date(one.at) if one.at == begin and not number else f"{one.at - begin:+.1f} s", one.source)
        for number, (name, one) in enumerate(reached.items())
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return [f"{name.ljust(widths[0])}   {at.rjust(widths[1])}   {plain(source)}" for name, at, source in rows]


def phases(info: WorkerInfo, now: float) -> list[Phase]:
    """The phases that are over, and the one that goes on. `now`: seconds since the epoch."""
    timeline = info.timeline
    if timeline is None:
        return []
    reached = timeline.reached
    found = [
        Phase(name, reached[_ENDS[name]].at - seconds, seconds)
        for name, seconds in timeline.durations.items()
        if _ENDS[name] in reached
    ]
    going_on = _going_on(info, reached)
    if going_on is not None:
        since = max(one.at for one in reached.values())
        found.append(Phase(going_on, since, max(0.0, now - since), is_over=False))
    return found


def chart_lines(found: Sequence[Phase], width: int) -> list[str]:
    """A bar for each phase of the start, where it lies in time; how long the worker ran is a number only."""
    if not found:
        return []
    names = max(len(phase.name) for phase in found)
    times = {phase.name: _seconds(phase) for phase in found}
    time_width = max(map(len, times.values()))
    room = min(_WIDEST, width - len(_INDENT) - names - time_width - 6)
    start = [phase for phase in found if phase.name != "run"]
    bars = _bars(start, room) if room >= _NARROWEST else {}
    return [
        f"{phase.name.ljust(names)}   {times[phase.name].rjust(time_width)}   {bars.get(phase.name, '')}".rstrip()
        for phase in found
    ]


def _going_on(info: WorkerInfo, reached: Mapping[str, object]) -> str | None:
    if not reached or info.state in (WorkerState.TERMINATING, WorkerState.TERMINATED):
        return None
    if "ready" in reached or info.state in (WorkerState.READY, WorkerState.BUSY, WorkerState.DRAINING):
        return "run"
    return _UNDER_WAY.get([name for name in reached if name != "deleted"][-1])


def _bars(found: Sequence[Phase], room: int) -> dict[str, str]:
    if not found:
        return {}
    first = min(phase.begin for phase in found)
    whole = max(phase.begin + phase.seconds for phase in found) - first
    scale = room / whole if whole > 0 else 0.0
    block, thin, more = ("█", "▏", "▒") if _shows_blocks() else ("#", "|", ">")
    bars = {}
    for phase in found:
        length = round(phase.seconds * scale)
        before = min(round((phase.begin - first) * scale), room - max(1, length))
        bars[phase.name] = " " * before + (block if phase.is_over else more) * length if length else " " * before + thin
    return bars


def _shows_blocks() -> bool:
    try:
        "█▏▒".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _seconds(phase: Phase) -> str:
    return f"{phase.seconds:.1f} s{'' if phase.is_over else ' …' if _shows_blocks() else ' ...'}"


def _date(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
