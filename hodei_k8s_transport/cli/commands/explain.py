"""`hodei-k8s explain`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from typing import Annotated

import msgspec
import typer

from hodei_k8s_core.worker import WorkerInfo
from hodei_k8s_transport.cli.explanation import chart_lines, phases, timeline_lines, verdict_lines
from hodei_k8s_transport.cli.output import Output, OutputFormat, show_json, show_worker
from hodei_k8s_transport.cli.session import failures_told, handle_of, provider_for

EXAMPLES = "Example: hodei-k8s explain 3f9c2a17"


def command(
    context: typer.Context,
    worker_id: Annotated[str, typer.Argument(metavar="WORKER", help="The worker's id.")],
    output: Output = OutputFormat.TABLE,
) -> None:
    """Why a worker is as it is: its state, the verdict with its evidence, and how long each phase took."""
    with failures_told(), provider_for(context) as provider:
        info = provider.describe_worker(handle_of(worker_id, provider))
        if output is OutputFormat.JSON:
            durations = {} if info.timeline is None else info.timeline.durations
            show_json({**msgspec.to_builtins(info), "durations": durations})
        else:
            _show(info, time.time())


def _show(info: WorkerInfo, now: float) -> None:
    known = info if info.verdict is None else msgspec.structs.replace(info, message="", verdict=None)
    show_worker(known, now)  # a verdict has the message among its evidence
    _show_part([] if info.verdict is None else verdict_lines(info.verdict))
    _show_part([] if info.timeline is None else timeline_lines(info.timeline))
    _show_part(chart_lines(phases(info, now), shutil.get_terminal_size().columns))


def _show_part(lines: Iterable[str]) -> None:
    for number, line in enumerate(lines):
        typer.echo(line if number else f"\n{line}")
