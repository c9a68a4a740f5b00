"""How results are shown: tables for a person, one JSON document for a program.

What a table shows comes from a cluster, so it is shown letter for letter, without markup, and without the control
characters that a terminal would obey. A column is never cut: what is shown can be copied, and `grep` finds it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
import typer

from hodei_k8s_core.worker import WorkerInfo


class OutputFormat(enum.Enum):
    """For whom the output is."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[OutputFormat, typer.Option("--output", "-o", help="`table` for a person, `json` for a program.")]

_GAP = "   "
WORKER_COLUMNS: tuple[tuple[str, Callable[[WorkerInfo, float], str]], ...] = (
    ("WORKER", lambda info, _: info.worker_id),
    ("STATE", lambda info, _: info.state.name),
    ("AGE", lambda info, now: age(info.created_at, now)),
    ("RESTARTS", lambda info, _: str(info.restarts)),
    ("EXIT", lambda info, _: "" if info.exit_code is None else str(info.exit_code)),
    ("JOB", lambda info, _: info.job_id),
    ("NODE", lambda info, _: info.node),
    ("REASON", lambda info, _: info.reason),
)
_FIELDS: tuple[tuple[str, Callable[[WorkerInfo, float], str]], ...] = (
    ("Worker", lambda info, _: info.worker_id),
    ("Pod", lambda info, _: f"{info.handle.namespace}/{info.handle.pod_name}"),
    ("State", lambda info, _: info.state.name),
    ("Phase", lambda info, _: info.phase),
    ("Image", lambda info, _: info.image),
    ("Node", lambda info, _: info.node),
    ("Job", lambda info, _: info.job_id),
    ("Age", lambda info, now: age(info.created_at, now)),
    ("Restarts", lambda info, _: str(info.restarts or "")),
    ("Exit code", lambda info, _: "" if info.exit_code is None else f"{info.exit_code} {info.signal}".strip()),
    ("Reason", lambda info, _: info.reason),
    ("Message", lambda info, _: info.message),
    ("Last words", lambda info, _: info.termination_message),
    ("Verdict", lambda info, _: "" if info.verdict is None else str(info.verdict)),
)


def show_workers(workers: Sequence[WorkerInfo], now: float) -> None:
    """One line a worker."""
    if not workers:
        typer.echo("No workers.", err=True)
        return
    rows = [[name for name, _ in WORKER_COLUMNS]]
    rows += [[plain(cell(info, now)) for _, cell in WORKER_COLUMNS] for info in workers]
    show_rows(rows)


def show_rows(rows: Sequence[Sequence[str]]) -> None:
    """A table, its head in the first row; every row as long as that."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo(_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def show_worker(info: WorkerInfo, now: float) -> None:
    """One field a line; what is not known is left out."""
    show_fields({name: plain(cell(info, now)) for name, cell in _FIELDS})


def show_fields(fields: Mapping[str, str]) -> None:
    """One field a line; those that are empty are left out."""
    width = max(map(len, fields))
    for name, value in fields.items():
        if value:
            typer.echo(f"{name.ljust(width)}{_GAP}{value}")


def show_json(value: Any) -> None:
    """One JSON document on a line."""
    typer.echo(msgspec.json.encode(value, order="deterministic").decode())


def plain(text: str) -> str:
    """The text in one line, with U+FFFD for every control character."""
    return "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))


def age(since: float | None, now: float) -> str:
    """How long ago, in the largest unit that says enough: 12s, 5m, 3h, 2d."""
    if since is None:
        return ""
    seconds = max(0, int(now - since))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
