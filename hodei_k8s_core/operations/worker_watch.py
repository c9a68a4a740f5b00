"""One worker under watch: every change of its Pod, judged, and judged again when only time has passed.

The Pod is read first, for the server's clock and for a version to watch from: ages are by the cluster's own clocks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.diagnosis import described_worker
from hodei_k8s_core.effects import Monotonic, Operation
from hodei_k8s_core.errors import NotReady, ProviderError, ProvisioningTimeout
from hodei_k8s_core.operations.examiner import Examiner
from hodei_k8s_core.operations.observed_verdict import observe_verdict
from hodei_k8s_core.operations.pod_watch import PodWatch
from hodei_k8s_core.operations.reading import read_pod_and_time
from hodei_k8s_core.operations.sightings import Sighting, sightings, watch_one
from hodei_k8s_core.operations.worker_status import gone_worker
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.verdict import Category, Verdict
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState

ENDS: Final = frozenset({WorkerState.TERMINATING, WorkerState.TERMINATED})
UNREACHABLE_FROM: Final = {
    WorkerState.TERMINATED: frozenset(set(WorkerState) - {WorkerState.TERMINATED}),
    WorkerState.TERMINATING: frozenset(set(WorkerState) - ENDS),
}
"""The states that a worker cannot reach any more."""
STARTED: Final = frozenset(set(WorkerState) - {WorkerState.CREATING})
"""The states of a worker that runs, or ran."""
_GOALS: Final = {STARTED: "start", ENDS: "end", frozenset({WorkerState.TERMINATED}): "end"}
"""What has a word of its own."""
_STARTING: Final = (WorkerState.CREATING, WorkerState.CONNECTING)
_ENDS_BY_ITSELF: Final = (
    *(Category.START_FAILED, Category.INIT_FAILED, Category.EXITED, Category.OUT_OF_MEMORY),
    *(Category.DEADLINE_EXCEEDED, Category.EVICTED, Category.PREEMPTED, Category.NODE_LOST, Category.NODE_REJECTED),
)
"""What the Pod's own end follows within seconds; with any other trouble it stays for ever."""


class WorkerWatch:
    """A watch as a pull machine: `infos = yield from watch.look()`. `what` names it in errors."""

    def __init__(self, config: KubernetesConfig, handle: WorkerHandle, *, what: str) -> None:
        self._config = config
        self._handle = handle
        self._what = what
        self._watch: PodWatch | None = None
        self._examiner = Examiner(config, 0.0)
        self._pod: Pod | None = None
        self.last: WorkerInfo | None = None

    def look(self) -> Operation[Sequence[WorkerInfo]]:
        """The worker at each change since the last look, at least once; its `verdict` and `timeline` are there.

        TERMINATED is also what a Pod that is gone counts as; the info then is the last that was seen of it.
        """
        if self._watch is None:
            seen = [(yield from self._first_look())]
        else:
            batch = yield from self._watch.next_batch(within=self._examiner.recheck_after)
            uid = self._handle.pod_uid or (self._pod.metadata.uid if self._pod is not None else "")
            seen = list(sightings(batch, uid))
            # Once its Pod is gone, what has its name is another's.
            gone = next((number for number, sighting in enumerate(seen) if sighting.gone), len(seen))
            seen = seen[: gone + 1] or [Sighting(self._pod, gone=False)]
        infos: list[WorkerInfo] = []
        for sighting in seen:
            before, self.last = self.last, (yield from self._study(sighting, is_past=sighting is not seen[-1]))
            yield from observe_verdict(self.last, before)
            infos.append(self.last)
        return infos

    def let_go(self) -> Operation[None]:
        """Let go of the connection, if there is one."""
        if self._watch is not None:
            yield from self._watch.let_go()

    def study_lateness(self, waited: float) -> Operation[Verdict | None]:
        """What is to be said of a worker that was waited for in vain, for `waited` seconds."""
        if self._pod is None or (self.last is not None and self.last.verdict is not None):
            return None if self.last is None else self.last.verdict
        return (yield from self._examiner.study_lateness(self._pod, waited))

    def _first_look(self) -> Operation[Sighting]:
        pod, server_now = yield from read_pod_and_time(self._config, self._handle)
        self._examiner = Examiner(self._config, server_now - (yield from Monotonic()))
        version = "" if pod is None else pod.metadata.resource_version
        self._watch = watch_one(self._config, self._handle.pod_name, what=self._what, version=version)
        return Sighting(pod, gone=pod is None)

    def _study(self, sighting: Sighting, *, is_past: bool) -> Operation[WorkerInfo]:
        self._pod = sighting.pod or self._pod
        if self._pod is None:
            return gone_worker(self._handle)
        if sighting.gone:
            last = described_worker(self._pod, None if self.last is None else self.last.verdict)
            return msgspec.structs.replace(last, state=WorkerState.TERMINATED)
        return (yield from (self._examiner.study_past if is_past else self._examiner.study)(self._pod))


def check_hope(info: WorkerInfo, wanted: Collection[WorkerState]) -> None:
    """The wait for one of the states `wanted` goes on.

    Raises: NotReady for a worker that cannot get there any more, ProvisioningTimeout for a start whose time is over;
    both with the verdict.
    """
    names = f"the worker {info.worker_id} will not {goal_of(wanted)}"
    verdict = info.verdict
    if set(wanted) <= UNREACHABLE_FROM.get(info.state, frozenset()):
        raise _with_verdict(NotReady, f"{names}: it is {describe(info)}", verdict)
    if verdict is None or not verdict.is_over or not _is_in_vain(info, verdict, wanted):
        return
    kind = ProvisioningTimeout if verdict.category is Category.STARTUP_TIMEOUT else NotReady
    raise _with_verdict(kind, f"{names}: {verdict.summary}", verdict)


def goal_of(wanted: Collection[WorkerState]) -> str:
    """What a wait for one of the states `wanted` hopes that the worker does, for a sentence: `be READY`, `start`."""
    return _GOALS.get(frozenset(wanted)) or "be " + " or ".join(sorted(state.name for state in wanted))


def _is_in_vain(info: WorkerInfo, verdict: Verdict, wanted: Collection[WorkerState]) -> bool:
    if info.state not in _STARTING:
        return False
    if set(wanted) <= ENDS and info.state is WorkerState.CONNECTING:
        return False  # it runs, so it will end
    return verdict.category not in _ENDS_BY_ITSELF or not ENDS & set(wanted)


def _with_verdict(kind: type[ProviderError], summary: str, verdict: Verdict | None) -> ProviderError:
    return kind(summary, verdict=verdict, retryable=None if verdict is None else verdict.retryable)


def describe(info: WorkerInfo) -> str:
    """The state and the server's words for it, for a sentence."""
    words = [info.state.name]
    if info.exit_code is not None:
        words.append(f"exit code {info.exit_code}")
    words.extend(part for part in (info.reason, info.message) if part)
    return ", ".join(words)
