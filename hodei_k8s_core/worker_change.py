"""What a watch on a fleet tells: how workers change, how old the picture is, and what became of a wait."""

from __future__ import annotations

import enum
from typing import Protocol, TypeAlias

import msgspec

from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.verdict import Verdict
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState


class ChangeKind(enum.Enum):
    """What happened to a worker, as the watch's selector sees it."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class SeenWorker(Protocol):
    """A worker as it was seen. What was seen does not change; what that says may be found out when it is asked for."""

    @property
    def worker_id(self) -> str: ...
    @property
    def pod_uid(self) -> str: ...
    @property
    def state(self) -> WorkerState: ...
    @property
    def verdict(self) -> Verdict | None: ...
    @property
    def info(self) -> WorkerInfo: ...


class DescribedWorker(msgspec.Struct, frozen=True, gc=False):
    """A worker of which all is known already."""

    info: WorkerInfo

    @property
    def worker_id(self) -> str:
        return self.info.worker_id

    @property
    def pod_uid(self) -> str:
        return self.info.handle.pod_uid

    @property
    def state(self) -> WorkerState:
        return self.info.state

    @property
    def verdict(self) -> Verdict | None:
        return self.info.verdict


class WorkerChange:
    """One change of one worker. `info`: how it is now; of a removed one, the last that is known of it.

    `gone`: its Pod is known not to exist any more. A removed worker that is not gone lives out of view: it has lost a
    label of the selector (or whether it exists could not be found out).

    A frozen value. The worker is described and judged when `info` is first read, as of when it was seen: a host that
    reads only `kind` and `worker_id` pays for no more.
    """

    __slots__ = ("_gone", "_kind", "_seen")

    def __init__(self, kind: ChangeKind, info: WorkerInfo | SeenWorker, gone: bool = False) -> None:  # noqa: FBT001, FBT002
        self._kind = kind
        self._seen = DescribedWorker(info) if isinstance(info, WorkerInfo) else info
        self._gone = gone

    @property
    def kind(self) -> ChangeKind:
        return self._kind

    @property
    def seen(self) -> SeenWorker:
        """The worker, with what is cheap to know of it."""
        return self._seen

    @property
    def info(self) -> WorkerInfo:
        return self._seen.info

    @property
    def gone(self) -> bool:
        return self._gone

    @property
    def worker_id(self) -> str:
        return self._seen.worker_id

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WorkerChange):
            return NotImplemented
        return (self.kind, self.gone, self.info) == (other.kind, other.gone, other.info)

    __hash__ = None  # type: ignore[assignment] # labels are a mapping, so a worker's info has none either

    def __repr__(self) -> str:
        return f"WorkerChange(kind={self.kind!r}, info={self.info!r}, gone={self.gone!r})"


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
