"""Follow what a worker writes until it has ended and its log is read to the end, across every break in between.

A break (a cut connection, the kubelet's own limit of four hours, silence) is followed by another request that begins at
the second of the last line; what was already given is dropped by (timestamp, how many lines at it).
"""

from __future__ import annotations

from collections.abc import Sequence

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import (
    SILENCE,
    Close,
    Emit,
    Monotonic,
    Observe,
    Open,
    Operation,
    Random,
    Read,
    Sleep,
    Stream,
)
from hodei_k8s_core.errors import ProviderError, TransportError
from hodei_k8s_core.http import Body, Request
from hodei_k8s_core.lines import LogLineSplitter
from hodei_k8s_core.log_line import format_since_time, kubelet_complaint, parse_log_lines
from hodei_k8s_core.observations import LogReconnected
from hodei_k8s_core.operations.failures import error_for
from hodei_k8s_core.operations.get_worker_logs import has_no_log_yet
from hodei_k8s_core.operations.handles import check_handle
from hodei_k8s_core.operations.pod_watch import read_whole_refusal
from hodei_k8s_core.operations.reading import not_found, read_pod
from hodei_k8s_core.operations.sightings import sightings, watch_one
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.requests import follow_pod_log, pod_log
from hodei_k8s_core.retry import Failure, policy_delay
from hodei_k8s_core.worker import WORKER_CONTAINER, LogEntry, WorkerHandle, WorkerState
from hodei_k8s_core.worker_state import worker_state


def follow_worker_logs(
    config: KubernetesConfig, handle: WorkerHandle, *, since: int | None = None, tail: int | None = None
) -> Stream[LogEntry, None]:
    """Every line of the container `worker`, as it is written; ends when the worker has ended and all was given.

    Waits while the container has not started. `since`: nanoseconds since the epoch; `tail`: begin with the last so many
    lines. Raises: WorkerNotFound when there is no Pod at the start; AuthenticationFailed; ConfigurationError.
    """
    check_handle(handle, config)
    follow = _Follow(config, handle, since, tail)
    pod = yield from follow.look()
    if pod is None:
        raise not_found(handle)
    while pod is not None:
        pod = yield from _wait_until_started(config, pod)
        finished = pod is None or _has_finished(pod)
        complete = yield from follow.read_to_end(finished=finished)
        if finished and complete:
            return
        yield from follow.back_off()
        pod = yield from follow.look()
        if pod is None and complete:
            return


def _has_finished(pod: Pod) -> bool:
    return worker_state(pod) is WorkerState.TERMINATED or (
        pod.worker_container is not None and pod.worker_container.state.terminated is not None
    )


def _has_started(pod: Pod) -> bool:
    container = pod.worker_container
    if container is None or container.state.waiting is not None:
        return pod.status.phase in ("Succeeded", "Failed")
    return container.state.running is not None or container.state.terminated is not None


def _wait_until_started(config: KubernetesConfig, pod: Pod) -> Operation[Pod | None]:
    """The Pod once its container has something to say, or has ended; None when it is gone."""
    if _has_started(pod):
        return pod
    watch = watch_one(
        config,
        pod.metadata.name,
        what="wait for the container to start",
        version=pod.metadata.resource_version,
        patience=config.outage_limit,
    )
    while True:
        for sighting in sightings((yield from watch.next_batch()), pod.metadata.uid):
            if sighting.gone or (sighting.pod is not None and _has_started(sighting.pod)):
                yield from watch.let_go()
                return None if sighting.gone else sighting.pod


