"""What one round of each case is."""

from __future__ import annotations

from benchmarks.case import Contestant
from benchmarks.cluster.comparison import Players, Samples, expect, one_by_one
from benchmarks.cluster.player import Player
from benchmarks.cluster.site import AT_A_TIME, LINES, PODS, Site
from benchmarks.runner import CannotRun
from benchmarks.worker import Worker, workers

MADE = 64
"""Pods that each contestant makes and takes away in a round."""
READ = 128
LISTS = 16


def create(_site: Site, players: Players, number: int) -> Samples:
    """Made, measured; taken away again, unmeasured."""
    made = _new_workers(number)

    def step(_who: Contestant, player: Player) -> float:
        _warm(player)
        seconds, names = player.do("each", "create", made)
        expect(names, _names(made))
        player.do("each", "delete", _names(made))
        return seconds

    return one_by_one(players, step)


def delete(_site: Site, players: Players, number: int) -> Samples:
    """Made, unmeasured; taken away, measured."""
    made = _new_workers(number)

    def step(_who: Contestant, player: Player) -> float:
        player.do("each", "create", made)
        return player.do("each", "delete", _names(made))[0]

    return one_by_one(players, step)


def get(site: Site, players: Players, _number: int) -> Samples:
    """Pods that are there."""
    names = sorted(site.names[:READ])

    def step(_who: Contestant, player: Player) -> float:
        player.do("each", "get", names[:AT_A_TIME])
        seconds, told = player.do("each", "get", names)
        expect(told, names)
        return seconds

    return one_by_one(players, step)


def count(_site: Site, players: Players, _number: int) -> Samples:
    """Lists of all that are there."""

    def step(_who: Contestant, player: Player) -> float:
        _warm(player)
        seconds, told = player.do("each", "count", range(LISTS))
        expect(told, [str(PODS)] * LISTS)
        return seconds

    return one_by_one(players, step)


def watch(site: Site, players: Players, number: int) -> Samples:
    """All at once, so that all see the same events at the same times."""
    mark = f"round-{number}"
    samples: dict[Contestant, float | CannotRun] = {}
    for player in players.values():
        player.begin("watch", mark, PODS)
    samples.update(one_by_one(players, lambda _who, player: _ready(player)))
    watching = {who: player for who, player in players.items() if not isinstance(samples[who], CannotRun)}
    site.mark(mark)
    samples.update(one_by_one(watching, lambda _who, player: player.end()[0]))
    return samples


def follow(site: Site, players: Players, _number: int) -> Samples:
    """The whole log."""

    def step(_who: Contestant, player: Player) -> float:
        seconds, told = player.do("follow", site.logger)
        expect(told, LINES)
        return seconds

    return one_by_one(players, step)


def _warm(player: Player) -> None:
    """Connections that were lost while it waited for its turn are made again."""
    player.do("each", "count", range(AT_A_TIME))


def _ready(player: Player) -> float:
    player.wait_until_ready()
    return 0.0


def _new_workers(number: int) -> list[Worker]:
    """Others in every round; beyond those that a site has."""
    first = PODS + MADE * number
    return workers(first + MADE)[first:]


def _names(made: list[Worker]) -> list[str]:
    return sorted(f"hodei-worker-{worker.id}" for worker in made)
