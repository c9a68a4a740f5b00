"""Measurements as text."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.case import Case
from benchmarks.measure import Comparison, Fact, Measured, Row

_LABEL = 42
_VERDICT = {True: "reached", False: "MISSED", None: "not measured"}

HEAD = f"{'':{_LABEL}}{'CPU':>14}   {'times ours':>10}  {'of all rounds':>13}   target"


def render(case: Case | Comparison, rows: Sequence[Row]) -> str:
    """A block of the table: a row a contestant."""
    lines = [_fact(row) if isinstance(row, Fact) else _row(row) for row in rows]
    return "\n".join([f"{case.name}, per {case.unit}" if case.unit else case.name, *lines, ""])


def _fact(row: Fact) -> str:
    verdict = f"   {row.target}: {_VERDICT[row.is_reached]}" if row.target else ""
    return f"  {row.label:{_LABEL - 2}}{row.text:>14}{verdict}"


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
