"""A live view of a fleet for threads: one watch, shared by any number of readers and waiters."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Protocol, TypeVar

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation, Stream
from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.operations import describe_worker, with_deadline
from hodei_k8s_core.operations.attentive_watch import SharedWatch
from hodei_k8s_core.operations.observed_start import observe_start
from hodei_k8s_core.operations.worker_wait import Waits
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import FleetItem
from hodei_k8s_transport.drivers.sync_stream import SyncStream
from hodei_k8s_transport.fleet_desk import FleetDesk

R = TypeVar("R")


class Run(Protocol):
    """Performs an operation."""

    def __call__(self, operation: Operation[R]) -> R: ...


CLOSE_LIMIT = 2.0
"""Seconds that leaving waits for the thread; an exchange that is under way lets it end later, by itself."""


class Fleet:
    """The workers as they are now, kept so by one thread with one watch.

        with provider.fleet() as fleet:
            fleet.view.count_by_state()
            fleet.wait_for(handle, until=WorkerState.READY, timeout=60)

    Entering returns when the picture is whole, and raises what `watch_workers` raises. When the watch ends for good,
    `view` stays as it was seen last, and every wait raises what ended it.
    """

    def __init__(
        self,
        config: KubernetesConfig,
        selector: str,
        stream: Callable[[Stream[FleetItem, None]], SyncStream[FleetItem, None]],
        run: Run,
    ) -> None:
        self._config = config
        self._waits = Waits()
        self._watch = SharedWatch(config, self._waits, selector=selector)
        self._stream = stream(self._watch.run())
        self._run = run
        self._lock = threading.Lock()
        self._desk: FleetDesk[threading.Event] = FleetDesk(config, self._watch, self._waits, threading.Event)
        self._was_entered = False
        self._thread = threading.Thread(target=self._follow, name="hodei-k8s-fleet", daemon=True)

    def __enter__(self) -> Fleet:
        self._was_entered = True
        self._thread.start()
        try:
            self._desk.first.wait()
            self._desk.raise_if_ended()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stream.request_stop()
        self._end(None)
        self._thread.join(CLOSE_LIMIT)

    @property
    def view(self) -> FleetView:
        """The picture as it is now: a copy that does not change any more."""
        with self._lock:
            return self._entered().view.snapshot()

    def get(self, worker_id: str) -> WorkerInfo | None:
        """The worker as it is now, or None when it is not in view."""
        with self._lock:
            return self._entered().view.get(worker_id)

    def wait_for(
        self,
        handle: WorkerHandle,
        *,
        until: WorkerState | Collection[WorkerState] = WorkerState.READY,
        timeout: float = 120.0,
    ) -> WorkerInfo:
        """Wait until the worker is in one of the states `until`, for at most `timeout` seconds.

        Costs one look at the Pod where the worker is not in view (yet) or in trouble already, and otherwise nothing;
        troubles that only events tell are looked for in one list of the namespace's events for all who wait.

        Raises: NotReady, ProvisioningTimeout, WorkerNotFound when it went out of view alive; and what ended the watch.
        """
        with self._lock:
            waiter = self._entered().enter(handle, until, timeout)
        try:
            if waiter.needs_a_look:
                look = with_deadline(describe_worker(self._config, handle), timeout, what="look at the worker")
                info = self._run(look)
                with self._lock:
                    waiter.look_shows(info)
            waiter.bell.wait(waiter.left())
        finally:
            with self._lock:
                self._desk.leave(waiter)
        info = self._desk.result(waiter)
        self._run(observe_start(info))
        return info

    def _entered(self) -> FleetDesk[threading.Event]:
        if not self._was_entered:
            raise RuntimeError("a view of a fleet is used inside its `with` block")
        return self._desk

    def _follow(self) -> None:
        try:
            with self._stream as items:
                for item in items:
                    with self._lock:
                        self._desk.take(item)
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it
            self._end(error)
        else:
            self._end(None)

    def _end(self, error: BaseException | None) -> None:
        with self._lock:
            self._desk.end(error)
