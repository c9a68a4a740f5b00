"""The helper that the other tests run coordinators with: a child without room waits, one that is stopped is closed."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Sequence
from typing import Any

import pytest

from hodei_k8s_core.coordinators import Action, Start, Stop
from hodei_k8s_core.effects import Emit, Sleep, StopRequested
from hodei_k8s_core.simulation.world import World
from tests.core.coordinated import coordinated


class InTurn:
    """Takes a batch of each at most; stops `endless` when the others have ended."""

    def __init__(self, **streams: Any) -> None:
        self.streams = streams
        self.waiting: dict[str, Sequence[Any]] = {}
        self.error: Exception | None = None

    def begin(self) -> Sequence[Action]:
        return [Start(child, stream) for child, stream in self.streams.items()]

    def has_room(self, child: str) -> bool:
        return child not in self.waiting

    def emitted(self, child: str, items: Sequence[Any]) -> Sequence[Action]:
        assert child not in self.waiting
        self.waiting[child] = items
        return ()

    def ended(self, child: str, result: Any) -> Sequence[Action]:
        del self.streams[child]
        left = "endless" in self.streams and len(self.streams) == 1
        return [Stop("endless"), Stop("unknown")] if left else ()

    def failed(self, child: str, error: Exception) -> Sequence[Action]:
        self.error = error
        return ()

    def take(self) -> tuple[str, Sequence[Any]] | None:
        return self.waiting.popitem() if self.waiting else None

    @property
    def is_over(self) -> bool:
        return not self.streams.keys() - {"endless"}


def count(name: str, upto: int) -> Generator[Any, Any, str]:
    for number in range(upto):
        yield from Sleep(0.1)
        yield from Emit([(name, number)])
    return name


def endless(closed: list[str]) -> Generator[Any, Any, None]:
    try:
        while True:
            yield from Sleep(1)
    finally:
        closed.append("endless")


def test_all_items_come_and_who_is_stopped_is_closed() -> None:
    closed: list[str] = []
    coordinator = InTurn(a=count("a", 3), b=count("b", 2), endless=endless(closed))
    turns = itertools.count()
    taken = World().run(coordinated(coordinator, pick=lambda running: running[next(turns) % len(running)])).result
    assert sorted(taken) == [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1)]
    assert taken != sorted(taken)
    assert closed == ["endless"]


def test_an_error_is_the_coordinators() -> None:
    def fails() -> Generator[Any, Any, None]:
        yield from Sleep(1)
        raise ValueError("a bug")

    closed: list[str] = []
    running = coordinated(InTurn(a=fails(), endless=endless(closed)))
    next(running)
    with pytest.raises(ValueError, match="a bug"):
        running.send(None)


def test_a_stop_ends_all() -> None:
    closed: list[str] = []
    running = coordinated(InTurn(endless=endless(closed), a=count("a", 1)))
    next(running)
    with pytest.raises(StopRequested):
        running.throw(StopRequested())
    assert closed == ["endless"]
