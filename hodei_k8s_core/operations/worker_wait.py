"""One wait for one worker among many that share a watch: it is told what is seen, and knows when it is over. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from hodei_k8s_core.errors import ConfigurationError, Fault, ProviderError, ProvisioningTimeout, WorkerNotFound
from hodei_k8s_core.operations.deadline import DeadlineExceeded
from hodei_k8s_core.operations.worker_status import gone_worker
from hodei_k8s_core.operations.worker_watch import check_hope, describe
from hodei_k8s_core.verdict import Verdict
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import ChangeKind, FleetItem, WorkerChange


def wanted_states(until: WorkerState | Collection[WorkerState], timeout: float) -> frozenset[WorkerState]:
    """The states that end a wait. Raises: ConfigurationError for a wait that makes no sense."""
    wanted = frozenset((until,) if isinstance(until, WorkerState) else until)
    if wanted and timeout > 0:
        return wanted
    field, problem = ("timeout", f"is {timeout:g}; more than 0") if wanted else ("until", "names no state")
    raise ConfigurationError("the wait makes no sense", [Fault(field, problem)])


class WorkerWait:
    """Until the worker is in one of the states `wanted`, or cannot get there any more.

    `info`: the worker as it was seen last, or None. `error`: why the wait ended in vain, or None.
    """

    def __init__(self, handle: WorkerHandle, wanted: frozenset[WorkerState]) -> None:
        self.handle = handle
        self.info: WorkerInfo | None = None
        self.error: ProviderError | None = None
        self._wanted = wanted
        self._uid = handle.pod_uid

    @property
    def is_over(self) -> bool:
        """The worker got there, or the wait ended in vain."""
        return self.error is not None or (self.info is not None and self.info.state in self._wanted)

    def tell(self, change: WorkerChange) -> None:
        """A change of the worker with this id."""
        if self._uid not in ("", change.info.handle.pod_uid):
            # A later Pod has the name, so ours is gone; news of an earlier one only come late.
            if change.kind is not ChangeKind.REMOVED and (change.info.created_at or 0.0) >= self.handle.created_at:
                self.show_absence()
        elif change.kind is not ChangeKind.REMOVED:
            self.show(change.info)
        elif change.gone:
            self.show(msgspec.structs.replace(change.info, state=WorkerState.TERMINATED))
        else:
            summary = f"the worker {change.worker_id} went out of view, though it may live: its labels were changed"
            self.fail(WorkerNotFound(summary))

    def show(self, info: WorkerInfo) -> None:
        """The worker as it is now."""
        if self.is_over:
            return
        self._uid = self._uid or info.handle.pod_uid
        self.info = info
        if info.state not in self._wanted:
            try:
                check_hope(info, self._wanted)
            except ProviderError as error:
                self.error = error

    def show_absence(self) -> None:
        """There is no such Pod."""
        known = self.info
        gone = gone_worker(self.handle) if known is None else known
        self.show(msgspec.structs.replace(gone, state=WorkerState.TERMINATED))

    def fail(self, error: ProviderError) -> None:
        """It ends in vain, unless it is over."""
        if not self.is_over:
            self.error = error

    def run_out(self, timeout: float, met: DeadlineExceeded | None = None, *, late: Verdict | None = None) -> None:
        """Its time is over. `met`: what the watch met on the way; `late`: the verdict on a start that goes on."""
        goal = " or ".join(sorted(state.name for state in self._wanted))
        where = "nothing is known of it" if self.info is None else f"it is {describe(self.info)}"
        verdict = late if self.info is None else self.info.verdict or late
        summary = f"the worker {self.handle.worker_id} was not {goal} within {timeout:g} s; {where}"
        if met is None:
            self.fail(ProvisioningTimeout(summary, verdict=verdict))
        else:
            self.fail(met.to_error(ProvisioningTimeout, summary, verdict=verdict))


class Waits:
    """Many waits, by the id of their worker: a change costs those that wait for it, not all."""

    def __init__(self) -> None:
        self._by_id: dict[str, list[WorkerWait]] = {}

    def __iter__(self) -> Iterator[WorkerWait]:
        return (wait for waits in self._by_id.values() for wait in waits)

    def __contains__(self, worker_id: object) -> bool:
        return worker_id in self._by_id

    def __len__(self) -> int:
        return sum(map(len, self._by_id.values()))

    def add(self, wait: WorkerWait) -> None:
        """Tell it from now on."""
        self._by_id.setdefault(wait.handle.worker_id, []).append(wait)

    def discard(self, wait: WorkerWait) -> None:
        """Tell it no more."""
        worker_id = wait.handle.worker_id
        left = [other for other in self._by_id.pop(worker_id, []) if other is not wait]
        if left:
            self._by_id[worker_id] = left

    def tell(self, items: Iterable[FleetItem]) -> list[WorkerWait]:
        """Tell the news; the waits that are over by them are taken out."""
        told: list[WorkerWait] = []
        for item in items:
            if isinstance(item, WorkerChange):
                concerned = self._by_id.get(item.worker_id, [])
                for wait in concerned:
                    wait.tell(item)
                told += concerned
        return self._take_those_over(told)

    def show_absences(self) -> list[WorkerWait]:
        """Every worker that exists was told: one of which nothing is known does not."""
        unknown = [wait for wait in self if wait.info is None]
        for wait in unknown:
            wait.show_absence()
        return self._take_those_over(unknown)

    def fail_all(self, error: ProviderError) -> list[WorkerWait]:
        """The watch has ended, so all end in vain."""
        waits = list(self)
        for wait in waits:
            wait.fail(error)
        return self._take_those_over(waits)

    def _take_those_over(self, waits: Iterable[WorkerWait]) -> list[WorkerWait]:
        over = [wait for wait in waits if wait.is_over]
        for wait in over:
            self.discard(wait)
        return over
