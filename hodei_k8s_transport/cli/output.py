"""How results are shown: tables for a person, one JSON document for a program."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hodei_k8s_core.worker import LogEntry, WorkerInfo


class OutputFormat(enum.Enum):
    """For whom the output is."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[OutputFormat, typer.Option("--output", "-o", help="`table` for a person, `json` for a program.")]

_WORKER_COLUMNS: tuple[tuple[str, Callable[[WorkerInfo, float], str]], ...] = (
    ("WORKER", lambda info, _: info.worker_id),
    ("STATE", lambda info, _: info.state.name),
    ("AGE", lambda info, now: age(info.created_at, now)),
    ("RESTARTS", lambda info, _: str(info.restarts)),
    ("EXIT", lambda info, _: "" if info.exit_code is None else str(info.exit_code)),
    ("JOB", lambda info, _: info.job_id),
    ("NODE", lambda info, _: info.node),
    ("REASON", lambda info, _: info.reason),
)


def show_workers(workers: Sequence[WorkerInfo], now: float) -> None:
    """One line a worker."""
    if not workers:
        typer.echo("No workers.", err=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, _ in _WORKER_COLUMNS:
        table.add_column(name, no_wrap=name != "REASON")
    for info in workers:
        table.add_row(*(Text(cell(info, now)) for _, cell in _WORKER_COLUMNS))
    Console(highlight=False).print(table)


def show_worker(info: WorkerInfo, now: float) -> None:
    """One field a line; what is not known is left out."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    rows = {
        "Worker": info.worker_id,
        "Pod": f"{info.handle.namespace}/{info.handle.pod_name}",
        "State": info.state.name,
        "Phase": info.phase,
        "Image": info.image,
        "Node": info.node,
        "Job": info.job_id,
        "Age": age(info.created_at, now),
        "Restarts": str(info.restarts) if info.restarts else "",
        "Exit code": "" if info.exit_code is None else f"{info.exit_code} {info.signal}".strip(),
        "Reason": info.reason,
        "Message": info.message,
        "Last words": info.termination_message,
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(value))
    Console(highlight=False).print(table)


def show_json(value: Any) -> None:
    """One JSON document on a line."""
    typer.echo(msgspec.json.encode(value, order="deterministic").decode())


def show_entry(entry: LogEntry, *, timestamps: bool = False) -> None:
    """One line of a log, letter for letter."""
    stamp = entry.datetime
    typer.echo(f"{stamp.isoformat()} {entry.message}" if timestamps and stamp is not None else entry.message)


def age(since: float | None, now: float) -> str:
    """How long ago, in the largest unit that says enough: 12s, 5m, 3h, 2d."""
    if since is None:
        return ""
    seconds = max(0, int(now - since))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
