"""A worker from beginning to end as one stream: create, follow its log, tell how it ended, destroy.

A `StopRequested` thrown in (Ctrl-C on the command line) ends it gracefully: the worker is destroyed, what it still
writes is given, and the stream returns the report. A second one closes the stream; who wants the worker to end soon
all the same uses `begin_destroy_worker` with the shortest grace period.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Emit, Operation, StopRequested, Stream
from hodei_k8s_core.errors import OutcomeUnknown, ProviderError, ProvisioningTimeout
from hodei_k8s_core.final_report import FinalReport
from hodei_k8s_core.log_entry import LogItem
from hodei_k8s_core.logs.cursor import LogCursor
from hodei_k8s_core.operations.create_worker import create_worker, new_creation_token
from hodei_k8s_core.operations.deadline import DeadlineExceeded, with_deadline
from hodei_k8s_core.operations.destroy_worker import checked_grace
from hodei_k8s_core.operations.final_report import LAST_LINES, Ending
from hodei_k8s_core.operations.handles import handle_for_id
from hodei_k8s_core.operations.log_follow import LogFollow
from hodei_k8s_core.operations.log_start import LogStart
from hodei_k8s_core.operations.pulled import Pulled
from hodei_k8s_core.operations.reading import read_pod
from hodei_k8s_core.operations.wait_for_worker import wait_for_worker
from hodei_k8s_core.operations.worker_status import gone_worker
from hodei_k8s_core.operations.worker_watch import STARTED, WorkerWatch, check_hope, describe
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.worker import WORKER_CONTAINER, WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_info import worker_handle

RunItem = WorkerHandle | WorkerInfo | LogItem
"""The handle once it is created, the worker whenever it reached something or is in trouble, and its log."""


class _Run:
    """What one run knows so far."""

    def __init__(self, config: KubernetesConfig, spec: WorkerSpec, startup_timeout: float) -> None:
        self.config = config
        self.spec = spec
        self.startup_timeout = startup_timeout
        self.token = ""
        self.handle: WorkerHandle | None = None
        self.last: WorkerInfo | None = None
        self.lines: deque[LogItem] = deque(maxlen=LAST_LINES)
        self.cursor = LogCursor()
        self.is_complete = False

    @property
    def outcome(self) -> FinalReport:
        """What is known of it."""
        last = self.last or gone_worker(self.handle or handle_for_id(self.spec.worker_id, self.config))
        cursor = str(self.cursor) if self.cursor.container else ""
        return FinalReport(worker=last, lines=tuple(self.lines), cursor=cursor, is_complete=self.is_complete)


def run_worker(
    config: KubernetesConfig, spec: WorkerSpec, *, startup_timeout: float = 300.0
) -> Stream[RunItem, FinalReport]:
    """Run a worker to its end, give its log as it is written, and destroy it.

    Returns the worker as it was seen last, with its exit code. It has `startup_timeout` seconds to start, less where it
    never will; how long it runs is bounded by the spec's `max_lifetime`.

    Raises: NotReady or ProvisioningTimeout with the verdict when it does not start, and what `create_worker`,
    `wait_for_worker`, `follow_worker_logs` and `destroy_worker` raise; the worker is destroyed before, where that is
    possible. Closing the stream leaves the worker where it is.
    """
    run = _Run(config, spec, startup_timeout)
    try:
        yield from _live(run)
    except StopRequested:
        pass
    except ProviderError as error:
        yield from _clean_up_after(run, error)
        raise
    yield from _destroy(run)
    return run.outcome


def run_and_keep_worker(
    config: KubernetesConfig, spec: WorkerSpec, *, startup_timeout: float = 300.0
) -> Stream[RunItem, FinalReport]:
    """As `run_worker`, but the Pod is left where it is, however the run ends: to look at it, or to go on with it."""
    run = _Run(config, spec, startup_timeout)
    with suppress(StopRequested):
        yield from _live(run)
    return run.outcome


def _live(run: _Run) -> Stream[RunItem, None]:
    run.token = yield from new_creation_token()
    run.handle = yield from create_worker(run.config, run.spec, creation_token=run.token)
    yield from Emit([run.handle])
    yield from with_deadline(_until_started(run, run.handle), run.startup_timeout, what="wait until the worker starts")
    yield from _follow(run, run.handle)
    # The log ends a moment before the Pod's status tells the exit code.
    run.last = yield from wait_for_worker(
        run.config, run.handle, until=WorkerState.TERMINATED, timeout=run.config.operation_timeout
    )
    yield from Emit([run.last])


def _follow(run: _Run, handle: WorkerHandle) -> Stream[RunItem, None]:
    """Its log to the end. How far it was read is known also when this is broken off."""
    follow = LogFollow(run.config, handle, LogStart(), container=WORKER_CONTAINER)
    log = Pulled(follow.run())
    while (batch := (yield from log.next_batch())) is not None:
        run.cursor = follow.cursor
        run.lines.extend(batch)
        yield from Emit(batch)
    run.is_complete = not follow.gaps


def _until_started(run: _Run, handle: WorkerHandle) -> Stream[RunItem, None]:
    watch = WorkerWatch(run.config, handle, what=f"wait until the worker {handle.worker_id} starts")
    try:
        while run.last is None or run.last.state is WorkerState.CREATING:
            for info in (yield from watch.look()):
                if run.last is None or _news(info) != _news(run.last):
                    yield from Emit([info])
                run.last = info
                check_hope(info, STARTED)
        yield from watch.let_go()
    except DeadlineExceeded as expired:
        summary = f"the worker {handle.worker_id} did not start within {run.startup_timeout:g} s"
        verdict = yield from watch.study_lateness(run.startup_timeout)
        raise expired.to_error(ProvisioningTimeout, summary, verdict=verdict) from None


def _news(info: WorkerInfo) -> tuple[object, ...]:
    """What is worth telling when it changes."""
    reached = () if info.timeline is None else tuple(info.timeline.reached)
    return describe(info), info.verdict and info.verdict.category, reached


def _destroy(run: _Run) -> Stream[RunItem, None]:
    """End the worker. A stop that is requested meanwhile asks for nothing else, so it only begins again."""
    try:
        yield from _destroy_once(run)
    except StopRequested:
        yield from _destroy_once(run)


def _destroy_once(run: _Run) -> Stream[RunItem, None]:
    handle = run.handle or (yield from _find_created(run))
    if handle is None:
        return
    grace = checked_grace(run.config, None)
    ending = Ending(run.config, handle, grace, LogStart(run.cursor))
    log = Pulled(ending.run())
    while (batch := (yield from log.next_batch())) is not None:
        run.lines.extend(batch)
        run.cursor = ending.cursor
        yield from Emit(batch)
    run.is_complete = ending.is_complete
    run.cursor = ending.cursor
    last = log.result
    if last is not None and (run.last is None or last.exit_code is not None):
        before = None if run.last is None else run.last.verdict
        run.last = msgspec.structs.replace(last, verdict=before or last.verdict)


def _find_created(run: _Run) -> Operation[WorkerHandle | None]:
    """The worker whose creation was broken off before it was told; another call's worker of that id is not ours."""
    pod = yield from read_pod(run.config, handle_for_id(run.spec.worker_id, run.config))
    return worker_handle(pod) if pod is not None and pod.creation_token == run.token else None


def _clean_up_after(run: _Run, error: ProviderError) -> Stream[RunItem, None]:
    """Destroy what a failed run has made; that this failed too is noted on the error."""
    if run.handle is None and not isinstance(error, OutcomeUnknown):
        return
    try:
        yield from _destroy(run)
    except ProviderError as second:
        error.add_note(f"its worker {run.spec.worker_id} could not be destroyed: {second}")
