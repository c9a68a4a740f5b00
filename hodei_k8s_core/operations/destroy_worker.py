"""Destroy a worker so that repeating is safe, and return when its Pod is really gone.

The Pod is read first: its uid is the precondition of the DELETE (another Pod of that name is left alone), and the watch
starts from the version that was read *before* the DELETE. That replays the terminated state and the DELETED event even
if the Pod is gone by then, where a watch from the version that DELETE returned can wait for ever.
"""

from __future__ import annotations

from math import ceil

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Monotonic, Observe, Operation
from hodei_k8s_core.errors import ConfigurationError, Fault, ProviderError, Timeout
from hodei_k8s_core.observations import PodDestroyed
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.operations.companions import remove_companions
from hodei_k8s_core.operations.deadline import step, with_deadline
from hodei_k8s_core.operations.handles import check_handle, check_ours, handle_for_id
from hodei_k8s_core.operations.reading import read_pod
from hodei_k8s_core.operations.sightings import sightings, watch_one
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.requests import delete_pod
from hodei_k8s_core.worker import WorkerHandle

EXPLAIN_LIMIT = 5.0
"""Seconds for the one look that says what holds a Pod, after the time to destroy it is over."""


def destroy_worker(
    config: KubernetesConfig, handle: WorkerHandle, *, grace_period: float | None = None
) -> Operation[Pod | None]:
    """Stop a worker and wait until its Pod is gone. Idempotent: a Pod that is gone, or replaced, is done.

    `grace_period`: seconds that the container has between SIGTERM and SIGKILL, at least 1; None for the configured one.
    Returns the last that was seen of the Pod, None if nothing was.

    Raises: Timeout when it is not gone `config.destroy_timeout` seconds after the grace period; it says what holds the
    Pod. ConnectionFailed, AuthenticationFailed; calling again is safe.
    """
    check_handle(handle, config)
    return (yield from _destroy(config, handle, checked_grace(config, grace_period)))


def begin_destroy_worker(
    config: KubernetesConfig, handle: WorkerHandle, *, grace_period: float | None = None, timeout: float | None = None
) -> Operation[None]:
    """Ask for the end of a worker and do not wait for it; a grace period that runs already can only get shorter.

    `timeout`: seconds for asking; None for the configured ones of an operation.

    Raises: ConnectionFailed, AuthenticationFailed, Timeout.
    """
    check_handle(handle, config)
    sending = _send(config, handle, checked_grace(config, grace_period))
    limit = config.operation_timeout if timeout is None else timeout
    yield from with_deadline(sending, limit, what=f"ask for the end of the Pod {handle.pod_name}")


def checked_grace(config: KubernetesConfig, grace_period: float | None) -> int:
    """Whole seconds; the configured ones for None. Raises: ConfigurationError for less than one."""
    grace = config.grace_period if grace_period is None else grace_period
    if not 1 <= grace < 2**31:
        fault = Fault("grace_period", f"is {grace:g}; at least 1 second (for less there is force_destroy_worker)")
        raise ConfigurationError("the worker is not destroyed", [fault])
    return ceil(grace)


def force_destroy_worker(config: KubernetesConfig, handle: WorkerHandle) -> Operation[Pod | None]:
    """Remove the Pod's record at once, without waiting for the node to confirm.

    The container may go on running on a node that cannot be reached, beside a new worker that takes its place; so this
    is for a node that is known to be dead. Finalizers are not touched: a Pod with one stays.

    Raises: as `destroy_worker`.
    """
    check_handle(handle, config)
    return (yield from _destroy(config, handle, 0))


def destroy_worker_by_id(
    config: KubernetesConfig, worker_id: str, *, grace_period: float | None = None
) -> Operation[Pod | None]:
    """`destroy_worker` for whichever Pod of this provider is the worker `worker_id` now."""
    return (yield from destroy_worker(config, handle_for_id(worker_id, config), grace_period=grace_period))


