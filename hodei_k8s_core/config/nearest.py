"""The name that a misspelt one most likely stands for."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """The most alike of `known`, which must not be empty."""
    # Only a mistake needs it, and it costs some milliseconds.
    from difflib import SequenceMatcher

    return max(known, key=lambda one: SequenceMatcher(None, name, one).ratio())
