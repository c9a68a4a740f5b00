"""Whether a process is alive, and ready: what its probes say, from what is known of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hodei_k8s_core.worker_change import Freshness, WatchHealth


class Loop(msgspec.Struct, frozen=True):
    """Something that goes round. `moved_at`: when it did last (monotonic); `limit`: seconds in which it must."""

    moved_at: float
    limit: float


def stalled(loops: Mapping[str, Loop], now: float) -> tuple[str, ...]:
    """The loops that do not move any more, in words; empty while the process is alive."""
    return tuple(
        f"{name} has not moved for {now - loop.moved_at:.0f} s, the limit is {loop.limit:g} s"
        for name, loop in loops.items()
        if now - loop.moved_at > loop.limit
    )


def unready(watches: Mapping[str, WatchHealth | None], *, is_stopping: bool) -> tuple[str, ...]:
    """Why the process is not ready, in words: by the watch of each provider.

    A connection that was lost a moment ago is being mended; a second failure makes the picture stale.
    """
    found = ["the process is stopping"] if is_stopping else []
    for provider_id, health in watches.items():
        if health is None:
            found.append(f"{provider_id}: the workers have not been read yet")
        elif health.freshness is Freshness.STALE:
            found.append(f"{provider_id}: the picture of the workers is stale: {health.because}")
    return tuple(found)
