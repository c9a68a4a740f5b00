"""How long a reader of a log waits before it asks again, and when it has waited long enough."""

from __future__ import annotations

from typing import Final

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Monotonic, Observe, Operation, Random, Sleep
from hodei_k8s_core.log_entry import GapReason
from hodei_k8s_core.observations import LogGapMet, LogReconnected
from hodei_k8s_core.operations.failures import error_for
from hodei_k8s_core.operations.watch_trouble import is_final, is_interruption
from hodei_k8s_core.retry import Failure, policy_delay

LONGEST_PAUSE: Final = 5.0
"""Seconds. A node that cannot watch its files still serves them, so asking again and again is a way to follow."""
UNFINISHED_PAUSE: Final = 0.5
"""Seconds, for a runtime to write the rest of a line."""


class LogTroubles:
    """What a reader has met since something last went well. `what` names it in errors."""

    def __init__(self, config: KubernetesConfig, what: str) -> None:
        self._config = config
        self._what = what
        self._rounds = 0
        self._failures = 0
        self._was_answered = False
        self._failing_since: float | None = None
        self._failure: Failure | None = None

    def answered(self) -> None:
        """The server did what it was asked."""
        self._was_answered = True
        self._failing_since, self._failure, self._failures = None, None, 0

    def moved_on(self) -> None:
        """There were new lines."""
        self._rounds = 0

    def met(self, cause: str, failure: Failure | None = None) -> Operation[None]:
        """Something broke. `cause` is from a bounded set."""
        yield from Observe(LogReconnected(cause))
        if is_interruption(failure):  # pragma: no cover - only a driver breaks off a wait; tests/transport has it
            self.moved_on()
        elif failure is not None:
            self._failure = failure
            self._failures += 1

    def lost_lines(self, reason: GapReason) -> Operation[None]:
        """Lines cannot be had any more."""
        yield from Observe(LogGapMet(reason.value))

    def pause(self) -> Operation[None]:
        """Wait before the next request, longer as long as nothing new comes.

        Raises what failed last, when it cannot pass by itself or has lasted too long.
        """
        now = yield from Monotonic()
        if self._failure is not None:
            self._failing_since = now if self._failing_since is None else self._failing_since
            if now - self._failing_since >= self._patience(self._failure):
                raise error_for(self._failure, what=self._what, attempts=self._failures)
        if self._rounds:
            delay = policy_delay(self._config.retry, self._rounds, (yield from Random()))
            yield from Sleep(min(delay, LONGEST_PAUSE))
        self._rounds += 1

    def _patience(self, failure: Failure) -> float:
        """Seconds. An API server that starts refuses what it will allow in a moment."""
        if not is_final(failure):
            return self._config.outage_limit
        return self._config.operation_timeout if self._was_answered else 0.0
