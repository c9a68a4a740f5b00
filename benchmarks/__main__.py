"""`python -m benchmarks`: one table of ratios, measured in one run. Exit code 1 if a target was missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import cluster, loopback, pure, scale, simulation, startup
from benchmarks.case import Case
from benchmarks.chart import chart
from benchmarks.machine import machine
from benchmarks.measure import Comparison, Fact, Row, measure
from benchmarks.report import Result, report
from benchmarks.runner import CannotRun
from benchmarks.table import HEAD, render

GROUPS: dict[str, Sequence[Case | Comparison]] = {
    "pure": pure.CASES,
    "loopback": loopback.CASES,
    "cluster": cluster.CASES,
    "scale": scale.CASES,
    "simulation": simulation.CASES,
    "startup": startup.CASES,
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    print("\n".join(machine()), f"medians of {options.rounds} interleaved rounds, CPU time", "", HEAD, sep="\n")
    results = []
    for group, case in options.cases:
        rows = _rows(case, options.rounds)
        _progress("")
        print(render(case, rows), flush=True)
        results.append(Result(group, case.name, case.unit, tuple(rows)))
    if options.json is not None:
        options.json.write_text(report(results, options.rounds, machine()))
    if options.svg is not None:
        options.svg.write_text(chart(results, machine()))
    return int(any(row.is_reached is False for result in results for row in result.rows))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; all of them by default")
    parser.add_argument("--only", default="", metavar="TEXT", help="the cases whose name contains this")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each case (7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results, with machine and versions")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw them as one chart")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.groups if name not in GROUPS]:
        parser.error(f"there is no group {unknown[0]!r}, only {', '.join(GROUPS)}")
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    groups = options.groups or GROUPS
    options.cases = [(name, case) for name in groups for case in GROUPS[name] if options.only in case.name]
    if not options.cases:
        parser.error(f"no case's name contains {options.only!r}")
    return options


def _rows(case: Case | Comparison, rounds: int) -> Sequence[Row]:
    try:
        return case.measure(rounds, _progress) if isinstance(case, Comparison) else measure(case, rounds, _progress)
    except CannotRun as error:
        return [Fact(label="not measured", value=0.0, text=str(error))]


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
