"""Results as JSON, for a chart, a comparison with another day, or a dashboard."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Fact, Row


@dataclass(frozen=True)
class Result:
    """What one case gave."""

    group: str
    case: str
    unit: str
    rows: tuple[Row, ...]


def report(results: Sequence[Result], rounds: int, machine: Sequence[str]) -> str:
    """One JSON object; times in microseconds of CPU a unit, ratios as multiples of ours."""
    told = {
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": list(machine),
        "rounds": rounds,
        "cases": [
            {"group": one.group, "case": one.case, "unit": one.unit, "rows": [_row(row) for row in one.rows]}
            for one in results
        ],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _row(row: Row) -> dict[str, Any]:
    if isinstance(row, Fact):
        return _given(label=row.label, value=row.value, text=row.text, target=row.target, reached=row.is_reached)
    who = row.contestant
    if row.trouble:
        return _given(label=who.label, trouble=row.trouble, at_least=who.at_least)
    return _given(
        label=who.label,
        microseconds=round(row.seconds * 1e6, 4),
        times_ours=round(row.ratio, 4),
        least=round(row.ratios[0], 4),
        greatest=round(row.ratios[-1], 4),
        at_least=who.at_least,
        reached=row.is_reached,
    )


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != ""}
