"""A Kubernetes in memory, with virtual time and faults by rule: where operations are tried without a cluster."""

from __future__ import annotations

from hodei_k8s_core.simulation.behaviour import (
    Behaviour,
    ByPod,
    CannotStart,
    Process,
    Program,
    StuckVolume,
    Unschedulable,
    Waits,
    by_label,
    image_cannot_be_pulled,
)
from hodei_k8s_core.simulation.cluster import Cluster
from hodei_k8s_core.simulation.driver import (
    Close,
    DidNotEnd,
    Interruption,
    Outcome,
    Performed,
    Throw,
    ThrowAfterActing,
    YieldedWhileClosing,
    run,
)
from hodei_k8s_core.simulation.faults import (
    Answer,
    CutStream,
    Delay,
    ExpireVersions,
    FaultPlan,
    LoseReply,
    LoseRequest,
    ReplyCut,
    Restart,
    Rule,
    Stall,
    StallStream,
    proxy_page,
    server_error,
    throttled,
    unavailable,
)
from hodei_k8s_core.simulation.host import SimulatedHost
from hodei_k8s_core.simulation.nodes import make_node
from hodei_k8s_core.simulation.transcript import TranscriptMismatch, is_request, play
from hodei_k8s_core.simulation.virtual import SimulationError, VirtualClock
from hodei_k8s_core.simulation.world import World

__all__ = [
    "Answer",
    "Behaviour",
    "ByPod",
    "CannotStart",
    "Close",
    "Cluster",
    "CutStream",
    "Delay",
    "DidNotEnd",
    "ExpireVersions",
    "FaultPlan",
    "Interruption",
    "LoseReply",
    "LoseRequest",
    "Outcome",
    "Performed",
    "Process",
    "Program",
    "ReplyCut",
    "Restart",
    "Rule",
    "SimulatedHost",
    "SimulationError",
    "Stall",
    "StallStream",
    "StuckVolume",
    "Throw",
    "ThrowAfterActing",
    "TranscriptMismatch",
    "Unschedulable",
    "VirtualClock",
    "Waits",
    "World",
    "YieldedWhileClosing",
    "by_label",
    "image_cannot_be_pulled",
    "is_request",
    "make_node",
    "play",
    "proxy_page",
    "run",
    "server_error",
    "throttled",
    "unavailable",
]
