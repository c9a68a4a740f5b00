"""Interleaved rounds (A B C A B C ...): what disturbs the machine for a while disturbs every contestant alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from benchmarks.case import Case, Contestant
from benchmarks.runner import CannotRun, Runner


@dataclass(frozen=True)
class Measured:
    """`seconds`: CPU of one unit, median. `ratios`: to ours, one a round, sorted. `trouble`: why there are none."""

    contestant: Contestant
    seconds: float = 0.0
    ratios: tuple[float, ...] = ()
    trouble: str = ""

    @property
    def ratio(self) -> float:
        """Of the rounds the median: each compares two samples that were taken one soon after the other."""
        return statistics.median(self.ratios)

    @property
    def is_reached(self) -> bool | None:
        """Whether the target is reached, or None where there is none, or nothing to compare with."""
        if self.contestant.at_least is None or self.trouble:
            return None
        return self.ratio >= self.contestant.at_least


@dataclass(frozen=True)
class Fact:
    """What is no comparison of contestants: a size, an exponent. `target` in words, "" where there is none."""

    label: str
    value: float
    text: str
    target: str = ""
    is_reached: bool | None = None


Row: TypeAlias = Measured | Fact


@runtime_checkable
class Comparison(Protocol):
    """A case that is measured in its own way."""

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    def measure(self, rounds: int, progress: Callable[[str], None]) -> Sequence[Row]: ...


def measure(case: Case, rounds: int, progress: Callable[[str], None]) -> list[Measured]:
    """Every contestant of the case, the first one being what the others are compared with.

    Raises: CannotRun for the first one.
    """
    with _started(case) as runners:
        troubles = _unlike_the_first(runners)
        samples: dict[Contestant, list[float]] = {who: [] for who in runners}
        for number in range(rounds):
            progress(f"{case.name}: round {number + 1} of {rounds}")
            for who, runner in runners.items():
                if who not in troubles:
                    _take(runner, samples[who], troubles, who)
    ours = case.contestants[0]
    if ours in troubles:
        raise CannotRun(troubles[ours])
    return [
        Measured(who, trouble=troubles[who])
        if who in troubles
        else compared(who, case.size, samples[who], samples[ours])
        for who in case.contestants
    ]


def compared(who: Contestant, size: int, samples: list[float], ours: list[float]) -> Measured:
    """`samples` and `ours`: CPU seconds of `size` units, a number a round."""
    ratios = tuple(sorted(theirs / own for theirs, own in zip(samples, ours, strict=True)))
    return Measured(who, statistics.median(samples) / size, ratios)


def _take(runner: Runner, samples: list[float], troubles: dict[Contestant, str], who: Contestant) -> None:
    try:
        samples.append(runner.sample())
    except CannotRun as error:
        troubles[who] = str(error)


def _unlike_the_first(runners: dict[Contestant, Runner]) -> dict[Contestant, str]:
    """Who cannot take part, and why. Waits until all others are ready."""
    troubles: dict[Contestant, str] = {}
    proofs: dict[Contestant, str] = {}
    for who, runner in runners.items():
        try:
            proofs[who] = runner.prove()
        except CannotRun as error:
            troubles[who] = str(error)
    expected = next(iter(proofs.values()), "")
    return troubles | {who: "gives another result" for who, proof in proofs.items() if proof != expected}


@contextmanager
def _started(case: Case) -> Iterator[dict[Contestant, Runner]]:
    runners: dict[Contestant, Runner] = {}
    try:
        for who in case.contestants:
            runners[who] = Runner(case, who)
        yield runners
    finally:
        for runner in runners.values():
            runner.stop()
