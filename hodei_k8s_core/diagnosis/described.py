"""A Pod -> the worker's info with its verdict and its timeline."""

from __future__ import annotations

from collections.abc import Iterable

from hodei_k8s_core.config.startup_policy import DEFAULT_POLICY, StartupPolicy
from hodei_k8s_core.diagnosis.examine import diagnose
from hodei_k8s_core.diagnosis.read_timeline import timeline
from hodei_k8s_core.event_list import Event
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.verdict import Verdict
from hodei_k8s_core.worker import WorkerInfo
from hodei_k8s_core.worker_info import worker_info


def judged_worker(pod: Pod, *, now: float, policy: StartupPolicy = DEFAULT_POLICY) -> WorkerInfo:
    """The worker with its verdict, from the Pod alone: for the many of a list or a view. `now` as for `diagnose`."""
    return worker_info(pod, diagnose(pod, now=now, policy=policy))


def described_worker(pod: Pod, verdict: Verdict | None, events: Iterable[Event] = ()) -> WorkerInfo:
    """The worker with a verdict that was found, and its timeline."""
    return worker_info(pod, verdict, timeline(pod, events))
