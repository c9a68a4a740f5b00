"""Watch a fleet: how every worker of a provider changes, and how old that picture is. One list, then one watch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.diagnosis.look import lean_worker
from hodei_k8s_core.effects import Emit, Monotonic, Observe, Operation, StopRequested, Stream, WallClock
from hodei_k8s_core.labels import managed_selector
from hodei_k8s_core.observations import FleetChanged
from hodei_k8s_core.operations.fleet_fold import FleetFold
from hodei_k8s_core.operations.pod_listing import PAGE_SIZE, Page
from hodei_k8s_core.operations.pod_watch import News, PodWatch
from hodei_k8s_core.operations.removals import settle_removals
from hodei_k8s_core.operations.watch_trouble import Connected, Lost
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.verdict import Verdict
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo
from hodei_k8s_core.worker_change import FleetItem, Freshness, WatchHealth, WorkerChange

RECHECK_PERIOD: Final = 1.0
"""Seconds at least between two looks at what time alone may have changed."""
FLEET: Final = "fleet"
"""What observers know the watch on a whole fleet by."""
PROBATION: Final = 0.5
"""Seconds: a connection that was opened again can say at once that its version has expired. If it does not, all is
well."""


def watch_workers(
    config: KubernetesConfig, *, selector: str = "", namespace: str | None = None
) -> Stream[FleetItem, None]:
    """Every change of a worker of `config.provider_id`, and of how old that picture is; it ends when it is stopped.

    `selector`: labels that a worker must have besides, as Kubernetes writes it. `namespace`: another one than the
    configured one. First come all workers as ADDED, then SYNCED; from there on a host that folds in every item has
    the fleet as it is. Nothing is told twice, and after a break only what has changed meanwhile. A worker that came
    and went while the server's history was lost (410) is not seen.

    Raises: ConnectionFailed, AuthenticationFailed, ConfigurationError: at once when it cannot begin, later only for
    what does not pass.
    """
    fleet = FleetWatch(in_namespace(config, namespace), what="watch the workers", selector=selector, observed_as=FLEET)
    try:
        while True:
            items = yield from fleet.next_items()
            if items:
                yield from Emit(items)
    except StopRequested:
        yield from fleet.let_go()


def in_namespace(config: KubernetesConfig, namespace: str | None) -> KubernetesConfig:
    """The settings for looking into another namespace; None: as they are. Raises: ConfigurationError."""
    return config if namespace is None else msgspec.structs.replace(config, namespace=namespace)


class FleetWatch:
    """The watch on a fleet as a pull machine: what changed, and the health where it is another than before."""

    def __init__(
        self,
        config: KubernetesConfig,
        *,
        what: str,
        selector: str = "",
        page_size: int = PAGE_SIZE,
        describe: Callable[[Pod, Verdict | None], WorkerInfo] = lean_worker,
        observed_as: str = "",
    ) -> None:
        selectors = [managed_selector(config.provider_id), *([selector] if selector else [])]
        self._config = config
        labels = ",".join(selectors)
        self._watch = PodWatch(config, what=what, label_selector=labels, page_size=page_size, observed_as=observed_as)
        self._fold = FleetFold(config.startup, describe)
        self._clock_ahead: float | None = None
        self._health: WatchHealth | None = None
        self._rechecked_at = -math.inf
        self._is_on_probation = False

    @property
    def is_whole(self) -> bool:
        """A list was read to its end, so a worker that was not told does not exist."""
        return self._health is not None

    @property
    def puzzles(self) -> Mapping[str, Pod]:
        """The Pods in view about which events can say more, by uid; as of the last `find_puzzles`.

        The watch itself never asks for events.
        """
        return self._fold.puzzles

    def find_puzzles(self) -> None:
        """Examine what is new since the last time."""
        self._fold.find_puzzles()

    def now(self) -> Operation[float]:
        """Seconds since the epoch by the cluster's clock, which the ages of Pods are compared with."""
        return self.by_server_clock((yield from WallClock()))

    def by_server_clock(self, wall_clock: float) -> float:
        """What the cluster's clock shows when the host's shows `wall_clock`, in seconds since the epoch."""
        return wall_clock + (self._clock_ahead or 0.0)

    def starting(self, handle: WorkerHandle) -> Pod | None:
        """The worker's Pod while its start goes on."""
        pod = self._fold.changing(handle.pod_name)
        return pod if pod is not None and handle.pod_uid in ("", pod.metadata.uid) else None

    def next_items(self, *, look_at: float = math.inf) -> Operation[list[FleetItem]]:
        """What is new; empty now and then, and as soon as it is `look_at` by the cluster's clock."""
        news = yield from self._watch.next_news(within=(yield from self._until_look(look_at)))
        if isinstance(news, Page | Connected) and news.date is not None:
            self._clock_ahead = _better(self._clock_ahead, news.date - (yield from WallClock()))
        changes = yield from settle_removals(self._config, (yield from self._changes(news)))
        if changes:
            yield from Observe(FleetChanged())
        health = yield from self._new_health(news)
        return [*changes, *([] if health is None else [health])]

    def let_go(self) -> Operation[None]:
        """Let go of the connection."""
        yield from self._watch.let_go()

    def _until_look(self, look_at: float) -> Operation[float | None]:
        """Seconds after which something is to be done though nothing came."""
        settled = PROBATION if self._is_on_probation else math.inf
        recheck = min(look_at, max(self._fold.recheck_at, self._rechecked_at + RECHECK_PERIOD))
        if recheck == math.inf:
            return None if settled == math.inf else settled
        return min(settled, recheck - (yield from self.now()))

    def _changes(self, news: News) -> Operation[list[WorkerChange]]:
        now = yield from self.now()
        if isinstance(news, Page):
            return self._fold.page(news, now)
        changes = [] if isinstance(news, Lost | Connected) else self._fold.events(news, now)
        if max(self._fold.recheck_at, self._rechecked_at + RECHECK_PERIOD) <= now:
            self._rechecked_at = now
            changes += self._fold.recheck(now)
        return changes

    def _new_health(self, news: News) -> Operation[WatchHealth | None]:
        before, health = self._health, None
        if isinstance(news, Lost) and before is not None:
            health = yield from self._lost(news, before)
        elif news.ends if isinstance(news, Page) else self._is_on_probation:
            health = WatchHealth(freshness=Freshness.SYNCED, since=(yield from WallClock()))
        self._is_on_probation = isinstance(news, Connected)
        if health is None or (before is not None and _same(health, before)):
            return None
        self._health = health
        return health

    def _lost(self, news: Lost, before: WatchHealth) -> Operation[WatchHealth]:
        since = before.since
        if before.is_synced:
            since = (yield from WallClock()) - ((yield from Monotonic()) - news.heard)
        freshness = Freshness.RECONNECTING if news.row == 1 else Freshness.STALE
        because = news.cause if news.failure is None else f"{news.cause}: {news.failure}"
        return WatchHealth(freshness=freshness, since=since, because=because)


def _better(before: float | None, now: float) -> float:
    """By how much the server's clock is ahead. It tells whole seconds, so the most that it ever said is the nearest,
    and the time does not go back; but a clock that was set says something else."""
    return now if before is None or before - now > 1.5 else max(before, now)


def _same(one: WatchHealth, other: WatchHealth) -> bool:
    return (one.freshness, one.because) == (other.freshness, other.because)
