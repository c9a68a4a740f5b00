"""What a watch on a fleet tells: how workers change, how old the picture is, and what became of a wait."""

from __future__ import annotations

import enum
from typing import TypeAlias

import msgspec

from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo


class ChangeKind(enum.Enum):
    """What happened to a worker, as the watch's selector sees it."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class WorkerChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one worker. `info`: how it is now; of a removed one, the last that is known of it.

    `gone`: its Pod is known not to exist any more. A removed worker that is not gone lives out of view: it has lost a
    label of the selector (or whether it exists could not be found out).
    """

    kind: ChangeKind
    info: WorkerInfo
    gone: bool = False

    @property
    def worker_id(self) -> str:
        return self.info.worker_id


class Freshness(enum.Enum):
    """How far a picture of a fleet can be trusted."""

    SYNCED = "synced"
    RECONNECTING = "reconnecting"
    STALE = "stale"


class WatchHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How old the picture is. `since`: seconds since the epoch, by the host's clock.

    SYNCED: the picture is whole since then, and every change comes as it happens. RECONNECTING: the connection was
    lost, and the server was heard of last at `since`. STALE: the same, and at least one attempt to mend it has failed.
    `because`: what was met last, "" when synced.
    """

    freshness: Freshness
    since: float
    because: str = ""

    @property
    def is_synced(self) -> bool:
        return self.freshness is Freshness.SYNCED


class WaitOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of waiting for one worker. `error`: None when it got there. `info`: as it was seen last, or None."""

    handle: WorkerHandle
    info: WorkerInfo | None = None
    error: ProviderError | None = None

    @property
    def worker_id(self) -> str:
        return self.handle.worker_id

    @property
    def is_success(self) -> bool:
        """The worker got to one of the states that were waited for."""
        return self.error is None


FleetItem: TypeAlias = WorkerChange | WatchHealth
