"""Channels that have a time of their own, as a simulated cluster has: drivers and hosts go by it."""

from __future__ import annotations

from typing import Protocol


class HostTime(Protocol):
    """What clocks show there."""

    def monotonic(self) -> float: ...
    def wall_clock(self) -> float: ...


class OwnTime(HostTime, Protocol):
    """For threads. `wait_until` may return early; whoever waits looks again."""

    def wait_until(self, time: float) -> None: ...


class AsyncOwnTime(HostTime, Protocol):
    """For tasks."""

    async def wait_until(self, time: float) -> None: ...


def own_time_of(channel: object) -> HostTime | None:
    """The time of a channel that has one; None goes by the machine's."""
    time: HostTime | None = getattr(channel, "own_time", None)
    return time
