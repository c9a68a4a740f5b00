"""The rule about Pods that make no sense: what no table can be right about is `unknown`, with what contradicts what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hodei_k8s_core.diagnosis.case import Case, Examination, of_condition, of_end, of_pod, trouble
from hodei_k8s_core.verdict import Blame, Category, Evidence

_PHASES: Final = ("", "Pending", "Running", "Succeeded", "Failed", "Unknown")


def contradicts_itself(case: Case) -> Examination | None:
    """Two parts of the Pod cannot both be true."""
    found = tuple(_contradictions(case))
    if not found:
        return None
    what = "what the Pod tells contradicts itself: " + "; ".join(f"{a}, but {b}" for a, b in found)
    return trouble(
        Category.UNKNOWN,
        Blame.PLATFORM,
        what,
        *(side for pair in found for side in pair),
        terminal=False,
        retryable=True,
    )


def _contradictions(case: Case) -> Iterator[tuple[Evidence, Evidence]]:
    pod, state = case.pod, case.worker.state
    end = state.terminated
    told = [name for name in ("waiting", "running", "terminated") if getattr(state, name) is not None]
    if pod.phase not in _PHASES:
        yield of_pod(pod), Evidence("the Kubernetes API", f"knows {', '.join(filter(None, _PHASES))}")
    if len(told) > 1:
        yield Evidence("container worker", told[0]), Evidence("container worker", told[-1])
    if pod.phase == "Succeeded" and end is not None and end.exit_code != 0:
        yield of_pod(pod), of_end(case.worker, end)
    if pod.phase == "Succeeded" and end is None and told:
        yield of_pod(pod), Evidence("container worker", told[0])
    # A node that is lost is told of by others, and what it told last stays as it was.
    if pod.phase == "Failed" and state.running is not None and not pod.status.reason and not _is_disrupted(case):
        yield of_pod(pod), Evidence("container worker", "running")
    unscheduled = case.condition("PodScheduled", "False")
    if pod.phase == "Running" and unscheduled is not None:
        yield of_pod(pod), of_condition(unscheduled)


def _is_disrupted(case: Case) -> bool:
    return case.condition("DisruptionTarget", "True") is not None or case.pod.is_deleting
