"""What goes wrong with a watch, and what follows: how long to wait, or that it is over. It only decides.

Back-off as client-go's reflector: 0.8 s, doubled up to 30 s, with jitter, forgotten after a connection that lasted two
minutes (k8s.io/client-go/tools/cache/reflector.go).
"""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import TransportError, TransportFault
from hodei_k8s_core.operations.failures import error_for
from hodei_k8s_core.retry import HOPELESS, Failure, backoff_delay

JITTER: Final = 0.5


class Lost(msgspec.Struct, frozen=True):
    """The connection is gone and a new one will be made. `cause` is from a bounded set.

    `heard`: when the server was heard of last, in monotonic seconds. `row`: how many such losses without a success
    in between.
    """

    cause: str
    failure: Failure | None
    heard: float
    row: int


class Connected(msgspec.Struct, frozen=True):
    """A connection is open that brings everything after what was told so far. `date`: the server's clock then."""

    date: float | None = None


def is_expired(failure: Failure | None) -> bool:
    """The version is too old: list again."""
    return isinstance(failure, Status) and failure.is_expired


def is_interruption(failure: Failure | None) -> bool:
    """The caller broke off its wait (and may do so many times a second): nobody's failure."""
    return isinstance(failure, TransportError) and failure.fault is TransportFault.INTERRUPTED


def is_final(failure: Failure | None) -> bool:
    """The same request meets it again, as a rule: a refusal, a certificate that is not trusted."""
    if isinstance(failure, Status):
        return not (failure.is_retryable or failure.is_expired)
    return failure is not None and failure.fault in HOPELESS


class Troubles:
    """What a watch has met lately. `patience`: seconds of failures in a row after which the last is raised, or None."""

    def __init__(self, config: KubernetesConfig, what: str, patience: float | None) -> None:
        self._policy = config.watch
        self._tolerance = config.operation_timeout
        self._what = what
        self._patience = patience
        self._expiries = 0
        self._failing_since: float | None = None
        self._opened_at: float | None = None
        self.was_connected = False
        self.failures = 0
        self.in_a_row = 0
        self.last: Failure | None = None

    def connected(self, now: float) -> None:
        """A connection was opened."""
        self.was_connected = True
        self._opened_at = now
        self.in_a_row = 0
        self.answered()

    def answered(self) -> None:
        """The server did what it was asked."""
        self._failing_since = None

    def moved_on(self) -> None:
        """A connection brought something new."""
        self._expiries = 0

    def ended(self) -> None:
        """A connection ended as it should."""
        self.failures = 0

    def lasted(self, now: float) -> float:
        """Seconds since the connection was opened; 0 when there is none."""
        return 0.0 if self._opened_at is None else now - self._opened_at

    def weigh(self, failure: Failure | None, now: float, chance: float) -> float:
        """Seconds to wait before the next attempt. `failure` None: the connection ended without one.

        Raises: what `failure` means, when it is final (and the watch never worked, or has not for
        `config.operation_timeout`: an API server that starts refuses what it allows in a moment), or lasted too long.
        """
        lasted, self._opened_at = self.lasted(now), None
        self.failures = 1 if lasted > self._policy.delay_reset else self.failures + 1
        self.in_a_row += 1
        self.last = failure
        self._give_up_in_time(failure, now)
        if is_expired(failure):
            self._expiries += 1
            return self._delay(self._expiries - 1, chance) if self._expiries > 1 else 0.0
        asked = failure.retry_after if isinstance(failure, Status) else None
        return self._delay(self.failures, chance) if asked is None else asked

    def _give_up_in_time(self, failure: Failure | None, now: float) -> None:
        if failure is None:
            return
        if self._failing_since is None:
            self._failing_since = now
        limit = self._patience
        if is_final(failure):
            limit = self._tolerance if self.was_connected else -1.0
        if limit is not None and now - self._failing_since > limit:
            raise error_for(failure, what=self._what, attempts=self.failures)

    def _delay(self, attempt: int, chance: float) -> float:
        policy = self._policy
        return backoff_delay(
            attempt, first=policy.first_delay, factor=2.0, maximum=policy.max_delay, jitter=JITTER, chance=chance
        )
