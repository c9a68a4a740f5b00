"""What the sync and the async `ReplayChannel` share: which recorded exchange answers, and what a body gives next."""

from __future__ import annotations

import enum
import threading
from collections.abc import Sequence
from typing import Final, NamedTuple

from hodei_k8s_core.errors import Delivery, HodeiK8sError, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_core.secret import Secret
from hodei_k8s_transport.channels.recording.exchange import Exchange, Recording
from hodei_k8s_transport.channels.recording.replay_match import Difference, Matching, differences
from hodei_k8s_transport.channels.recording.scrub import Scrubber

MOST_DIFFERENCES: Final = 20
"""How many differences a message shows."""


class Order(enum.Enum):
    """In which order a replay expects the requests.

    RECORDED: exactly as recorded. ANY: each request is answered by the first unused exchange that it equals, for
    operations that ran at the same time; what is asked twice (the same GET) is still answered in recorded order.
    """

    RECORDED = "recorded"
    ANY = "any"


class ReplayMismatch(HodeiK8sError, AssertionError):
    """What was asked is not what was recorded. It is no `TransportError`, so no operation retries or hides it.

    `request`: the request that has no counterpart, scrubbed, or None; `recorded`: the exchange it was compared with, or
    None; `differences`: how it differs from that.
    """

    def __init__(
        self,
        summary: str,
        *,
        request: Request | None = None,
        recorded: Exchange | None = None,
        differences: Sequence[Difference] = (),
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.request = request
        self.recorded = recorded
        self.differences = tuple(differences)

    def __str__(self) -> str:
        shown = [str(difference) for difference in self.differences[:MOST_DIFFERENCES]]
        more = len(self.differences) - len(shown)
        return "\n  ".join([self.summary, *shown, *([f"… and {more} more differences"] if more else [])])


class _Unused(NamedTuple):
    shown: Request
    exchange: Exchange


class Replayer:
    """Hands out the exchanges of a recording; safe to share by threads."""

    def __init__(self, recording: Recording, order: Order, matching: Matching, secrets: Sequence[Secret]) -> None:
        # A recorded scenario is not scrubbed; scrubbing again what is changes nothing.
        scrubber = Scrubber(secrets)
        self._unused = [_Unused(scrubber.request(exchange.request), exchange) for exchange in recording.exchanges]
        self._total = len(recording.exchanges)
        self._order = order
        self._matching = matching
        self._scrubber = Scrubber(secrets)
        self._lock = threading.Lock()
        self._asked = 0
        self._closed = False

    @property
    def remaining(self) -> tuple[Exchange, ...]:
        """What was recorded and not asked yet."""
        with self._lock:
            return tuple(unused.exchange for unused in self._unused)

    def assert_exhausted(self) -> None:
        """Everything that was recorded was asked. Raises `ReplayMismatch` that lists the rest."""
        rest = self.remaining
        if rest:
            lines = "".join(f"\n  {exchange}" for exchange in rest[:MOST_DIFFERENCES])
            more = f"\n  … and {len(rest) - MOST_DIFFERENCES} more" if len(rest) > MOST_DIFFERENCES else ""
            raise ReplayMismatch(f"{len(rest)} of {self._total} recorded exchanges were not asked:{lines}{more}")

    def close(self) -> None:
        """Nothing is answered any more."""
        self._closed = True

    def take(self, request: Request) -> Exchange:
        """The exchange that answers this request; it is used then. Raises `ReplayMismatch`, or `TransportError`."""
        if self._closed:
            raise TransportError(TransportFault.CLOSED, Delivery.NOT_SENT, "the replay is closed")
        with self._lock:
            self._asked += 1
            shown = self._scrubber.request(request)
            return self._unused.pop(self._index_of(shown)).exchange

    def _index_of(self, shown: Request) -> int:
        candidates = self._candidates(shown)
        compared = [differences(self._unused[index].shown, shown, self._matching) for index in candidates]
        for index, differing in zip(candidates, compared, strict=True):
            if not differing:
                return index
        asked = f"request {self._asked} ({shown.method} {shown.target})"
        if not self._unused:
            raise ReplayMismatch(
                f"{asked} was not recorded: all {self._total} recorded exchanges were used", request=shown
            )
        if not candidates:
            raise ReplayMismatch(
                f"{asked} was not recorded: no exchange that is left has this method and path", request=shown
            )
        nearest = min(range(len(candidates)), key=lambda place: len(compared[place]))
        recorded = self._unused[candidates[nearest]].exchange
        raise ReplayMismatch(
            f"{asked} differs from the recorded {recorded}:",
            request=shown,
            recorded=recorded,
            differences=compared[nearest],
        )

    def _candidates(self, shown: Request) -> list[int]:
        if self._order is Order.RECORDED:
            return [0] if self._unused else []
        return [
            index
            for index, unused in enumerate(self._unused)
            if (unused.shown.method, unused.shown.path) == (shown.method, shown.path)
        ]
