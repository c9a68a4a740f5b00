"""What the fleets for threads and for tasks share: the view, who waits, and what rings for whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Generic, Protocol, TypeVar

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import Internal, ProviderClosed, ProviderError
from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.operations.attentive_watch import SharedWatch
from hodei_k8s_core.operations.handles import check_handle
from hodei_k8s_core.operations.worker_wait import Waits, WorkerWait, wanted_states
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import ChangeKind, FleetItem, WorkerChange


class Bell(Protocol):
    """`threading.Event` and `anyio.Event` are such."""

    def set(self) -> object: ...


B = TypeVar("B", bound=Bell)


class Waiter(WorkerWait, Generic[B]):
    """A wait with a bell that rings when it is over. `needs_a_look`: the view does not show this very Pod."""

    def __init__(self, handle: WorkerHandle, wanted: frozenset[WorkerState], timeout: float, bell: B) -> None:
        super().__init__(handle, wanted)
        self.bell = bell
        self.needs_a_look = False
        self._timeout = timeout
        self._ends_at = time.monotonic() + timeout

    def left(self) -> float:
        """Seconds; 0 when it is over."""
        return 0.0 if self.is_over else max(0.0, self._ends_at - time.monotonic())

    def look_shows(self, info: WorkerInfo) -> None:
        """What the one look gave; the watch may have told of it meanwhile, and knows better."""
        if self.info is None:
            self.show(info)
        if self.is_over:
            self.bell.set()

    def result(self, watch: SharedWatch) -> WorkerInfo:
        """How it ended. Raises: NotReady, ProvisioningTimeout, WorkerNotFound, what ended the watch."""
        late = None if self.is_over else watch.lateness(self.handle, self._timeout, time.time())
        self.run_out(self._timeout, late=late)
        if self.error is not None:
            raise self.error
        if self.info is None:
            raise Internal("a wait is over and nothing was seen")
        return self.info


class FleetDesk(Generic[B]):
    """`first` rings when the picture is whole, or never will be. Whoever calls sees to it that one does at a time."""

    def __init__(self, config: KubernetesConfig, watch: SharedWatch, waits: Waits, new_bell: Callable[[], B]) -> None:
        self.view = FleetView()
        self.first = new_bell()
        self._config = config
        self._watch = watch
        self._new_bell = new_bell
        self._waits = waits
        self._ended: ProviderError | None = None

    def take(self, item: FleetItem) -> None:
        """Fold in what the watch told."""
        self.view.apply([item])
        # Who came to wait for a puzzle only now is told once it was studied.
        if not (isinstance(item, WorkerChange) and self._watch.is_hasty(item)):
            self._ring(self._waits.tell([item]))
        if self.view.is_synced:
            self.first.set()

    def end(self, error: BaseException | None) -> None:
        """Nothing more will be told. Only the first reason counts; None: the view was closed."""
        if self._ended is not None:
            return
        if error is None:
            self._ended = ProviderClosed("the view of the fleet is closed")
        elif isinstance(error, ProviderError):
            self._ended = error
        else:
            self._ended = Internal(f"the watch on the fleet failed: {type(error).__name__}")
            self._ended.__cause__ = error
        self._ring(self._waits.fail_all(self._ended))
        self.first.set()

    def raise_if_ended(self) -> None:
        """Raises: what ended the watch."""
        if self._ended is not None:
            raise self._ended

    def enter(self, handle: WorkerHandle, until: WorkerState | Collection[WorkerState], timeout: float) -> Waiter[B]:
        """A new waiter, which knows what the view knows.

        Raises: ConfigurationError for a wait that makes no sense; what ended the watch.
        """
        waiter = Waiter(handle, wanted_states(until, timeout), timeout, self._new_bell())
        check_handle(handle, self._config)
        self.raise_if_ended()
        known = self.view.get(handle.worker_id)
        # A view that lags behind can still show the Pod that had the name before; and as long as nobody waited, a
        # verdict in it is from the Pod alone, which can be hasty.
        if known is None or handle.pod_uid not in ("", known.handle.pod_uid) or _is_given_up(known):
            waiter.needs_a_look = True
        else:
            waiter.tell(WorkerChange(kind=ChangeKind.ADDED, info=known))
        self._waits.add(waiter)
        if waiter.is_over:
            waiter.bell.set()
        return waiter

    def leave(self, waiter: Waiter[B]) -> None:
        """It does not wait any more."""
        self._waits.discard(waiter)

    def result(self, waiter: Waiter[B]) -> WorkerInfo:
        """How the wait ended. Raises: NotReady, ProvisioningTimeout, WorkerNotFound, what ended the watch."""
        return waiter.result(self._watch)

    def _ring(self, waits: list[WorkerWait]) -> None:
        for wait in waits:
            if isinstance(wait, Waiter):
                wait.bell.set()


def _is_given_up(info: WorkerInfo) -> bool:
    return info.verdict is not None and info.verdict.is_over
