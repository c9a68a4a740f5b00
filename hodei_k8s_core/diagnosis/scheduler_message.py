"""The scheduler's message -> how many nodes there are, and why none of them will do.

    0/4 nodes are available: 1 Insufficient cpu, 3 node(s) had untolerated taint {gpu: }. preemption: 0/4 nodes are
    available: 1 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling.

Written by FitError.Error (k8s.io/kube-scheduler, framework): the reasons of nodes with their counts, or one reason of
the Pod without a count; then what the plugins after it say. Reasons are free text, so an unknown one is kept as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from hodei_k8s_core.verdict import CauseKind, SchedulingCause

_NODES: Final = re.compile(r"\d{1,9}/(\d{1,9}) nodes are available(?:: (.*))?", re.DOTALL)
_PREEMPTION: Final = "preemption: "
_NO_NODES: Final = "no nodes available to schedule pods"
_COUNTED: Final = re.compile(r"(\d{1,9}) (.+)", re.DOTALL)
# A reason may hold commas itself: "node(s) had taint {a: b}, that the pod didn't tolerate" (before 1.24).
_BETWEEN: Final = re.compile(r", (?=\d{1,9} )")
_HOPELESS_NODE: Final = "Preemption is not helpful for scheduling"

_KINDS: Final[tuple[tuple[str, CauseKind], ...]] = (
    ("taint {node.kubernetes.io/unschedulable", CauseKind.CORDONED),
    ("taint {node.kubernetes.io/", CauseKind.NODE_TROUBLE),
    ("taint {node.cloudprovider.kubernetes.io/", CauseKind.NODE_TROUBLE),
    ("had unknown conditions", CauseKind.NODE_TROUBLE),
    ("were unschedulable", CauseKind.CORDONED),
    ("taint", CauseKind.TAINT),
    ("insufficient ", CauseKind.CAPACITY),
    ("too many pods", CauseKind.CAPACITY),
    ("enough free storage", CauseKind.CAPACITY),
    ("cannot allocate all claims", CauseKind.CAPACITY),
    ("volume", CauseKind.VOLUME),
    ("pvc(s)", CauseKind.VOLUME),
    ("no available disk", CauseKind.VOLUME),
    ("affinity rules", CauseKind.SPREAD),
    ("topology spread", CauseKind.SPREAD),
    ("affinity", CauseKind.SELECTOR),
    ("requested node name", CauseKind.SELECTOR),
    ("required features", CauseKind.SELECTOR),
    ("free ports", CauseKind.PORT),
)
"""What a reason holds, in lower case -> its kind; the first that fits counts.

Source of the reasons: the plugins of the scheduler (pkg/scheduler/framework/plugins, ErrReason...).
"""


class SchedulerMessage(msgspec.Struct, frozen=True):
    """`nodes`: that exist, None where it does not say. `never_fit`: those that could not take the Pod even when empty.

    A node that is only full counts as a candidate for preemption ("No preemption victims found"); one that is too small
    or does not match does not.
    """

    nodes: int | None = None
    causes: tuple[SchedulingCause, ...] = ()
    never_fit: int | None = None

    @property
    def fits_nowhere(self) -> bool:
        """No node of today could ever take it; only a new one, or a change, can help."""
        return self.nodes is not None and self.never_fit is not None and self.never_fit >= self.nodes


@lru_cache(maxsize=64)
def parse_scheduler_message(text: str) -> SchedulerMessage:
    """What the message of the condition PodScheduled says; never fails.

    Remembered: the scheduler tells many workers the same.
    """
    reasons, _, preemption = text.strip().partition(_PREEMPTION)
    match = _NODES.match(reasons)
    if match is None:
        nodes = 0 if reasons.startswith(_NO_NODES) else None
        return SchedulerMessage(nodes, () if nodes == 0 or not reasons else (_cause(reasons),))
    # What other plugins add comes after a full stop.
    body = (match[2] or "").partition(". ")[0].rstrip(". ")
    causes = tuple(_cause(part) for part in _BETWEEN.split(body) if part)
    return SchedulerMessage(int(match[1]), causes, _never_fit(preemption))


def _never_fit(preemption: str) -> int | None:
    match = _NODES.match(preemption)
    if match is None:
        return None
    counted = (_COUNTED.fullmatch(part) for part in _BETWEEN.split((match[2] or "").rstrip(". ")))
    return sum(int(part[1]) for part in counted if part is not None and part[2].startswith(_HOPELESS_NODE))


def _cause(text: str) -> SchedulingCause:
    match = _COUNTED.fullmatch(text)
    reason = text if match is None else match[2]
    kind = next((kind for mark, kind in _KINDS if mark in reason.lower()), CauseKind.OTHER)
    return SchedulingCause(kind, reason, None if match is None else int(match[1]))
