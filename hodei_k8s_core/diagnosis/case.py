"""What the rules look at: a Pod with its events at one time, and the words for a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.event_list import Event
from hodei_k8s_core.pod import Container, ContainerStatus, Pod, PodCondition, Terminated, epoch
from hodei_k8s_core.verdict import Blame, Category, Evidence, Verdict
from hodei_k8s_core.worker import WORKER_CONTAINER

_NO_STATUS: Final = ContainerStatus(name=WORKER_CONTAINER)


class Examination(msgspec.Struct, frozen=True):
    """What one look at a Pod gives. `verdict` None: all is well so far.

    `recheck_after`: seconds after which time alone can change the answer, or None. `wants_events`: the Pod's events
    can say more, and were not given or may have been too early.
    """

    verdict: Verdict | None = None
    recheck_after: float | None = None
    wants_events: bool = False


ALL_WELL: Final = Examination()


class Case(msgspec.Struct, frozen=True):
    """`events`: of this Pod alone. `now`: seconds since the epoch, by the cluster's clock."""

    pod: Pod
    events: tuple[Event, ...]
    now: float
    policy: StartupPolicy

    @property
    def worker(self) -> ContainerStatus:
        """The worker's container; one that waits without a reason where the kubelet has not told of it yet."""
        return self.pod.worker_container or _NO_STATUS

    @property
    def is_pending(self) -> bool:
        return self.pod.phase in ("", "Pending")

    @property
    def restarts_never(self) -> bool:
        """A container of it that has ended stays so."""
        return self.pod.spec.restart_policy in ("", "Never") or self.pod.phase in ("Succeeded", "Failed")

    @property
    def has_started(self) -> bool:
        """The worker's program has run at least once."""
        worker = self.worker
        ends = (worker.state.terminated, worker.last_state.terminated)
        return worker.state.running is not None or any(end is not None and started(end) is not None for end in ends)

    @property
    def age(self) -> float:
        """Seconds since the Pod was created; 0 where that is not known, or by a clock that is ahead."""
        created = self.pod.metadata.created_at
        return 0.0 if created is None else max(0.0, self.now - created)

    def condition(self, kind: str, status: str) -> PodCondition | None:
        """The condition if it has that status."""
        found = self.pod.condition(kind)
        return found if found is not None and found.status == status else None

    def events_of(self, *reasons: str) -> list[Event]:
        """The events with one of these reasons, the latest first."""
        if not self.events:
            return []
        found = (event for event in self.events if event.reason in reasons)
        return sorted(found, key=lambda event: event.last_seen or 0.0, reverse=True)

    def init_containers(self) -> Iterator[tuple[ContainerStatus, bool]]:
        """The init containers as they are, each with whether it is a sidecar that never ends by itself."""
        sidecars = {asked.name for asked in self.pod.spec.init_containers if _is_sidecar(asked)}
        return ((status, status.name in sidecars) for status in self.pod.status.init_container_statuses)


def _is_sidecar(container: Container) -> bool:
    return container.restart_policy == "Always"


def started(end: Terminated) -> float | None:
    """When a container that has ended began; None where its program never ran."""
    return epoch(end.started_at)


def trouble(
    category: Category, blame: Blame, summary: str, *evidence: Evidence, terminal: bool, retryable: bool, **known: Any
) -> Examination:
    """An examination that found something; `known` are further fields of the verdict, and `wants_events`."""
    wants_events = known.pop("wants_events", False)
    verdict = Verdict(
        category=category,
        blame=blame,
        terminal=terminal,
        retryable=retryable,
        summary=summary,
        evidence=evidence,
        **known,
    )
    return Examination(verdict, verdict.recheck_after, wants_events)


def of_condition(condition: PodCondition) -> Evidence:
    """What a condition says."""
    told = joined(condition.reason, condition.message) or f"since {condition.last_transition_time}"
    return Evidence(f"condition {condition.type}={condition.status}", told)


def of_event(event: Event) -> Evidence:
    """What an event says, and how often."""
    often = f" (x{event.count})" if event.count > 1 else ""
    return Evidence(f"event {event.reason}{often}", event.message)


def of_pod(pod: Pod) -> Evidence:
    """What the Pod says of its own end."""
    return Evidence("status", joined(pod.phase, pod.status.reason, pod.status.message))


def of_end(container: ContainerStatus, end: Terminated) -> Evidence:
    """What a container's end says."""
    return Evidence(
        f"container {container.name} terminated", joined(end.reason, f"exit code {end.exit_code}", end.message)
    )


def of_waiting(container: ContainerStatus) -> Evidence:
    """What a container that waits says."""
    waiting = container.state.waiting
    told = "" if waiting is None else joined(waiting.reason, waiting.message)
    return Evidence(f"container {container.name} waiting", told or "no reason")


def joined(*parts: str) -> str:
    """The parts that are there, for a person."""
    return ": ".join(part for part in parts if part)


def sentence(what: str, detail: str) -> str:
    """A clause with a detail in the server's own words, where there are any."""
    return f"{what}: {detail}" if detail else what
