"""What the sync and the async driver share and that never blocks: clocks, chance, the retry budget, the observer.

One `Host` belongs to one provider. Closing it makes every operation of that provider end with `ProviderClosed`.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from hodei_k8s_core.effects import Monotonic, Observe, Random, SpendRetry, WallClock
from hodei_k8s_core.errors import ProviderClosed
from hodei_k8s_core.observations import Observation

_log = logging.getLogger("hodei_k8s")


class RetryBudget(Protocol):
    """The retries that all operations of a provider share; `now` in monotonic seconds."""

    def spend(self, now: float) -> bool: ...


class RandomSource(Protocol):
    """`random.Random` and `random.SystemRandom` are such."""

    def random(self) -> float: ...


class UnlimitedRetries:
    """A budget that is never used up."""

    def spend(self, now: float) -> bool:  # noqa: ARG002
        return True


def ignore_observation(observation: Observation) -> None:
    """The observer of a host that does not want to know."""


class Host:
    """Clocks, chance, the retry budget and the observer of one provider; safe to share by threads.

    `observer` is called in the thread or task of the operation and should return at once; what it raises is logged and
    does not reach the operation. `random_source` gives jitter and creation tokens: the system's by default.
    """

    def __init__(
        self,
        *,
        retry_budget: RetryBudget | None = None,
        observer: Callable[[Observation], None] = ignore_observation,
        random_source: RandomSource | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.monotonic = monotonic
        self._budget = UnlimitedRetries() if retry_budget is None else retry_budget
        self._budget_lock = threading.Lock()
        self._observer = observer
        self._random = random.SystemRandom() if random_source is None else random_source
        self._wall_clock = wall_clock
        self._closed = False
        self._on_close: set[Callable[[], None]] = set()
        self._table: dict[type, Callable[[Any], Any]] = {
            Monotonic: lambda _: self.monotonic(),
            WallClock: lambda _: self._wall_clock(),
            Random: lambda _: self._random.random(),
            SpendRetry: lambda _: self._spend_retry(),
            Observe: self._observe,
        }

    def perform(self, effect: object) -> Any:
        """The reply to an effect that needs no waiting.

        Raises:
            TypeError: it is none (most likely a `yield` where a `yield from` was meant).
        """
        perform = self._table.get(type(effect))
        if perform is None:
            raise TypeError(f"an operation yielded a {type(effect).__name__}, which this driver does not perform")
        return perform(effect)

    @property
    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """End all operations of this provider with `ProviderClosed`: running ones at their next step."""
        self._closed = True
        for wake in tuple(self._on_close):
            wake()

    def ensure_open(self) -> None:
        """Raises: ProviderClosed: `close` was called."""
        if self._closed:
            raise ProviderClosed("the provider is closed")

    def on_close(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when the host closes, until `forget`."""
        self._on_close.add(wake)

    def forget(self, wake: Callable[[], None]) -> None:
        self._on_close.discard(wake)

    def _spend_retry(self) -> bool:
        with self._budget_lock:
            return self._budget.spend(self.monotonic())

    def _observe(self, effect: Observe) -> None:
        try:
            self._observer(effect.observation)
        except Exception:  # noqa: BLE001
            _log.warning("the observer failed on %s", type(effect.observation).__name__, exc_info=True)
