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

from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.diagnosis.look import Judge, Look, lean_worker, look_alike
from hodei_k8s_core.diagnosis.settled import is_settled
from hodei_k8s_core.operations.pod_listing import Page
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.verdict import Verdict
from hodei_k8s_core.watch_event import Deleted, PodEvent
from hodei_k8s_core.worker import WorkerInfo
from hodei_k8s_core.worker_change import ChangeKind, WorkerChange

# As globals: to look them up in their class takes a tenth of what the fold costs a Pod.
_ADDED: Final = ChangeKind.ADDED
_CHANGED: Final = ChangeKind.CHANGED

FIRST_RECHECK: Final = 1.0
"""Seconds after which it is found out when time alone can change what was said of a Pod. A Pod that changes several
times within them, as all do that start, is examined once; not at all, if it is settled then."""


class FleetFold:
    """`now` is always seconds since the epoch, by the cluster's clock. `describe` makes the info of a Pod."""

    def __init__(
        self, policy: StartupPolicy, describe: Callable[[Pod, Verdict | None], WorkerInfo] = lean_worker
    ) -> None:
        self._judge = Judge(policy, describe)
        self._known: dict[str, Look] = {}
        # When to look again at those that are not settled: exactly, or FIRST_RECHECK later to find that out.
        self._unsettled: dict[str, float] = {}
        self._unexamined: dict[str, Look] = {}
        self._puzzles: dict[str, Pod] = {}
        self._seen: set[str] = set()
        self._recheck_at = math.inf

    @property
    def recheck_at(self) -> float:
        """Before this nothing changes by time alone; infinite when nothing ever does."""
        return self._recheck_at

    @property
    def puzzles(self) -> Mapping[str, Pod]:
        """The Pods in view about which events can say more, by uid; as of the last `find_puzzles`."""
        return MappingProxyType(self._puzzles)

    def find_puzzles(self) -> None:
        """Examine what is new, for those who ask for events: to tell of a fleet it is not needed."""
        for look in self._unexamined.values():
            if look.examination.wants_events:
                self._puzzles[look.pod_uid] = look.pod
        self._unexamined.clear()

    def changing(self, name: str) -> Pod | None:
        """The Pod of that name while time alone can change the verdict on it: while its start goes on, above all."""
        known = self._known.get(name)
        if known is None or is_settled(known.pod) or known.recheck_at == math.inf:
            return None
        return known.pod

    def __len__(self) -> int:
        """The workers in view."""
        return len(self._known)

    def page(self, page: Page, now: float) -> list[WorkerChange]:
        """What a page of a list changes; the removals come with the last one."""
        if page.begins:
            self._seen = set()
        self._seen.update([pod.metadata.name for pod in page.pods])
        changes: list[WorkerChange] = []
        for pod in page.pods:
            self._show(pod, now, changes)
        if page.ends:
            vanished = [name for name in self._known if name not in self._seen]
            changes += [_removed(self._forget(name)) for name in vanished]
            self._seen = set()
        return changes

    def events(self, events: Iterable[PodEvent], now: float) -> list[WorkerChange]:
        """What the events of a watch change."""
        changes: list[WorkerChange] = []
        for event in events:
            if isinstance(event, Deleted):
                self._hide(event.pod, now, changes)
            else:
                self._show(event.pod, now, changes)
        return changes

    def recheck(self, now: float) -> list[WorkerChange]:
        """What the time alone has changed."""
        changes: list[WorkerChange] = []
        for name in [name for name, at in self._unsettled.items() if at <= now]:
            known = self._known[name]
            if known.recheck_at <= now:
                self._compare(known, Look(known.pod, now, self._judge), changes)
            else:
                self._unsettled[name] = known.recheck_at
        self._recheck_at = min(self._unsettled.values(), default=math.inf)
        return changes

    def _show(self, pod: Pod, now: float, changes: list[WorkerChange]) -> None:
        name = pod.metadata.name
        known = self._known.get(name)
        if known is None:
            look = self._known[name] = Look(pod, now, self._judge)
            changes.append(WorkerChange(_ADDED, look))
            if not is_settled(pod):
                self._look_again(name, look)
        elif known.pod != pod or self._unsettled.get(name, math.inf) <= now:
            self._compare(known, Look(pod, now, self._judge), changes)

    def _compare(self, before: Look, after: Look, changes: list[WorkerChange]) -> None:
        name = after.pod.metadata.name
        if before.pod_uid != after.pod_uid:
            changes.append(_removed(before, gone=True))
            changes.append(WorkerChange(_ADDED, after))
        elif not look_alike(before, after):
            changes.append(WorkerChange(_CHANGED, after))
        self._forget(name)
        self._known[name] = after
        if not is_settled(after.pod):
            self._look_again(name, after)

    def _look_again(self, name: str, look: Look) -> None:
        at = look.now + FIRST_RECHECK if look.found is None else look.recheck_at
        self._unsettled[name] = at
        self._unexamined[name] = look
        if at < self._recheck_at:
            self._recheck_at = at

    def _hide(self, pod: Pod, now: float, changes: list[WorkerChange]) -> None:
        known = self._known.get(pod.metadata.name)
        if known is None or known.pod_uid != pod.metadata.uid:
            return
        self._forget(pod.metadata.name)
        # An object that leaves a selector and one that is deleted at once come as the same event; where a deletion
        # was under way it is told as done.
        changes.append(_removed(Look(pod, now, self._judge), gone=pod.is_deleting))

    def _forget(self, name: str) -> Look:
        self._unsettled.pop(name, None)
        self._unexamined.pop(name, None)
        look = self._known.pop(name)
        self._puzzles.pop(look.pod_uid, None)
        return look


def _removed(look: Look, *, gone: bool = False) -> WorkerChange:
    return WorkerChange(kind=ChangeKind.REMOVED, info=look, gone=gone)
