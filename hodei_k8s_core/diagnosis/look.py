"""A Pod as it was looked at, at one time. What that says of its worker is found out when it is asked for.

A fleet tells of far more than a host reads: of a thousand workers that start, one is stuck. To judge and describe each
Pod as it comes took six times as long as to decode it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import msgspec

from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.diagnosis.case import Examination
from hodei_k8s_core.diagnosis.examine import examine
from hodei_k8s_core.labels import WORKER_ID
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.verdict import Verdict
from hodei_k8s_core.worker import WorkerInfo, WorkerState
from hodei_k8s_core.worker_info import explain, worker_info
from hodei_k8s_core.worker_state import worker_state

A_MOMENT: Final = 0.05
"""Seconds: a limit has passed, and not only been reached."""

lean_worker: Final = worker_info
"""The worker without its timeline: a fleet keeps many."""


class Judge(msgspec.Struct, frozen=True):
    """By what a Pod is judged, and how its worker is described. All looks of a fleet share one."""

    policy: StartupPolicy
    describe: Callable[[Pod, Verdict | None], WorkerInfo] = lean_worker


class Look(msgspec.Struct, eq=False, gc=False):
    """`now`: seconds since the epoch, by the cluster's clock. What is found is remembered; it depends on nothing else.

    `gc=False` is safe: what it refers to never refers back.
    """

    pod: Pod
    now: float
    judge: Judge
    found: Examination | None = None
    described: WorkerInfo | None = None

    @property
    def worker_id(self) -> str:
        return self.pod.metadata.labels.get(WORKER_ID, "")

    @property
    def pod_uid(self) -> str:
        return self.pod.metadata.uid

    @property
    def state(self) -> WorkerState:
        return worker_state(self.pod)

    @property
    def examination(self) -> Examination:
        """What one look gives."""
        found = self.found
        if found is None:
            found = self.found = examine(self.pod, now=self.now, policy=self.judge.policy)
        return found

    @property
    def verdict(self) -> Verdict | None:
        return self.examination.verdict

    @property
    def info(self) -> WorkerInfo:
        """Everything about the worker."""
        described = self.described
        if described is None:
            described = self.described = self.judge.describe(self.pod, self.verdict)
        return described

    @property
    def recheck_at(self) -> float:
        """Before this, time alone changes nothing of it; infinite when it never does."""
        after = self.examination.recheck_after
        return math.inf if after is None else self.now + after + A_MOMENT


def look_alike(one: Look, other: Look) -> bool:
    """A host cannot tell them apart. What is cheap to compare comes first: most news differ there already."""
    if _differ_at_once(one.pod, other.pod):
        return False
    describe = one.judge.describe
    if describe(one.pod, None) != describe(other.pod, None):
        return False
    return _face(one.verdict) == _face(other.verdict)


def _differ_at_once(one: Pod, other: Pod) -> bool:
    """In what a `WorkerInfo` holds as the Pod has it, or nearly so. It spares half of a watch event's cost."""
    return (
        one.status.phase != other.status.phase
        or one.spec.node_name != other.spec.node_name
        or one.metadata.labels != other.metadata.labels
        or one.job_id != other.job_id
        or worker_state(one) is not worker_state(other)
        or explain(one) != explain(other)
    )


def _face(verdict: Verdict | None) -> Verdict | None:
    """What a host can see change. The evidence and the next look tell of seconds, and differ at every look."""
    return None if verdict is None else msgspec.structs.replace(verdict, evidence=(), recheck_after=None)
