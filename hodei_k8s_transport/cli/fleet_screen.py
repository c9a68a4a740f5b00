"""A fleet as it changes: a table that is kept up to date on a terminal, and a line for each change in a pipe."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import typer
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.worker import WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import FleetItem, WatchHealth, WorkerChange
from hodei_k8s_transport.cli.output import WORKER_COLUMNS, age, plain, show_json
from hodei_k8s_transport.cli.session import tell

_GAP = 3
_REFRESHES = 4
_ESSENTIAL = 2
"""Columns that stay however narrow the terminal is; of the others the last go first."""
_ORDER = ("WORKER", "STATE", "VERDICT", "AGE", "REASON", "EXIT", "RESTARTS", "JOB", "NODE")
_TOLD_OF_A_CHANGE = tuple(name for name in _ORDER if name != "AGE")
_CELLS: Mapping[str, Callable[[WorkerInfo, float], str]] = {
    **dict(WORKER_COLUMNS),
    "VERDICT": lambda info, _: info.verdict.category.value if info.verdict else "",
}
_STYLES = {
    WorkerState.CREATING: "yellow",
    WorkerState.CONNECTING: "yellow",
    WorkerState.READY: "green",
    WorkerState.BUSY: "cyan",
    WorkerState.DRAINING: "magenta",
    WorkerState.TERMINATING: "dim",
    WorkerState.TERMINATED: "dim",
}


class FleetTable:
    """The live table: a context manager to which the items of a watch are told.

    `title`: a line above it. `whole_screen`: on a screen of its own, which is gone at the end.
    """

    def __init__(self, console: Console, *, title: str = "", whole_screen: bool = False) -> None:
        self._console = console
        self._title = title
        self._view = FleetView()
        self._lock = threading.Lock()
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=_REFRESHES, screen=whole_screen
        )

    def __enter__(self) -> FleetTable:
        self._live.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._live.stop()

    def show(self, item: FleetItem) -> None:
        """Fold the item in; it is on the screen a moment later."""
        with self._lock:
            self._view.apply([item])

    def _render(self) -> RenderableType:
        with self._lock:
            view = self._view.snapshot()
        if not self._title:
            return fleet_page(view, time.time(), self._console.width, self._console.height)
        page = fleet_page(view, time.time(), self._console.width, self._console.height - 1)
        return Group(_line(plain(self._title), "dim"), page)


class ChangeLines:
    """For a pipe: a line for each change of a worker; how old the picture is goes to standard error."""

    def __init__(self) -> None:
        self._widths: dict[int, int] = {}
        self._was_synced = True

    def show(self, item: FleetItem) -> None:
        """One line."""
        if isinstance(item, WatchHealth):
            self._tell_health(item)
            return
        if not self._widths:
            self._line(["CHANGE", *_TOLD_OF_A_CHANGE])
        self._line([_change(item), *(plain(_CELLS[name](item.info, 0.0)) for name in _TOLD_OF_A_CHANGE)])

    def _line(self, cells: Sequence[str]) -> None:
        for place, cell in enumerate(cells):
            self._widths[place] = max(self._widths.get(place, 0), cell_len(cell))
        padded = (cell + " " * (self._widths[place] - cell_len(cell)) for place, cell in enumerate(cells))
        typer.echo((" " * _GAP).join(padded).rstrip())

    def _tell_health(self, health: WatchHealth) -> None:
        if not health.is_synced or not self._was_synced:
            tell(plain(f"{health.freshness.value}{': ' if health.because else ''}{health.because}"))
        self._was_synced = health.is_synced


class ChangeDocuments:
    """For a program: one object a line, with the key `change`, or `health` for how old the picture is."""

    def show(self, item: FleetItem) -> None:
        """One line."""
        if isinstance(item, WatchHealth):
            show_json({"health": item})
        else:
            show_json({"change": item.kind, "gone": item.gone, "worker": item.info})


def fleet_page(view: FleetView, now: float, width: int, height: int) -> RenderableType:
    """The table, those with a trouble first, as far as the terminal has room; above it how many there are of each."""
    workers = sorted(view.workers.values(), key=_urgency)
    room = max(1, height - 4)
    shown = workers[:room]
    parts: list[RenderableType] = [_summary(view, now)]
    if shown:
        parts.append(_table(shown, now, width))
    if len(workers) > len(shown):
        parts.append(_line(f"… and {len(workers) - len(shown)} more", "dim"))
    return Group(*parts)


def _table(workers: Sequence[WorkerInfo], now: float, width: int) -> Table:
    rows = [{name: plain(_CELLS[name](info, now)) for name in _ORDER} for info in workers]
    used = [name for place, name in enumerate(_ORDER) if place < _ESSENTIAL or any(row[name] for row in rows)]
    if all(row["RESTARTS"] in ("", "0") for row in rows):
        used.remove("RESTARTS")
    widths = {name: max(len(name), *(cell_len(row[name]) for row in rows)) for name in used}
    while len(used) > _ESSENTIAL and sum(widths[name] + _GAP for name in used) - _GAP > width:
        used.pop()
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for name in used:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for info, row in zip(workers, rows, strict=True):
        table.add_row(*(Text(row[name], _style(name, info)) for name in used))
    return table


def _summary(view: FleetView, now: float) -> Text:
    if view.health is None:
        return _line("Reading the workers …", "dim")
    counts = view.count_by_state()
    workers = ", ".join(f"{counts[state]} {state.name}" for state in WorkerState if state in counts)
    troubles = Counter({category.value: number for category, number in view.count_by_verdict().items()})
    told = [workers or "No workers", *(f"{number} {name}" for name, number in troubles.most_common())]
    if view.is_synced:
        return _line(" · ".join(told), "bold")
    stale = f"{view.health.freshness.value} since {age(view.health.since, now)}: {view.health.because}"
    return _line(" · ".join([plain(stale), *told]), "bold red")


def _line(text: str, style: str) -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _style(name: str, info: WorkerInfo) -> str:
    if name == "VERDICT" or (name == "EXIT" and info.exit_code):
        return "red"
    return _STYLES[info.state] if name == "STATE" else ""


def _urgency(info: WorkerInfo) -> tuple[bool, bool, str]:
    return info.verdict is None, info.state.is_final, info.worker_id


def _change(change: WorkerChange) -> str:
    return "GONE" if change.gone else change.kind.name
