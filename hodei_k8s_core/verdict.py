"""What a diagnosis says: the category of a trouble, whose fault it is, whether it can pass, and what that rests on.

Plain values, ready for JSON, below the errors since an error may carry one; what computes them is `diagnosis`.
"""

from __future__ import annotations

import enum

import msgspec


class Category(enum.Enum):
    """What is wrong with a worker. The values are labels of metrics: a bounded set."""

    IMAGE_UNAVAILABLE = "image_unavailable"
    IMAGE_INVALID = "image_invalid"
    CONFIG_INVALID = "config_invalid"
    VOLUME_UNAVAILABLE = "volume_unavailable"
    START_FAILED = "start_failed"
    INIT_FAILED = "init_failed"
    EXITED = "exited"
    OUT_OF_MEMORY = "out_of_memory"
    CRASH_LOOP = "crash_loop"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    UNSCHEDULABLE = "unschedulable"
    SCHEDULING_GATED = "scheduling_gated"
    QUOTA_EXCEEDED = "quota_exceeded"
    ADMISSION_DENIED = "admission_denied"
    EVICTED = "evicted"
    PREEMPTED = "preempted"
    NODE_LOST = "node_lost"
    NODE_REJECTED = "node_rejected"
    TERMINATING_STUCK = "terminating_stuck"
    STARTUP_TIMEOUT = "startup_timeout"
    UNKNOWN = "unknown"


class Blame(enum.Enum):
    """Who can mend it."""

    WORKER = "worker"
    IMAGE = "image"
    CONFIGURATION = "configuration"
    CAPACITY = "capacity"
    PLATFORM = "platform"
    OPERATOR = "operator"


class Stage(enum.Enum):
    """Where a worker is on its way from accepted to ready; `StartupPolicy` has a limit for each."""

    SCHEDULE = "schedule"
    PULL = "pull"
    START = "start"
    READY = "ready"


class CauseKind(enum.Enum):
    """Why the scheduler passes over nodes."""

    CAPACITY = "capacity"
    SELECTOR = "selector"
    TAINT = "taint"
    SPREAD = "spread"
    PORT = "port"
    VOLUME = "volume"
    CORDONED = "cordoned"
    NODE_TROUBLE = "node_trouble"
    OTHER = "other"


class SchedulingCause(msgspec.Struct, frozen=True):
    """One reason of the scheduler, in its words. `nodes`: to how many it applies; None where it is the Pod's own."""

    kind: CauseKind
    reason: str
    nodes: int | None = None

    def __str__(self) -> str:
        return self.reason if self.nodes is None else f"{self.nodes} {self.reason}"


class Evidence(msgspec.Struct, frozen=True):
    """One thing that a verdict rests on: where it was read (a field, a condition, an event), and what it says."""

    source: str
    says: str

    def __str__(self) -> str:
        return f"{self.source}: {self.says}"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a worker, and what that means.

    `terminal`: it cannot recover by itself. `retryable`: a new worker with the same spec could succeed. `summary`: one
    sentence for a person. `recheck_after`: seconds after which time alone can change the answer, or None. The others
    are there where they apply: `stage` (where a start is stuck), `exit_code`, `signal` and `termination_message`,
    `nodes` (how many the scheduler looked at) and `causes`, `finalizers`.
    """

    category: Category
    blame: Blame
    terminal: bool
    retryable: bool
    summary: str
    evidence: tuple[Evidence, ...] = ()
    recheck_after: float | None = None
    stage: Stage | None = None
    exit_code: int | None = None
    signal: str = ""
    termination_message: str = ""
    nodes: int | None = None
    causes: tuple[SchedulingCause, ...] = ()
    finalizers: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Waiting for a start is in vain: it cannot come, or its time has run out."""
        return self.terminal or self.category is Category.STARTUP_TIMEOUT

    def __str__(self) -> str:
        return f"{self.category.value}: {self.summary}"
