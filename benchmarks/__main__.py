"""`python -m benchmarks`: one table of ratios, measured in one run. Exit code 1 if a target was missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks import pure
from benchmarks.case import Case
from benchmarks.machine import machine
from benchmarks.measure import measure
from benchmarks.table import HEAD, render

GROUPS: dict[str, tuple[Case, ...]] = {"pure": pure.CASES}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; all of them by default")
    parser.add_argument("--only", default="", metavar="TEXT", help="the cases whose name contains this")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each case (7)")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.groups if name not in GROUPS]:
        parser.error(f"there is no group {unknown[0]!r}, only {', '.join(GROUPS)}")
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    cases = [case for name in options.groups or GROUPS for case in GROUPS[name] if options.only in case.name]
    if not cases:
        parser.error(f"no case's name contains {options.only!r}")
    print("\n".join(machine()), f"medians of {options.rounds} interleaved rounds, CPU time", "", HEAD, sep="\n")
    missed = False
    for case in cases:
        rows = measure(case, options.rounds, _progress)
        _progress("")
        print(render(case, rows), flush=True)
        missed |= any(row.is_reached is False for row in rows)
    return int(missed)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
