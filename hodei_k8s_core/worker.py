"""The vocabulary that hosts share: how a worker is called, how it is, and what it wrote.

What a worker is *asked* to be is in `worker_spec`. Times are seconds since the epoch as float, unless a name says
otherwise.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import msgspec

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.log_entry import WORKER_CONTAINER as WORKER_CONTAINER
from hodei_k8s_core.log_entry import LogEntry as LogEntry
from hodei_k8s_core.log_level import LogLevel as LogLevel
from hodei_k8s_core.timeline import Timeline
from hodei_k8s_core.verdict import Verdict

PROVIDER_TYPE: Final = "kubernetes"


class WorkerState(enum.Enum):
    """Where a worker is in its life, in Hodei's words."""

    CREATING = "creating"
    CONNECTING = "connecting"
    READY = "ready"
    BUSY = "busy"
    DRAINING = "draining"
    TERMINATING = "terminating"
    TERMINATED = "terminated"

    @property
    def is_final(self) -> bool:
        """Nothing follows but the removal of the Pod."""
        return self is WorkerState.TERMINATED


class WorkerHandle(msgspec.Struct, frozen=True, kw_only=True):
    """How a host finds its worker again; it survives a trip through JSON (`to_json`, `from_json`).

    `provider_resource_id` is the Pod's name; `metadata` has `namespace` and `pod_uid`, and no secret.
    """

    worker_id: str
    provider_resource_id: str
    provider_type: str = PROVIDER_TYPE
    provider_id: str
    created_at: float
    metadata: Mapping[str, str] = {}

    @property
    def namespace(self) -> str:
        return self.metadata.get("namespace", "")

    @property
    def pod_name(self) -> str:
        return self.provider_resource_id

    @property
    def pod_uid(self) -> str:
        """The Pod's uid, or "" for a handle that was made without one."""
        return self.metadata.get("pod_uid", "")

    def to_json(self) -> str:
        """One JSON object."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> WorkerHandle:
        """The handle that `to_json` wrote. Raises `ConfigurationError` for anything else; unknown keys are ignored."""
        try:
            return msgspec.json.decode(text, type=WorkerHandle)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            fault = Fault("handle", str(error))
            raise ConfigurationError("this is not the JSON of a worker handle", [fault]) from None


class WorkerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a worker, read from its Pod.

    `restarts`: of the container `worker`. `exit_code` and `signal`: how it ended last (None while it has not; a code
    above 128 that names a signal gives both). `reason` and `message`: the server's own words for where it is stuck or
    why it ended. `phase`: the Pod's. `started_at` and `finished_at`: of the container's current or last run. `verdict`:
    what is wrong, None while all is well. `timeline`: where one worker is described; None in a list of many.
    """

    handle: WorkerHandle
    state: WorkerState
    phase: str = ""
    node: str = ""
    image: str = ""
    restarts: int = 0
    exit_code: int | None = None
    signal: str = ""
    reason: str = ""
    message: str = ""
    termination_message: str = ""
    job_id: str = ""
    draining: bool = False
    idle_since: float | None = None
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    deleting_since: float | None = None
    labels: Mapping[str, str] = {}
    verdict: Verdict | None = None
    timeline: Timeline | None = None

    @property
    def worker_id(self) -> str:
        return self.handle.worker_id


class Health(enum.Enum):
    """The kinds of `HealthStatus`."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class HealthStatus(msgspec.Struct, frozen=True):
    """Whether the provider can do its work. `reason` is "" when healthy; `latency`: seconds, the slowest request."""

    health: Health
    reason: str = ""
    latency: float | None = None

    @property
    def is_healthy(self) -> bool:
        return self.health is Health.HEALTHY
