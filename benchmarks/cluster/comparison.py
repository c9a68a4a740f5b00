"""A case on the cluster: who takes part, and what one round of it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from benchmarks.case import Contestant
from benchmarks.cluster.player import Player
from benchmarks.cluster.site import Site
from benchmarks.measure import Measured, Row, compared
from benchmarks.runner import CannotRun

Players = Mapping[Contestant, Player]
Samples = Mapping[Contestant, float | CannotRun]
"""CPU seconds of one round, or why there are none."""


@dataclass(frozen=True)
class ClusterCase:
    """`contestants`: their `peer` is a module of `cluster.clients`. `play` is one round, which is told its number."""

    name: str
    unit: str
    size: int
    site: Callable[[], AbstractContextManager[Site]]
    play: Callable[[Site, Players, int], Samples]
    contestants: tuple[Contestant, ...]

    def measure(self, rounds: int, progress: Callable[[str], None]) -> Sequence[Row]:
        """Raises: CannotRun where there is no cluster, or for the first contestant."""
        progress(f"{self.name}: preparing")
        troubles: dict[Contestant, str] = {}
        samples: dict[Contestant, list[float]] = {who: [] for who in self.contestants}
        with self.site() as site, _players(self.contestants, site.namespace) as players:
            for number in range(rounds + 1):
                progress(f"{self.name}: round {number} of {rounds}")
                taking_part = {who: player for who, player in players.items() if who not in troubles}
                for who, told in self.play(site, taking_part, number).items():
                    if isinstance(told, CannotRun):
                        troubles[who] = str(told)
                    elif number:  # the first time connections are made, and code is loaded
                        samples[who].append(told)
        ours = self.contestants[0]
        if ours in troubles:
            raise CannotRun(troubles[ours])
        return [
            Measured(who, trouble=troubles[who])
            if who in troubles
            else compared(who, self.size, samples[who], samples[ours])
            for who in self.contestants
        ]


def one_by_one(players: Players, step: Callable[[Contestant, Player], float]) -> Samples:
    """Each in turn; one that fails takes part no more."""
    samples: dict[Contestant, float | CannotRun] = {}
    for who, player in players.items():
        try:
            samples[who] = step(who, player)
        except CannotRun as error:
            samples[who] = error
    return samples


def expect(told: object, expected: object) -> None:
    """Raises: CannotRun for who has done something else."""
    if told != expected:
        raise CannotRun(f"gives another result: {str(told)[:60]}")


@contextmanager
def _players(contestants: Sequence[Contestant], namespace: str) -> Iterator[dict[Contestant, Player]]:
    players: dict[Contestant, Player] = {}
    try:
        for who in contestants:
            players[who] = Player(who.peer, namespace)
        yield players
    finally:
        for player in players.values():
            player.stop()
