"""When a worker reached which point of its life, each with where that was read: plain values, ready for JSON."""

from __future__ import annotations

from typing import Final

import msgspec


class Milestone(msgspec.Struct, frozen=True):
    """`at`: seconds since the epoch, by the cluster's clocks. `source`: the field, condition or event."""

    at: float
    source: str


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a worker's life; None for what did not happen or cannot be told any more.

    `pulling` and `pulled` are known from events alone, which a cluster forgets after an hour. `ready` is known while it
    is. `deleted`: when the deletion was asked for, and in the end when the node confirmed it. `started` and `finished`:
    of the current or last run.
    """

    created: Milestone | None = None
    scheduled: Milestone | None = None
    pulling: Milestone | None = None
    pulled: Milestone | None = None
    started: Milestone | None = None
    ready: Milestone | None = None
    finished: Milestone | None = None
    deleted: Milestone | None = None

    @property
    def reached(self) -> dict[str, Milestone]:
        """The milestones that are known by name, in the order of a life."""
        known = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: milestone for name, milestone in known.items() if milestone is not None}

    @property
    def durations(self) -> dict[str, float]:
        """Seconds of each phase whose two ends are known: schedule, prepare, pull, start, ready, run.

        `prepare` is what the node does before the image (volumes, sandbox). Where pulling is not known, `start` has it
        all. The clocks of a cluster differ, and most of its times are whole seconds: nothing is below 0.
        """
        found = {}
        for phase, begins, end in _PHASES:
            last = getattr(self, end)
            first = next((m for m in (getattr(self, name) for name in begins) if m is not None), None)
            if first is not None and last is not None:
                found[phase] = max(0.0, last.at - first.at)
        return found


_PHASES: Final = (
    ("schedule", ("created",), "scheduled"),
    ("prepare", ("scheduled",), "pulling"),
    ("pull", ("pulling",), "pulled"),
    ("start", ("pulled", "scheduled"), "started"),
    ("ready", ("started",), "ready"),
    ("run", ("started",), "finished"),
)
