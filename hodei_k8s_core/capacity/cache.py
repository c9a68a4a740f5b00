"""The last snapshot, for as long as it is good: a scheduler asks often, and a cluster is large."""

from __future__ import annotations

from hodei_k8s_core.capacity.snapshot import Snapshot


class CapacityCache:
    """Times in monotonic seconds. What a cluster *is* (sizes, labels, rules) is good for `lifetime`; what is *free* on
    it only until a worker was created or destroyed here, for as long as that.
    """

    def __init__(self, lifetime: float) -> None:
        self._lifetime = lifetime
        self._kept: tuple[Snapshot, float] | None = None
        self._changes = 0
        self._changes_when_read = 0

    @property
    def changes(self) -> int:
        """How many changes were noted; a reader takes it before it reads, for `keep`."""
        return self._changes

    def recent(self, now: float) -> Snapshot | None:
        """The snapshot, if it is not older than its lifetime."""
        if self._kept is None or now - self._kept[1] >= self._lifetime:
            return None
        return self._kept[0]

    def undisturbed(self, now: float) -> Snapshot | None:
        """The same, if nothing changed here since it was read."""
        return self.recent(now) if self._changes == self._changes_when_read else None

    def keep(self, snapshot: Snapshot, *, read_at: float, changes: int) -> None:
        """`read_at` and `changes`: when the reading began, so that it is never taken for newer than it is."""
        self._kept = (snapshot, read_at)
        self._changes_when_read = changes

    def note_change(self) -> None:
        """A worker was created or destroyed."""
        self._changes += 1
