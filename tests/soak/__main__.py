"""A fleet in virtual time with every fault at random, seed after seed. A seed that fails prints how to run it again."""

from __future__ import annotations

import argparse
import sys
import time

from tests.soak.bugs import BUGS, injected
from tests.soak.fleet import Fleet, Report


def main() -> int:
    options = _options()
    began, seed, failed = time.monotonic(), options.seed, 0
    while seed < options.seed + options.seeds and time.monotonic() - began < options.seconds:
        at = time.monotonic()
        with injected(options.bug):
            report = Fleet(seed, options.workers, options.hours).run()
        _show(report, time.monotonic() - at)
        if report.wrong:
            failed += 1
            bug = f" --bug {options.bug}" if options.bug else ""
            size = f"--workers {options.workers} --hours {options.hours:g}"
            _say(f"  again: python -m tests.soak --seed {seed} --seeds 1 {size}{bug}")
            if not options.all:
                break
        seed += 1
    _say(f"{seed - options.seed} seeds in {time.monotonic() - began:.0f} s, {failed} failed")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--workers", type=int, default=2000, help="lives in those hours")
    parser.add_argument("--hours", type=float, default=24.0, help="of simulated time")
    parser.add_argument("--seed", type=int, default=1, help="the first")
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no seed after so many real seconds")
    parser.add_argument("--all", action="store_true", help="go on after a seed that failed")
    parser.add_argument("--bug", choices=["", *BUGS], default="", help="put this bug in; it must be found")
    return parser.parse_args()


def _show(report: Report, took: float) -> None:
    speed = f"{report.hours / took:.1f} simulated hours per second, {report.requests / took:.0f} requests per second"
    told = f"{report.requests} requests, {report.faults} faults, {report.changes} versions"
    _say(f"seed {report.seed}: {'FAILED' if report.wrong else 'holds'} ({told}; {took:.1f} s, {speed})")
    for wrong in report.wrong[:20]:
        _say(f"  {wrong}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
