"""Remembers the last things that were told, so that each counts once however many tell it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

REMEMBERED: Final = 20_000


class ToldOnce:
    """Forgets the oldest beyond `limit`."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._told: dict[Hashable, None] = {}
        self._limit = limit

    def is_news(self, what: Hashable) -> bool:
        """Whether it is told for the first time."""
        if what in self._told:
            return False
        self._told[what] = None
        if len(self._told) > self._limit:
            del self._told[next(iter(self._told))]
        return True
