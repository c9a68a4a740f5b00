"""Whether the loops of one cluster move, by what its operations observe: each exchange and each step is a beat."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.observations import Observation, StepStarted, WatchHeard, WatchReconnected
from hodei_k8s_core.serving.probes import Loop

WATCH: Final = "watch"
RECONCILE: Final = "reconcile"
LEAD: Final = "lead"
_TICKS: Final = 60.0


class Beats:
    """An observer. `limits`: seconds by loop, in which it must move: what its slowest step may take, twice."""

    def __init__(self, config: KubernetesConfig, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        step = config.operation_timeout + config.request_timeout
        self._limits = {
            WATCH: 2 * (config.silence_limit + config.watch.max_delay + step),
            RECONCILE: 2 * step + _TICKS,
            LEAD: 2 * step + _TICKS,
        }
        self._moved: dict[str, float] = {}

    @property
    def loops(self) -> dict[str, Loop]:
        """Those that have begun and have not ended."""
        return {name: Loop(at, self._limits[name]) for name, at in self._moved.items()}

    def beat(self, name: str) -> None:
        """The loop moves."""
        self._moved[name] = self._monotonic()

    def end(self, name: str) -> None:
        """The loop has ended, as it should."""
        self._moved.pop(name, None)

    def observe(self, observation: Observation) -> None:
        """What an operation observes says that its loop moves."""
        if isinstance(observation, WatchHeard | WatchReconnected):
            name = WATCH
        elif isinstance(observation, StepStarted) and observation.operation in (RECONCILE, LEAD):
            name = observation.operation
        else:
            return
        if name in self._moved:
            self.beat(name)
