"""Following one container's log, run by run, until nothing can follow: the machine under what reads logs.

    look at the Pod ──▶ wait for a run ──▶ follow it ──▶ look again ──▶ read it to its end ──▶ the next run, or done
                                              └─ another file ─▶ search the place ─▶ found, or a gap

A clean end proves nothing: an API server ends a reply just as cleanly when the kubelet died. A log is read to its end
when its run has ended and one more request adds nothing, not even to a last line without a newline: a kubelet serves
what a runtime is just writing up to the byte that is there (k8s.io/cri-client, ReadLogs: "incomplete line").
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Emit, Operation, Sleep, Stream
from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.http import Request
from hodei_k8s_core.log_entry import GapReason, LogGap, LogItem, LogRestart
from hodei_k8s_core.logs.batch import LogOptions
from hodei_k8s_core.logs.cursor import LogCursor
from hodei_k8s_core.logs.reply import LogReply
from hodei_k8s_core.logs.search import LogSearch
from hodei_k8s_core.operations.container_run import ContainerRun, container_run, never_runs_again
from hodei_k8s_core.operations.log_requests import End, LogConnection, log_window
from hodei_k8s_core.operations.log_start import LogStart
from hodei_k8s_core.operations.log_troubles import UNFINISHED_PAUSE, LogTroubles
from hodei_k8s_core.operations.reading import not_found, read_pod
from hodei_k8s_core.operations.wait_for_run import wait_for_run
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.requests import follow_pod_log, pod_log, previous_pod_log
from hodei_k8s_core.worker import WorkerHandle


class LogFollow:
    """One follower; `run` once. `gaps`: how often lines were missing."""

    def __init__(self, config: KubernetesConfig, handle: WorkerHandle, start: LogStart, *, container: str) -> None:
        self._config = config
        self._handle = handle
        self._start = start
        self._name = container
        self._cursor = start.cursor
        self._reply: LogReply | None = None
        self._troubles = LogTroubles(config, f"follow the log of the worker {handle.worker_id}")
        self._connection = LogConnection(config, self._troubles)
        self._tail = start.tail
        self._settled: tuple[LogCursor, bytes] | None = None
        self._ended: LogReply | None = None
        self._finished = ""
        self.gaps = 0

    @property
    def cursor(self) -> LogCursor:
        """Behind everything that was given."""
        return self._cursor if self._reply is None else self._reply.cursor

    @property
    def _behind(self) -> tuple[LogCursor, bytes]:
        """Where the last reply ended: behind which line, and with what beginning of another."""
        return self.cursor, b"" if self._reply is None else self._reply.tail

    def run(self) -> Stream[LogItem, None]:
        """Everything, until no run can follow. Raises: WorkerNotFound where there is no Pod at the start."""
        pod = yield from self._look()
        if pod is None:
            raise not_found(self._handle)
        while pod is not None:
            run = container_run(pod, self._name)
            if run is None or run.container == self._finished:
                if never_runs_again(pod) or (run is not None and run.is_last):
                    return
                pod = yield from wait_for_run(self._config, pod, self._name, self._finished)
                continue
            yield from self._enter(run)
            if run.is_running:
                yield from self._follow(run)
            elif (yield from self._finish(previous=False)):
                self._finished = run.container
                continue
            pod = yield from self._look()
        yield from self._tell_gone()

    def _look(self) -> Operation[Pod | None]:
        """The Pod as it is now, or None; an API server that does not answer is waited for."""
        while True:
            try:
                return (yield from read_pod(self._config, self._handle))
            except ProviderError as error:
                failure = error.failure or error.status
                if failure is None:  # pragma: no cover - a reply that is no Pod
                    raise
                yield from self._troubles.met("failed", failure)
            yield from self._troubles.pause()

    def _enter(self, run: ContainerRun) -> Stream[LogItem, None]:
        """Get ready to read that run; what is left of the one before comes first."""
        known = self.cursor
        if known.container and known.container != run.container:
            yield from self._leave(run)
            self._go_to(LogCursor(container=run.container, restarts=run.restarts))
            yield from Emit([LogRestart(restarts=run.restarts, source=self._name, cursor=str(self._cursor))])
        elif not known.container:
            self._cursor = msgspec.structs.replace(known, container=run.container, restarts=run.restarts)

    def _go_to(self, cursor: LogCursor) -> None:
        self._cursor, self._reply, self._settled, self._tail = cursor, None, None, None

    def _leave(self, run: ContainerRun) -> Stream[LogItem, None]:
        """The rest of the run that the cursor is in, and the one between that and `run`, as far as they are kept."""
        known = self.cursor
        if known.container != run.previous and known.container != self._finished:
            yield from self._tell_gap(GapReason.RESTARTED)
        missed = run.restarts > known.restarts + 1 and known.container != run.previous
        if missed and run.previous:  # pragma: no cover - two restarts while nobody looked, the first still kept
            self._go_to(LogCursor(container=run.previous, restarts=run.restarts - 1))
            yield from Emit([LogRestart(restarts=run.restarts - 1, source=self._name, cursor=str(self._cursor))])
        if self.cursor.container == run.previous != self._finished:
            yield from self._finish(previous=True)

    def _follow(self, run: ContainerRun) -> Stream[LogItem, None]:
        """Read on until the reply ends, however it does."""
        self._settled = None
        yield from self._troubles.pause()
        end = yield from self._read(self._request(follow_pod_log), self._config.silence_limit)
        if end is End.LOST:
            yield from self._search(run, previous=False)
        elif end is End.CLEAN and self._reply is not None:
            if self._reply.is_whole:
                self._settled, self._ended = self._behind, self._reply
            elif self._reply.complaint:  # pragma: no branch - a reply that is not whole has one
                yield from self._troubles.met("complaint")

    def _finish(self, *, previous: bool) -> Stream[LogItem, bool]:
        """Read a run that has ended until nothing is added. False: look at the Pod again."""
        refused, detail = 0, ""
        while refused < self._config.retry.max_attempts:
            end = yield from self._read_settled(previous=previous)
            if end is End.CLEAN and self._ended is not None:
                yield from Emit(self._ended.end_of_log())
                return True
            if end is End.NOT_FOUND and not previous:
                yield from self._troubles.pause()
                return False
            if end is End.LOST:
                yield from self._search(None, previous=previous)
            refused += end not in (End.BROKEN, End.SILENT)
            reply = self._reply
            detail = reply.complaint if reply is not None and reply.complaint else self._connection.refusal
            yield from self._troubles.pause()
        if not (yield from self._had_ended()):
            yield from self._tell_gap(GapReason.UNAVAILABLE, detail=detail)
        return True

    def _read_settled(self, *, previous: bool) -> Stream[LogItem, End]:
        """Read until a reply ends just as the one before it; CLEAN only then."""
        while True:
            before = self._settled
            if before is not None and before[1]:
                yield from Sleep(UNFINISHED_PAUSE)
            end = yield from self._read_whole(previous=previous)
            if end is not End.CLEAN or self._behind == before:
                return end
            self._settled = self._behind

    def _read_whole(self, *, previous: bool) -> Stream[LogItem, End]:
        """What there is behind the cursor; CLEAN only where the reply seems to be whole."""
        end = yield from self._read(self._whole(previous=previous), self._config.request_timeout)
        reply = self._reply
        if end is not End.CLEAN or reply is None:
            return end
        if reply.complaint or reply.is_whole:
            self._ended = reply if reply.is_whole else self._ended
            return End.CLEAN if reply.is_whole else End.REFUSED
        # The beginning of the reply for the cursor, or of a file that was rotated away between two requests.
        return End.REFUSED if reply.is_cut_short else End.LOST

    def _read(self, request: Request, silence_limit: float) -> Stream[LogItem, End]:
        cursor = self.cursor
        options = LogOptions(self._name, cursor.container, cursor.restarts, self._config.log_levels)
        self._cursor = cursor
        self._reply = LogReply(cursor, options, since=self._start.since)
        end = yield from self._connection.receive(request, self._reply, silence_limit)
        self.gaps += self._reply.gaps
        if end in (End.BROKEN, End.SILENT):
            self._ended = None
        return end

    def _search(self, run: ContainerRun | None, *, previous: bool) -> Stream[LogItem, None]:
        """Find the place in a file that is another than it was; what cannot be found is a gap.

        Not finding it is believed when it happened twice, in the same run.
        """
        self._go_to(self.cursor)
        for _ in range(2):
            search = LogSearch(self._cursor)
            yield from self._troubles.pause()
            end = yield from self._connection.receive(
                self._whole(previous=previous), search, self._config.request_timeout
            )
            if (
                end is not End.CLEAN or search.complaint
            ):  # pragma: no cover - a break in the search: the next round searches again
                return
            if search.found is not None:
                self._cursor = search.found
                if search.is_torn:  # pragma: no cover - a rotation within a line
                    yield from self._tell_gap(GapReason.ROTATED)
                return
            if run is not None:  # pragma: no cover - a rotation that is seen while the container still runs
                pod = yield from self._look()
                now = None if pod is None else container_run(pod, self._name)
                if now is None or now.container != run.container:
                    return
        until = None if search.first is None else search.first.timestamp
        since = None if self._cursor.last is None else self._cursor.last.timestamp
        self._cursor = self._cursor.at_start()
        yield from self._tell_gap(GapReason.ROTATED, since=since, until=until)

    def _request(self, make: Callable[..., Request]) -> Request:
        if not self.cursor.is_at_start:
            self._tail = None
        since, tail = log_window(self.cursor, self._tail, self._connection.date)
        return make(
            self._config.namespace, self._handle.pod_name, container=self._name, since_time=since, tail_lines=tail
        )

    def _whole(self, *, previous: bool) -> Request:
        return self._request(previous_pod_log if previous else pod_log)

    def _tell_gone(self) -> Stream[LogItem, None]:
        """The Pod is gone."""
        if not (yield from self._had_ended()) and self.cursor.container not in ("", self._finished):
            yield from self._tell_gap(GapReason.GONE)

    def _had_ended(self) -> Stream[LogItem, bool]:
        """Whether the log was at its end when it was read last, though that cannot be confirmed any more.

        A reply ended by itself, nothing has failed since, and now the container or the Pod is gone: the kubelet lives,
        since it let them go, so it did not end that reply by dying.
        """
        ended = self._ended
        if ended is None or ended.cursor != self.cursor:
            return False
        yield from Emit(ended.end_of_log())
        self._go_to(ended.cursor)
        return True

    def _tell_gap(
        self, reason: GapReason, *, since: int | None = None, until: int | None = None, detail: str = ""
    ) -> Stream[LogItem, None]:
        last = self.cursor.last
        begin = last.timestamp if since is None and last is not None else since
        self.gaps += 1
        yield from self._troubles.lost_lines(reason)
        source, cursor = self._name, str(self.cursor)
        told = LogGap(reason=reason, since=begin, until=until, detail=detail, source=source, cursor=cursor)
        yield from Emit([told])