def _destroy(config: KubernetesConfig, handle: WorkerHandle, grace: int) -> Operation[Pod | None]:
    began = yield from Monotonic()
    what = f"destroy the Pod {handle.pod_name}"
    try:
        last = yield from with_deadline(
            _delete_and_wait(config, handle, grace, what), grace + config.destroy_timeout, what=what
        )
    except Timeout as error:
        still_there = yield from explained(config, handle, error)
        if still_there is not None:
            raise still_there from None
        last = None
    if last is not None:
        yield from Observe(PodDestroyed((yield from Monotonic()) - began))
    return last


def _delete_and_wait(config: KubernetesConfig, handle: WorkerHandle, grace: int, what: str) -> Operation[Pod | None]:
    pod, was_sent = yield from _send(config, handle, grace)
    if pod is None or not was_sent:
        return pod
    yield from step("destroy_worker", "wait until the Pod is gone")
    return (yield from wait_until_gone(config, pod, what))


def _send(config: KubernetesConfig, handle: WorkerHandle, grace: int) -> Operation[tuple[Pod | None, bool]]:
    """The Pod as it was before, and whether it was there to be deleted."""
    yield from step("destroy_worker", "read the Pod")
    pod = yield from read_pod(config, handle)
    if pod is None:
        return None, False
    check_ours(pod, config)
    return pod, (yield from send_delete(config, pod, grace))


def send_delete(config: KubernetesConfig, pod: Pod, grace: int) -> Operation[bool]:
    """Delete what was made for that Pod, and it; False when it is gone, or its name belongs to another one by now.

    The Pod goes last: it says what there is, so that whoever comes after a crash between two steps can go on.
    """
    yield from remove_companions(config, pod)
    yield from step("destroy_worker", "delete the Pod")
    return (yield from delete_alone(config, pod, grace))


def delete_alone(config: KubernetesConfig, pod: Pod, grace: int) -> Operation[bool]:
    """As `send_delete`, and leave what the Pod owns to the garbage collector."""
    name = pod.metadata.name
    request = delete_pod(config.namespace, name, uid=pod.metadata.uid, grace_period=grace)
    try:
        yield from call(request, config, f"destroy the Pod {name}")
    except ProviderError as error:
        if error.status is None or not (error.status.is_not_found or error.status.is_conflict):
            raise
        return False
    return True


def wait_until_gone(config: KubernetesConfig, pod: Pod, what: str) -> Operation[Pod]:
    """The last that is seen of the Pod; `pod` is from before the DELETE, and so is the version to watch from."""
    watch = watch_one(config, pod.metadata.name, what=what, version=pod.metadata.resource_version)
    last = pod
    while True:
        for sighting in sightings((yield from watch.next_batch()), pod.metadata.uid):
            last = sighting.pod or last
            if sighting.gone:
                yield from watch.let_go()
                return last


def explained(config: KubernetesConfig, handle: WorkerHandle, error: Timeout) -> Operation[Timeout | None]:
    """The same error with what holds the Pod, if that can still be found out; None when it is gone after all."""
    look = with_deadline(read_pod(config, handle), EXPLAIN_LIMIT, what="look at what holds the Pod")
    try:
        pod = yield from look
    except ProviderError:
        return error
    if pod is None:
        return None
    holds, mend = _what_holds(pod)
    return Timeout(
        f"{error.summary}; {holds}",
        step=error.step,
        attempts=error.attempts,
        status=error.status,
        failure=error.failure,
        mend=mend,
    )


def _what_holds(pod: Pod) -> tuple[str, str]:
    finalizers = pod.metadata.finalizers
    if not pod.is_deleting:
        return "the Pod was not told to end", "call again: destroying is safe to repeat"
    if finalizers:
        names = ", ".join(finalizers)
        return f"it is held by its finalizers: {names}", "find out what should remove them; force does not help here"
    node = pod.spec.node_name or "none"
    mend = (
        "see whether the node is alive; if it is surely dead, force_destroy_worker (--force) removes the record. On a"
        " node that still runs, the container would go on, unseen, beside whatever replaces it"
    )
    return f"its node ({node}) has not confirmed the end of its containers", mend
