"""What a watch on several clusters tells."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from hodei_k8s_core.worker_change import FleetItem

BUFFER: Final = 256
"""Items that wait for the reader; beyond that the watches wait."""


class WatchEnded(msgspec.Struct, frozen=True):
    """The watch of one cluster is over for good, and why; the others go on."""

    reason: str


WatchedItem: TypeAlias = tuple[str, FleetItem | WatchEnded]
"""The id of a provider, and what its watch told."""
