"""Objects to which nothing happens by themselves; others are told when one is written."""

from __future__ import annotations

from collections.abc import Callable

from hodei_k8s_core.simulation.objects import Objects
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.wire import Json, ServerClock

OnWrite = Callable[[str, Json, float], None]
"""Resource, object, time."""


class Plain(Objects):
    """Nodes, Secrets, quotas, Leases and so on."""

    def __init__(self, store: Store, clock: ServerClock, on_write: OnWrite) -> None:
        super().__init__(store, clock)
        self._on_write = on_write

    def stored(self, resource: str, item: Json, now: float) -> None:
        self._on_write(resource, item, now)

    def changed(self, resource: str, old: Json, new: Json, now: float) -> None:  # noqa: ARG002
        self.stored(resource, new, now)
