"""What is compared: the same work on the same data, done by several contestants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Contestant:
    """A function of a module in `benchmarks.peers`, by name: it is imported only in the process that runs it.

    `prepare` names a function that makes its own input of the case's data, untimed. `at_least`: the target, as how many
    times the CPU time of the case's first contestant (which is ours) this one must take.
    """

    label: str
    peer: str
    function: str
    prepare: str = ""
    at_least: float | None = None


@dataclass(frozen=True)
class Case:
    """One comparison; `size` units of work make one run.

    `proof` turns a result into what must be equal for all contestants: who does less than the others is not faster.
    """

    name: str
    unit: str
    size: int
    data: Callable[[], Any]
    proof: Callable[[Any], object]
    contestants: tuple[Contestant, ...]
