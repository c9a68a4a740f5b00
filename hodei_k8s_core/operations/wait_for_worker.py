"""Wait until a worker is in a state that is wanted: one watch on its Pod, and no longer than there is hope."""

from __future__ import annotations

from collections.abc import Collection

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.errors import ProvisioningTimeout
from hodei_k8s_core.operations.deadline import DeadlineExceeded, step, with_deadline
from hodei_k8s_core.operations.handles import check_handle
from hodei_k8s_core.operations.observed_start import observe_start
from hodei_k8s_core.operations.worker_wait import wanted_states
from hodei_k8s_core.operations.worker_watch import WorkerWatch, check_hope, describe
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState


def wait_for_worker(
    config: KubernetesConfig,
    handle: WorkerHandle,
    *,
    until: WorkerState | Collection[WorkerState] = WorkerState.READY,
    timeout: float = 120.0,
) -> Operation[WorkerInfo]:
    """Wait until the worker is in one of the states `until`, for at most `timeout` seconds.

    TERMINATED is also what a Pod that is gone counts as; the info then is the last that was seen of it.

    Raises: NotReady as soon as the worker cannot get there any more; ProvisioningTimeout when `timeout` is over, or
    what `config.startup` allows a stage of its start; both with the verdict. ConnectionFailed, AuthenticationFailed.
    """
    check_handle(handle, config)
    wanted = wanted_states(until, timeout)
    return (yield from with_deadline(_wait(config, handle, wanted, timeout), timeout, what="wait for the worker"))


def _wait(
    config: KubernetesConfig, handle: WorkerHandle, wanted: frozenset[WorkerState], timeout: float
) -> Operation[WorkerInfo]:
    names = " or ".join(sorted(state.name for state in wanted))
    watch = WorkerWatch(config, handle, what=f"wait for the worker {handle.worker_id} to be {names}")
    try:
        while True:
            last = watch.last
            yield from step("wait_for_worker", "read the Pod" if last is None else f"it is {describe(last)}")
            for info in (yield from watch.look()):
                if info.state in wanted:
                    yield from watch.let_go()
                    yield from observe_start(info)
                    return info
                check_hope(info, wanted)
    except DeadlineExceeded as expired:
        last = watch.last
        where = "nothing is known of it" if last is None else f"it is {describe(last)}"
        summary = f"the worker {handle.worker_id} was not {names} within {timeout:g} s; {where}"
        verdict = yield from watch.study_lateness(timeout)
        raise expired.to_error(ProvisioningTimeout, summary, verdict=verdict) from None
