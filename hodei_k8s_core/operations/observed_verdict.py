"""What a wait teaches of troubles: each as it is first seen, and again when it has become another one."""

from __future__ import annotations

from hodei_k8s_core.effects import Observe, Operation
from hodei_k8s_core.observations import VerdictMet
from hodei_k8s_core.worker import WorkerInfo


def observe_verdict(info: WorkerInfo, before: WorkerInfo | None = None) -> Operation[None]:
    """Observe what is wrong with the worker, unless it was so `before`."""
    verdict = info.verdict
    known = None if before is None or before.verdict is None else before.verdict.category
    if verdict is not None and verdict.category is not known:
        yield from Observe(VerdictMet(verdict.category, verdict.blame, verdict.terminal, info.handle.pod_uid))
