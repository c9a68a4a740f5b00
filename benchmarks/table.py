"""Measurements as text."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.measure import Measured

_LABEL = 42
_VERDICT = {True: "reached", False: "MISSED", None: "not measured"}

HEAD = f"{'':{_LABEL}}{'CPU':>14}   {'times ours':>10}  {'of all rounds':>13}   target"


def render(case: Case, rows: list[Measured]) -> str:
    """A block of the table: a row a contestant."""
    return "\n".join([f"{case.name}, per {case.unit}", *map(_row, rows), ""])


def _row(row: Measured) -> str:
    label = f"  {row.contestant.label}"
    if row.trouble:
        return f"{label:{_LABEL}}{row.trouble}{_target(row)}"
    spread = f"{_number(row.ratios[0])}-{_number(row.ratios[-1])}"
    times = f"{_number(row.ratio):>10}  {spread:>13}"
    return f"{label:{_LABEL}}{row.seconds * 1e6:>11.2f} µs   {times}{_target(row)}".rstrip()


def _target(row: Measured) -> str:
    wanted = row.contestant.at_least
    if wanted is None:
        return ""
    return f"   >= {_number(wanted)}: {_VERDICT[row.is_reached]}"


def _number(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"