class _Follow:
    """Where a followed log is: the timestamp of the last line that was given, and how many lines at it."""

    def __init__(self, config: KubernetesConfig, handle: WorkerHandle, since: int | None, tail: int | None) -> None:
        self._config = config
        self._handle = handle
        self._what = f"follow the log of the worker {handle.worker_id}"
        self._since = since
        self._tail = tail
        self._last = -1
        self._at_last = 0
        self._failures = 0
        self._failing_since: float | None = None
        self._failure: Failure | None = None

    def look(self) -> Operation[Pod | None]:
        """The Pod as it is now, or None; an API server that does not answer is waited for."""
        while True:
            try:
                return (yield from read_pod(self._config, self._handle))
            except ProviderError as error:
                self._failure = error.failure or error.status
                if not error.retryable or self._failure is None:
                    raise
            yield from self.back_off()

    def back_off(self) -> Operation[None]:
        """Wait before the next request; longer as long as nothing new comes.

        Raises what failed last, once nothing but failures came for `config.outage_limit` seconds.
        """
        now = yield from Monotonic()
        if self._failure is None:
            self._failing_since = None
        elif self._failing_since is None:
            self._failing_since = now
        elif now - self._failing_since > self._config.outage_limit:
            raise error_for(self._failure, what=self._what, attempts=self._failures)
        self._failures += 1
        yield from Sleep(policy_delay(self._config.retry, self._failures, (yield from Random())))

    def read_to_end(self, *, finished: bool) -> Stream[LogEntry, bool]:
        """Give what is new. True at a clean end of the reply, False at a break."""
        body = yield from self._open(self._request(finished=finished))
        if body is None:
            return False
        self._failure = None
        lines = LogLineSplitter()
        skip = self._at_last
        while True:
            chunk = yield from self._read(body)
            if chunk is None:
                return False
            complete = lines.feed(chunk) if chunk else _last_line(lines.tail)
            if complete is None:
                return False
            entries, skip = self._take(complete, skip)
            if entries:
                self._failures = 0
                yield from Emit(entries)
            if not chunk:
                yield from Close(body)
                return True

    def _request(self, *, finished: bool) -> Request:
        resume = self._last if self._last >= 0 else self._since
        make = pod_log if finished else follow_pod_log
        return make(
            self._config.namespace,
            self._handle.pod_name,
            container=WORKER_CONTAINER,
            since_time="" if resume is None else format_since_time(resume),
            tail_lines=self._tail if self._last < 0 else None,
        )

    def _open(self, request: Request) -> Operation[Body | None]:
        try:
            body = yield from Open(request, self._config.request_timeout)
            if body.is_success:
                return body
            status = yield from read_whole_refusal(body, self._config)
        except TransportError as error:
            self._failure = error
            yield from Observe(LogReconnected(error.fault.value))
            return None
        if not (status.is_retryable or status.is_not_found or has_no_log_yet(status)):
            raise error_for(status, what=self._what)
        self._failure = status if status.is_retryable else None
        yield from Observe(LogReconnected(str(status.code)))
        return None

    def _read(self, body: Body) -> Operation[bytes | None]:
        """The next bytes, b"" at the end, None at a break."""
        try:
            while True:
                chunk = yield from Read(body, self._config.silence_limit)
                if chunk is not SILENCE:
                    return chunk
                pod = yield from read_pod(self._config, self._handle)
                if pod is None or _has_finished(pod):
                    yield from Close(body)
                    return None
        except TransportError as error:
            yield from Observe(LogReconnected(error.fault.value))
            yield from Close(body)
            return None

    def _take(self, lines: Sequence[bytes], skip: int) -> tuple[list[LogEntry], int]:
        """The entries that were not given yet; `skip`: how many of those at the last timestamp still repeat."""
        new: list[LogEntry] = []
        for entry in parse_log_lines(lines):
            stamp = entry.timestamp
            if stamp is None:  # a later piece of a long line; after a cut it belongs to one that was given
                if not skip:
                    new.append(entry)
            elif stamp < self._last or (self._last < 0 and stamp < (self._since or 0)):
                continue
            elif stamp == self._last and skip:
                skip -= 1
            else:
                self._at_last = self._at_last + 1 if stamp == self._last else 1
                self._last, skip = stamp, 0
                new.append(entry)
        return new, skip


def _last_line(tail: bytes) -> list[bytes] | None:
    """The last line of a log that ended without a newline; None when it is the kubelet's complaint: a break."""
    if not tail:
        return []
    return None if kubelet_complaint(tail) is not None else [tail]
