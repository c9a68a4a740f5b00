"""Wait until a worker is in a state that is wanted: one watch on its Pod, no polling."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Observe, Operation
from hodei_k8s_core.errors import ConfigurationError, Fault, NotReady, ProvisioningTimeout
from hodei_k8s_core.observations import PodStarted
from hodei_k8s_core.operations.deadline import DeadlineExceeded, step, with_deadline
from hodei_k8s_core.operations.handles import check_handle
from hodei_k8s_core.operations.sightings import Sighting, sightings, watch_one
from hodei_k8s_core.operations.worker_status import gone_worker
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_info import worker_info

_RUNS = (WorkerState.READY, WorkerState.BUSY, WorkerState.DRAINING)
UNREACHABLE_FROM = {
    WorkerState.TERMINATED: frozenset(set(WorkerState) - {WorkerState.TERMINATED}),
    WorkerState.TERMINATING: frozenset(set(WorkerState) - {WorkerState.TERMINATED, WorkerState.TERMINATING}),
}
"""The states that a worker cannot reach any more."""


def wait_for_worker(
    config: KubernetesConfig,
    handle: WorkerHandle,
    *,
    until: WorkerState | Collection[WorkerState] = WorkerState.READY,
    timeout: float = 120.0,
) -> Operation[WorkerInfo]:
    """Wait until the worker is in one of the states `until`, for at most `timeout` seconds.

    TERMINATED is also what a Pod that is gone counts as; the info then is the last that was seen of it.

    Raises: NotReady as soon as the worker cannot get there any more (with how it ended), ProvisioningTimeout with where
    it was when the time ran out, ConnectionFailed, AuthenticationFailed.
    """
    check_handle(handle, config)
    wanted = frozenset((until,) if isinstance(until, WorkerState) else until)
    if not wanted or not timeout > 0:
        field, problem = ("until", "names no state") if not wanted else ("timeout", f"is {timeout:g}; more than 0")
        raise ConfigurationError("the wait makes no sense", [Fault(field, problem)])
    return (yield from with_deadline(_wait(config, handle, wanted, timeout), timeout, what="wait for the worker"))


def _wait(
    config: KubernetesConfig, handle: WorkerHandle, wanted: frozenset[WorkerState], timeout: float
) -> Operation[WorkerInfo]:
    names = " or ".join(sorted(state.name for state in wanted))
    what = f"wait for the worker {handle.worker_id} to be {names}"
    watch = watch_one(config, handle.pod_name, what=what)
    last: WorkerInfo | None = None
    try:
        while True:
            yield from step("wait_for_worker", "read the Pod" if last is None else f"it is {describe(last)}")
            uid = handle.pod_uid or (last.handle.pod_uid if last is not None else "")
            for sighting in sightings((yield from watch.next_batch()), uid):
                last = seen(sighting, handle, last)
                if last.state in wanted:
                    yield from watch.let_go()
                    yield from _tell_start(last)
                    return last
                if wanted <= UNREACHABLE_FROM.get(last.state, frozenset()):
                    raise NotReady(f"the worker {handle.worker_id} will not be {names}: it is {describe(last)}")
    except DeadlineExceeded as expired:
        where = "nothing is known of it" if last is None else f"it is {describe(last)}"
        summary = f"the worker {handle.worker_id} was not {names} within {timeout:g} s; {where}"
        raise expired.to_error(ProvisioningTimeout, summary) from None


def _tell_start(info: WorkerInfo) -> Operation[None]:
    """Observe how long it took from the Pod's creation to the start, both by the cluster's clocks."""
    if info.state in _RUNS and info.created_at is not None and info.started_at is not None:
        yield from Observe(PodStarted(max(0.0, info.started_at - info.created_at), info.image))


def seen(sighting: Sighting, handle: WorkerHandle, last: WorkerInfo | None) -> WorkerInfo:
    """The worker as a sighting shows it; gone means TERMINATED, with the last that was known."""
    info = last if sighting.pod is None else worker_info(sighting.pod)
    if not sighting.gone:
        return info or gone_worker(handle)
    return gone_worker(handle) if info is None else msgspec.structs.replace(info, state=WorkerState.TERMINATED)


def describe(info: WorkerInfo) -> str:
    """The state and the server's words for it, for a sentence."""
    words = [info.state.name]
    if info.exit_code is not None:
        words.append(f"exit code {info.exit_code}")
    words.extend(part for part in (info.reason, info.message) if part)
    return ", ".join(words)
