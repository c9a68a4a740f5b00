"""Pages and events of a watch -> what changed in the fleet. Pure; it holds one entry for each worker in view.

What is told is the difference to what was told before, so it does not matter how the news came: in a list again, twice,
or with what lay in between left out. A worker that is unchanged is not told again, one that a whole list does not show
is removed, and a name that belongs to another Pod by now is one removed and one added.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.diagnosis import examine
from hodei_k8s_core.operations.pod_listing import Page
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.verdict import Verdict
from hodei_k8s_core.watch_event import Deleted, PodEvent
from hodei_k8s_core.worker import WorkerInfo
from hodei_k8s_core.worker_change import ChangeKind, WorkerChange
from hodei_k8s_core.worker_info import worker_info

A_MOMENT: Final = 0.05
"""Seconds: a limit has passed, and not only been reached."""


def lean_worker(pod: Pod, verdict: Verdict | None) -> WorkerInfo:
    """The worker without its timeline: a fleet keeps many."""
    return msgspec.structs.replace(worker_info(pod), verdict=verdict)


class _Known(msgspec.Struct, frozen=True):
    """A worker as it was told. `pod` and `recheck_at` are kept as long as time alone can change the verdict.

    `puzzle`: its Pod, while events can say more about it.
    """

    info: WorkerInfo
    recheck_at: float = math.inf
    pod: Pod | None = None
    puzzle: Pod | None = None


class FleetFold:
    """`now` is always seconds since the epoch, by the cluster's clock. `describe` makes the info of a Pod."""

    def __init__(
        self, policy: StartupPolicy, describe: Callable[[Pod, Verdict | None], WorkerInfo] = lean_worker
    ) -> None:
        self._policy = policy
        self._describe = describe
        self._known: dict[str, _Known] = {}
        self._puzzles: dict[str, Pod] = {}
        self._seen: set[str] = set()
        self._recheck_at = math.inf

    @property
    def recheck_at(self) -> float:
        """Before this nothing changes by time alone; infinite when nothing ever does."""
        return self._recheck_at

    @property
    def puzzles(self) -> Mapping[str, Pod]:
        """The Pods in view about which events can say more, by uid."""
        return MappingProxyType(self._puzzles)

    def changing(self, name: str) -> Pod | None:
        """The Pod of that name while time alone can change the verdict on it: while its start goes on, above all."""
        known = self._known.get(name)
        return None if known is None else known.pod

    def __len__(self) -> int:
        """The workers in view."""
        return len(self._known)

    def page(self, page: Page, now: float) -> list[WorkerChange]:
        """What a page of a list changes; the removals come with the last one."""
        if page.begins:
            self._seen = set()
        self._seen.update(pod.metadata.name for pod in page.pods)
        changes = [change for pod in page.pods for change in self._show(pod, now)]
        if page.ends:
            vanished = [name for name in self._known if name not in self._seen]
            changes += [_removed(self._forget(name)) for name in vanished]
            self._seen = set()
        return changes

    def events(self, events: Iterable[PodEvent], now: float) -> list[WorkerChange]:
        """What the events of a watch change."""
        changes: list[WorkerChange] = []
        for event in events:
            changes += self._hide(event.pod, now) if isinstance(event, Deleted) else self._show(event.pod, now)
        return changes

    def recheck(self, now: float) -> list[WorkerChange]:
        """What the time alone has changed."""
        due = [known.pod for known in self._known.values() if known.recheck_at <= now]
        changes = [change for pod in due if pod is not None for change in self._show(pod, now)]
        self._recheck_at = min((known.recheck_at for known in self._known.values()), default=math.inf)
        return changes

    def _show(self, pod: Pod, now: float) -> list[WorkerChange]:
        name = pod.metadata.name
        before, after = self._known.get(name), self._look(pod, now)
        self._keep(name, after)
        self._recheck_at = min(self._recheck_at, after.recheck_at)
        if before is None:
            return [WorkerChange(kind=ChangeKind.ADDED, info=after.info)]
        if before.info.handle.pod_uid != pod.metadata.uid:
            return [_removed(before.info, gone=True), WorkerChange(kind=ChangeKind.ADDED, info=after.info)]
        if _face(before.info) == _face(after.info):
            return []
        return [WorkerChange(kind=ChangeKind.CHANGED, info=after.info)]

    def _hide(self, pod: Pod, now: float) -> list[WorkerChange]:
        known = self._known.get(pod.metadata.name)
        if known is None or known.info.handle.pod_uid != pod.metadata.uid:
            return []
        self._forget(pod.metadata.name)
        # An object that leaves a selector and one that is deleted at once come as the same event; where a deletion
        # was under way it is told as done.
        return [_removed(self._look(pod, now).info, gone=pod.is_deleting)]

    def _keep(self, name: str, after: _Known) -> None:
        if name in self._known:
            self._forget(name)
        self._known[name] = after
        if after.puzzle is not None:
            self._puzzles[after.puzzle.metadata.uid] = after.puzzle

    def _forget(self, name: str) -> WorkerInfo:
        info = self._known.pop(name).info
        self._puzzles.pop(info.handle.pod_uid, None)
        return info

    def _look(self, pod: Pod, now: float) -> _Known:
        found = examine(pod, now=now, policy=self._policy)
        info = self._describe(pod, found.verdict)
        puzzle = pod if found.wants_events else None
        if found.recheck_after is None:
            return _Known(info, puzzle=puzzle)
        return _Known(info, now + found.recheck_after + A_MOMENT, pod, puzzle)


def _removed(info: WorkerInfo, *, gone: bool = False) -> WorkerChange:
    return WorkerChange(kind=ChangeKind.REMOVED, info=info, gone=gone)


def _face(info: WorkerInfo) -> WorkerInfo:
    """What a host can see change. A verdict's evidence and its next look tell of seconds, and differ at every look."""
    if info.verdict is None:
        return info
    return msgspec.structs.replace(info, verdict=msgspec.structs.replace(info.verdict, evidence=(), recheck_after=None))
