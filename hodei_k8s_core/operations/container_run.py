"""Which run of a container a log request would be answered from, as the Pod's status tells."""

from __future__ import annotations

import msgspec

from hodei_k8s_core.logs.cursor import short_id
from hodei_k8s_core.pod import ContainerStatus, Pod, Terminated

_FINAL_PHASES = ("Succeeded", "Failed")


class ContainerRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `container`: the end of its id. `restarts`: how many were before it, `previous` the last of them.

    `is_last`: none will follow.
    """

    container: str
    restarts: int
    is_running: bool
    is_last: bool
    previous: str = ""


def container_run(pod: Pod, name: str) -> ContainerRun | None:
    """The run that is under way, or else the last one; None when the container `name` never ran."""
    status = _status(pod, name)
    if status is None:
        return None
    if status.state.running is not None:
        return _run(status, short_id(status.container_id), is_running=True, is_last=False)
    ended = status.state.terminated
    if ended is None or not ended.container_id:
        # Between two runs, and where the next one could not start, the last one's log is served.
        ended = status.last_state.terminated
    if ended is None or not ended.container_id:
        return None
    return _run(status, short_id(ended.container_id), is_running=False, is_last=not _restarts(pod, ended))


def never_runs_again(pod: Pod) -> bool:
    """Nothing in this Pod starts any more."""
    return pod.phase in _FINAL_PHASES or pod.is_deleting


def _status(pod: Pod, name: str) -> ContainerStatus | None:
    statuses = (*pod.status.container_statuses, *pod.status.init_container_statuses)
    return next((status for status in statuses if status.name == name), None)


def _run(status: ContainerStatus, container: str, *, is_running: bool, is_last: bool) -> ContainerRun:
    before = status.last_state.terminated
    previous = short_id(before.container_id) if before is not None else ""
    return ContainerRun(
        container=container,
        restarts=status.restart_count,
        is_running=is_running,
        is_last=is_last,
        previous=previous if previous != container else "",
    )


def _restarts(pod: Pod, ended: Terminated) -> bool:
    if never_runs_again(pod):
        return False
    policy = pod.spec.restart_policy
    return policy == "Always" or (policy == "OnFailure" and ended.exit_code != 0)
