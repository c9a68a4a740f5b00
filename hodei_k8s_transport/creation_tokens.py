"""The tokens of creations that ended without being known to have failed: the next call for that worker adopts its Pod.

A create that is cancelled (or whose outcome is unknown) may leave a Pod on the cluster. That Pod carries the token of
its call, and the provider remembers it, so that the next `create_worker` for the same id finds it to be its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hodei_k8s_core.errors import OutcomeUnknown

REMEMBERED: Final = 10_000
"""Unsettled creations that one provider remembers; the oldest are forgotten beyond that."""


class CreationTokens:
    """Which tokens are unsettled, by worker id."""

    def __init__(self) -> None:
        self._unsettled: OrderedDict[str, str] = OrderedDict()

    def take(self, worker_id: str) -> str | None:
        """The token of the last call for that worker, if it is unsettled; this call answers for it from now on."""
        return self._unsettled.pop(worker_id, None)

    @contextmanager
    def settling(self, worker_id: str, token: str) -> Iterator[None]:
        """Around a creation: whatever ends it without telling whether the Pod exists leaves the token unsettled."""
        try:
            yield
        except OutcomeUnknown:
            self._remember(worker_id, token)
            raise
        except Exception:
            raise
        except BaseException:  # cancelled, or interrupted
            self._remember(worker_id, token)
            raise

    def _remember(self, worker_id: str, token: str) -> None:
        self._unsettled[worker_id] = token
        while len(self._unsettled) > REMEMBERED:
            self._unsettled.popitem(last=False)
