"""Destroy a worker and keep what it said to the end: its log is opened before the DELETE, and read until the end.

    read the Pod ─▶ open the log ─▶ DELETE ─▶ read the log to its end ─▶ watch from before the DELETE until it is gone

What stands in the way of the log never stands in the way of the destruction.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.diagnosis import described_worker
from hodei_k8s_core.effects import Emit, Monotonic, Observe, Operation, Stream
from hodei_k8s_core.errors import ProviderError, Timeout
from hodei_k8s_core.final_report import FinalReport
from hodei_k8s_core.log_entry import LogItem
from hodei_k8s_core.logs.cursor import LogCursor
from hodei_k8s_core.observations import PodDestroyed
from hodei_k8s_core.operations.container_run import container_run
from hodei_k8s_core.operations.deadline import step, with_deadline
from hodei_k8s_core.operations.destroy_worker import checked_grace, explained, send_delete, wait_until_gone
from hodei_k8s_core.operations.examiner import Examiner
from hodei_k8s_core.operations.handles import check_handle, check_ours
from hodei_k8s_core.operations.log_follow import LogFollow
from hodei_k8s_core.operations.log_start import LogStart, log_start
from hodei_k8s_core.operations.pulled import Pulled, absorbed
from hodei_k8s_core.operations.reading import read_pod_and_time
from hodei_k8s_core.operations.worker_status import gone_worker
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.worker import WORKER_CONTAINER, WorkerHandle, WorkerInfo, WorkerState

OPEN_LIMIT: Final = 5.0
"""Seconds that opening the log may hold up a DELETE."""
MARGIN: Final = 10.0
"""Seconds beyond the grace period until the last line must have come."""
LAST_LINES: Final = 100


def destroy_worker_with_report(
    config: KubernetesConfig, handle: WorkerHandle, *, grace_period: float | None = None, last_lines: int = LAST_LINES
) -> Operation[FinalReport]:
    """`destroy_worker`, with a report on how the worker ended and what it wrote last.

    Whatever was written until it ended is in the report, as far as `last_lines` reach. A Pod that is gone already has a
    report that says so. Raises: as `destroy_worker`; ConfigurationError for a negative `last_lines`.
    """
    check_handle(handle, config)
    ending = Ending(config, handle, checked_grace(config, grace_period), log_start(None, last_lines))
    lines: deque[LogItem] = deque(maxlen=last_lines)
    info = yield from absorbed(ending.run(), lines.extend)
    cursor = str(ending.cursor) if ending.cursor.container else ""
    return FinalReport(worker=info, lines=tuple(lines), cursor=cursor, is_complete=ending.is_complete)


class Ending:
    """The end of one worker; `run` once. Its log is read from `start`."""

    def __init__(self, config: KubernetesConfig, handle: WorkerHandle, grace: int, start: LogStart) -> None:
        self._config = config
        self._handle = handle
        self._grace = grace
        self._follow = LogFollow(config, handle, start, container=WORKER_CONTAINER)
        self._log = Pulled(self._follow.run())
        self._what = f"destroy the Pod {handle.pod_name}"
        self._has_log = False
        self._is_complete = True

    def run(self) -> Stream[LogItem, WorkerInfo]:
        """Everything that its log still has; returns the worker as it was seen last."""
        began = yield from Monotonic()
        limit = self._grace + self._config.destroy_timeout
        try:
            last = yield from with_deadline(self._steps(), limit, what=self._what)
        except Timeout as error:
            still_there = yield from explained(self._config, self._handle, error)
            if still_there is not None:
                raise still_there from None
            return gone_worker(self._handle)  # pragma: no cover - it went between the deadline and the look
        yield from Observe(PodDestroyed((yield from Monotonic()) - began))
        return last

    @property
    def cursor(self) -> LogCursor:
        """How far its log was read."""
        return self._follow.cursor

    @property
    def is_complete(self) -> bool:
        """To its end, and without a gap."""
        return self._is_complete and not self._follow.gaps

    def _steps(self) -> Stream[LogItem, WorkerInfo]:
        yield from step("destroy_worker", "read the Pod")
        pod, server_now = yield from read_pod_and_time(self._config, self._handle)
        if pod is None:
            return gone_worker(self._handle)
        check_ours(pod, self._config)
        before = yield from self._examined(pod, server_now)
        self._has_log = container_run(pod, WORKER_CONTAINER) is not None
        if self._has_log:
            yield from step("destroy_worker", "open the log")
            try:
                yield from with_deadline(self._until_open(), OPEN_LIMIT, what="open the log")
            except ProviderError:
                self._begin_log_again()
        last = pod
        if (yield from send_delete(self._config, pod, self._grace)):
            if self._has_log:
                yield from step("destroy_worker", "read the log to its end")
                yield from self._drained()
            yield from step("destroy_worker", "wait until the Pod is gone")
            last = yield from wait_until_gone(self._config, pod, self._what)
        ended = described_worker(last, before.verdict)
        return msgspec.structs.replace(ended, state=WorkerState.TERMINATED)

    def _examined(self, pod: Pod, server_now: float) -> Operation[WorkerInfo]:
        examiner = Examiner(self._config, server_now - (yield from Monotonic()))
        return (yield from examiner.explain(pod))

    def _begin_log_again(self) -> None:
        """It could not be read (in time): the report is incomplete, unless it can be read later."""
        self._is_complete = False
        start = LogStart(self._follow.cursor)
        self._follow = LogFollow(self._config, self._handle, start, container=WORKER_CONTAINER)
        self._log = Pulled(self._follow.run())

    def _until_open(self) -> Stream[LogItem, None]:
        """Until the server has begun to reply with the log; an empty batch says so."""
        while batch := (yield from self._log.next_batch()):
            yield from Emit(
                batch
            )  # pragma: no cover - what a log of before already holds, in a reply that begins at once

    def _drained(self) -> Stream[LogItem, None]:
        """Until the log ends, or its time; what stands in its way makes the report incomplete, and nothing else."""
        try:
            yield from with_deadline(self._rest(), self._grace + MARGIN, what="read the log to its end")
            self._is_complete = True
        except ProviderError:
            self._is_complete = False

    def _rest(self) -> Stream[LogItem, None]:
        while (batch := (yield from self._log.next_batch())) is not None:
            yield from Emit(batch)
