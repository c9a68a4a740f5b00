"""What a worker has written so far, as entries."""

from __future__ import annotations

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Observe, Operation
from hodei_k8s_core.errors import ProviderError, ProviderSpecific
from hodei_k8s_core.http import Request
from hodei_k8s_core.log_line import format_since_time
from hodei_k8s_core.logs.batch import LogOptions
from hodei_k8s_core.logs.cursor import LogCursor
from hodei_k8s_core.logs.reply import LogReply
from hodei_k8s_core.observations import LogReceived
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.operations.container_run import container_run
from hodei_k8s_core.operations.deadline import step, with_deadline
from hodei_k8s_core.operations.handles import check_handle
from hodei_k8s_core.operations.reading import not_found, read_pod
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.requests import pod_log, previous_pod_log
from hodei_k8s_core.server_time import NANOSECONDS
from hodei_k8s_core.worker import WORKER_CONTAINER, LogEntry, WorkerHandle


def get_worker_logs(
    config: KubernetesConfig,
    handle: WorkerHandle,
    *,
    tail: int | None = None,
    since: int | None = None,
    previous: bool = False,
    container: str = WORKER_CONTAINER,
) -> Operation[list[LogEntry]]:
    """The lines of a container; empty while it was not started (or was never restarted, for `previous`).

    `tail`: the last so many lines. `since`: nanoseconds since the epoch; lines from then on. `previous`: of the run
    before the last restart. The kubelet serves only its newest log file: after a rotation older lines are gone.

    Raises: WorkerNotFound, ConnectionFailed (also for a log above `config.max_response_bytes`: ask for a tail),
    AuthenticationFailed, Timeout, ConfigurationError for a negative tail, ProviderSpecific with what the kubelet says
    in place of the log.
    """
    check_handle(handle, config)
    make = previous_pod_log if previous else pod_log
    request = make(
        config.namespace,
        handle.pod_name,
        container=container,
        tail_lines=tail,
        since_time="" if since is None else format_since_time(since),
    )
    what = f"read the log of the worker {handle.worker_id}"
    read = with_deadline(_read_log(config, handle, request, what), config.operation_timeout, what=what)
    found = yield from read
    if found is None:
        return []
    pod, text = found
    run = container_run(pod, container)
    anchor = None if since is None else since // NANOSECONDS
    restarts = 0 if run is None else run.restarts - previous
    of = "" if run is None else (run.previous if previous else run.container)
    options = LogOptions(container, of, restarts, config.log_levels)
    reply = LogReply(LogCursor(container=of, restarts=restarts, anchor=anchor), options, since=since)
    yield from Observe(LogReceived(len(text)))
    entries = reply.feed(text)
    reply.end()
    if not reply.is_whole:
        raise ProviderSpecific(f"{what}: the kubelet says: {reply.complaint}", retryable=True)
    # While the container runs, what has no newline is a line that is being written: whoever goes on gets it whole.
    last = [] if run is not None and run.is_running and not previous else reply.end_of_log()
    return [entry for entry in [*entries, *last] if isinstance(entry, LogEntry)]


def _read_log(
    config: KubernetesConfig, handle: WorkerHandle, request: Request, what: str
) -> Operation[tuple[Pod, bytes] | None]:
    """The Pod, and what its log says; None while there is no log."""
    yield from step("get_worker_logs", "read the Pod")
    pod = yield from read_pod(config, handle)
    if pod is None:  # the name may belong to another worker's Pod by now
        raise not_found(handle)
    yield from step("get_worker_logs", "read the log")
    try:
        return pod, (yield from call(request, config, what)).body
    except ProviderError as error:
        if error.status is not None and has_no_log_yet(error.status):
            return None
        raise


def has_no_log_yet(status: Status) -> bool:
    """The refusal means only that the container has not started, or (asked for the previous run) never restarted."""
    return status.code == 400 and any(mark in status.message for mark in _NOT_STARTED)


_NOT_STARTED = ("is waiting to start", "is not available", "previous terminated container")
