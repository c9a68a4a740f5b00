"""`hodei-k8s logs`."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from typing import Annotated, NoReturn, TypeAlias

import typer

from hodei_k8s_core.errors import ConfigurationError, Fault, HodeiK8sError
from hodei_k8s_core.log_entry import LogItem
from hodei_k8s_core.log_level import LogLevel
from hodei_k8s_core.worker import LogEntry
from hodei_k8s_transport.cli.followed_logs import FollowedLogs
from hodei_k8s_transport.cli.interrupts import interrupts_stop
from hodei_k8s_transport.cli.log_printer import JsonLogPrinter, LevelFilter, LogPrinter
from hodei_k8s_transport.cli.output import Output, OutputFormat
from hodei_k8s_transport.cli.session import (
    EXPECTED_FAILURE,
    INTERRUPTED,
    failures_told,
    handle_of,
    one_line,
    provider_for,
    tell,
)
from hodei_k8s_transport.cli.times import parse_since
from hodei_k8s_transport.provider import KubernetesProvider

EXAMPLES = """Examples:

  hodei-k8s logs 3f9c2a17 --tail 20 --follow

  hodei-k8s logs --follow --selector team=ci --level warn

  hodei-k8s logs 3f9c2a17 5b22c10d --since 10m --output json"""

Show: TypeAlias = Callable[[str, LogItem], None]


def command(
    context: typer.Context,
    worker_ids: Annotated[
        list[str] | None, typer.Argument(metavar="WORKER", help="The workers' ids; without any, all workers.")
    ] = None,
    tail: Annotated[int | None, typer.Option("--tail", metavar="LINES", help="The last so many lines.")] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="How long ago (10m), a date (RFC 3339), or an entry's cursor."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the workers have ended.")] = False,
    selector: Annotated[
        str, typer.Option("--selector", "-l", metavar="LABELS", help="Only workers with these labels.")
    ] = "",
    previous: Annotated[bool, typer.Option("--previous", help="Of the run before the last restart.")] = False,
    timestamps: Annotated[bool, typer.Option("--timestamps", help="The time before each line.")] = False,
    level: Annotated[
        LogLevel | None,
        typer.Option("--level", case_sensitive=False, help="Only lines that say they are at least so bad."),
    ] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """What workers have written, one after another or as it comes.

    A place where lines are missing and a restart are told on standard error; as JSON, they are objects of their own.
    """
    with failures_told(), provider_for(context) as provider:
        ids = list(dict.fromkeys(worker_ids or ()))
        start = None if since is None else parse_since(since, time.time())
        _check(ids, tail, start, selector, is_followed=follow, is_previous=previous)
        show = _shower(ids, level, output, timestamps=timestamps)
        if follow and not ids:
            _follow_fleet(provider, selector, tail, start, show)
        is_whole = _show_logs(provider, ids, selector, tail, start, show, follow=follow, previous=previous)
        if not is_whole:
            raise typer.Exit(EXPECTED_FAILURE)


def _show_logs(
    provider: KubernetesProvider,
    ids: Sequence[str],
    selector: str,
    tail: int | None,
    start: str | int | None,
    show: Show,
    *,
    follow: bool,
    previous: bool,
) -> bool:
    """Whether all could be read; a failure of the only one is raised."""
    if follow and len(ids) == 1:
        return _follow_one(provider, ids[0], tail, start, show)
    since = None if isinstance(start, str) else start
    if follow:
        return _follow_many(provider, ids, tail, since, show)
    reading = _Reading(provider, tail, since, is_previous=previous)
    return reading.show_one(ids[0], show) if len(ids) == 1 else reading.show_many(ids, selector, show)


def _check(
    ids: Sequence[str],
    tail: int | None,
    since: str | int | None,
    selector: str,
    *,
    is_followed: bool,
    is_previous: bool,
) -> None:
    is_cursor = isinstance(since, str)
    problems = {
        Fault("--previous", "cannot be followed: that run is over"): is_followed and is_previous,
        Fault("--since", "a cursor is for --follow"): is_cursor and not is_followed,
        Fault("--since", "a cursor is of one worker"): is_cursor and len(ids) != 1,
        Fault("--selector", "chooses among all workers: it goes without ids"): bool(selector and ids),
        Fault("--tail", "must not be negative"): tail is not None and tail < 0,
        Fault("WORKER", "must not be empty"): not all(ids),
    }
    faults = [fault for fault, is_met in problems.items() if is_met]
    if faults:
        raise ConfigurationError("the options are not valid", faults)


def _shower(ids: Sequence[str], level: LogLevel | None, output: OutputFormat, *, timestamps: bool) -> Show:
    width = max(map(len, ids), default=0)
    printer = (
        JsonLogPrinter()
        if output is OutputFormat.JSON
        else LogPrinter(timestamps=timestamps, named=len(ids) != 1, width=width)
    )
    if level is None:
        return printer.show
    wanted = LevelFilter(level)

    def show(worker_id: str, item: LogItem) -> None:
        if wanted.passes(worker_id, item):
            printer.show(worker_id, item)

    return show


class _Reading:
    """Logs as they are now."""

    def __init__(self, provider: KubernetesProvider, tail: int | None, since: int | None, *, is_previous: bool) -> None:
        self._provider = provider
        self._tail = tail
        self._since = since
        self._previous = is_previous

    def show_one(self, worker_id: str, show: Show) -> bool:
        """One log."""
        for entry in self._read(worker_id):
            show(worker_id, entry)
        return True

    def show_many(self, worker_ids: Sequence[str], selector: str, show: Show) -> bool:
        """Their lines in the order of time; whether all could be read."""
        ids = worker_ids or [info.worker_id for info in self._provider.list_workers(selector=selector)]
        logs: list[list[tuple[int, str, LogEntry]]] = []
        failed = []
        for worker_id in ids:
            try:
                logs.append([(entry.timestamp or 0, worker_id, entry) for entry in self._read(worker_id)])
            except HodeiK8sError as error:
                failed.append(one_line(error))
        for _, worker_id, entry in heapq.merge(*logs, key=lambda one: one[0]):
            show(worker_id, entry)
        for line in failed:
            tell(line)
        return not failed

    def _read(self, worker_id: str) -> list[LogEntry]:
        handle = handle_of(worker_id, self._provider)
        return self._provider.get_worker_logs(handle, tail=self._tail, since=self._since, previous=self._previous)


def _follow_one(
    provider: KubernetesProvider, worker_id: str, tail: int | None, since: str | int | None, show: Show
) -> bool:
    stream = provider.follow_worker_logs(handle_of(worker_id, provider), tail=tail, since=since)
    with stream as items, interrupts_stop(items):
        for item in items:
            show(worker_id, item)
        if items.stop_requested:
            raise typer.Exit(INTERRUPTED)
    return True


def _follow_many(
    provider: KubernetesProvider, ids: Sequence[str], tail: int | None, since: int | None, show: Show
) -> bool:
    """Whether all could be read."""
    streams = {one: provider.follow_worker_logs(handle_of(one, provider), tail=tail, since=since) for one in ids}
    is_whole = True
    with FollowedLogs(streams) as logs, interrupts_stop(logs):
        for worker_id, item in logs:
            if not isinstance(item, Exception):
                show(worker_id, item)
            elif isinstance(item, HodeiK8sError):
                tell(one_line(item))
                is_whole = False
            else:
                raise item
        if logs.stop_requested:
            raise typer.Exit(INTERRUPTED)
    return is_whole


def _follow_fleet(
    provider: KubernetesProvider, selector: str, tail: int | None, start: str | int | None, show: Show
) -> NoReturn:
    """Workers come and go: only Ctrl-C or a failure ends it."""
    since = None if isinstance(start, str) else start
    try:
        with provider.follow_fleet_logs(selector=selector, since=since, tail=tail) as items:
            for item in items:
                show(item.worker_id, item.item)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(EXPECTED_FAILURE)  # pragma: no cover - it does not end by itself
