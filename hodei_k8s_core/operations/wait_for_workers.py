"""Wait for many workers at once: one list and one watch for all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation, WallClock
from hodei_k8s_core.labels import WORKER_ID
from hodei_k8s_core.names import label_value_problem
from hodei_k8s_core.operations.attentive_watch import AttentiveWatch
from hodei_k8s_core.operations.deadline import DeadlineExceeded, step, with_deadline
from hodei_k8s_core.operations.handles import check_handle
from hodei_k8s_core.operations.observed_start import observe_start
from hodei_k8s_core.operations.observed_verdict import observe_verdict
from hodei_k8s_core.operations.worker_wait import Waits, WorkerWait, wanted_states
from hodei_k8s_core.worker import WorkerHandle, WorkerState
from hodei_k8s_core.worker_change import WaitOutcome

WHAT: Final = "wait for the workers"
LONGEST_SELECTOR: Final = 2000
"""Characters: a selector is part of the URL, and servers and proxies limit that."""


def wait_for_workers(
    config: KubernetesConfig,
    handles: Iterable[WorkerHandle],
    *,
    until: WorkerState | Collection[WorkerState] = WorkerState.READY,
    timeout: float = 120.0,
) -> Operation[list[WaitOutcome]]:
    """Wait until each worker is in one of the states `until`, or cannot get there, for at most `timeout` seconds.

    One outcome for each handle, in their order; each error is what `wait_for_worker` would raise. Returns as soon as
    all are decided. Troubles that only events tell of are looked for in one list of the namespace's events for all.

    Raises: ConnectionFailed, AuthenticationFailed (then nothing can be said of any), ConfigurationError.
    """
    wanted = wanted_states(until, timeout)
    waits = [WorkerWait(handle, wanted) for handle in handles]
    for wait in waits:
        check_handle(wait.handle, config)
    if waits:
        yield from with_deadline(_wait(config, waits, timeout), timeout, what=WHAT)
    return [WaitOutcome(handle=wait.handle, info=wait.info, error=wait.error) for wait in waits]


def _wait(config: KubernetesConfig, waits: Sequence[WorkerWait], timeout: float) -> Operation[None]:
    left = Waits()
    for wait in waits:
        left.add(wait)
    selector = _selector([wait.handle.worker_id for wait in waits])
    fleet = AttentiveWatch(config, left, what=WHAT, selector=selector)
    was_whole = False
    try:
        while left:
            yield from step("wait_for_workers", f"{len(left)} of {len(waits)} are to come")
            over = left.tell((yield from fleet.next_items()))
            yield from _observe_starts(over)
            yield from _observe_troubles(over)
            if fleet.is_whole and not was_whole:
                was_whole = True
                left.show_absences()
        yield from fleet.let_go()
    except DeadlineExceeded as expired:
        now = yield from WallClock()
        for wait in left:
            wait.run_out(timeout, expired, late=fleet.lateness(wait.handle, timeout, now))


def _observe_starts(waits: Sequence[WorkerWait]) -> Operation[None]:
    """Once for each worker, however many wait for it."""
    started = {wait.handle.worker_id: wait.info for wait in waits if wait.error is None and wait.info is not None}
    for info in started.values():
        yield from observe_start(info)


def _observe_troubles(waits: Sequence[WorkerWait]) -> Operation[None]:
    for wait in waits:
        if wait.error is not None and wait.info is not None:
            yield from observe_verdict(wait.info)


def _selector(worker_ids: Sequence[str]) -> str:
    """Only these workers, where so many names fit into a URL; otherwise the whole fleet."""
    names = sorted(set(worker_ids))
    text = f"{WORKER_ID} in ({','.join(names)})"
    fits = len(text) <= LONGEST_SELECTOR and not any(map(label_value_problem, names))
    return text if fits and all(names) else ""
