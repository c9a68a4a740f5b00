"""How logs are shown: lines letter for letter, of several workers with a coloured name in front of each.

What there is to say about a log (a gap, a restart) is no line of it: for a person it goes to standard error, for a
program it is an object of its own among the others.
"""

from __future__ import annotations

import typer
from rich.console import Console

from hodei_k8s_core.log_entry import LogEntry, LogItem
from hodei_k8s_core.log_level import LogLevel, detect_level
from hodei_k8s_transport.cli.output import plain, show_json

_COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "bright_red", "bright_cyan", "bright_magenta")
_SEVERITY = {level: place for place, level in enumerate(LogLevel)}
_RESET = "\x1b[0m"


class LogPrinter:
    """For a person. `named`: of several workers; `width`: of the longest name that is known ahead."""

    def __init__(self, *, timestamps: bool = False, named: bool = False, width: int = 0) -> None:
        self._timestamps = timestamps
        self._named = named
        self._width = width
        self._has_colours = named and has_colours()
        self._colours: dict[str, str] = {}
        self._unfinished: set[str] = set()

    def show(self, worker_id: str, item: LogItem) -> None:
        """A line, or a piece of one, as it comes."""
        if not isinstance(item, LogEntry):
            typer.echo(f"hodei-k8s: {f'worker {worker_id}: ' if self._named else ''}{plain(item.message)}", err=True)
            return
        goes_on = worker_id in self._unfinished
        (self._unfinished.add if item.partial else self._unfinished.discard)(worker_id)
        text = item.message
        # Whether another worker writes before the rest of a line comes is not known: each piece is a line.
        if self._timestamps and item.datetime is not None and (self._named or not goes_on):
            text = f"{item.datetime.isoformat()} {text}"
        if self._named:
            text = f"{self._prefix(worker_id, goes_on=goes_on)}{text}"
            if self._has_colours and "\x1b" in item.message:  # the colours of one worker are not another's
                text += _RESET
        # `color`: the worker's own escape sequences are part of what it wrote, in a pipe as well.
        typer.echo(text, nl=self._named or not item.partial, color=True)

    def _prefix(self, worker_id: str, *, goes_on: bool) -> str:
        self._width = max(self._width, len(worker_id))
        prefix = f"{worker_id.ljust(self._width)} {'+' if goes_on else '|'} "
        if not self._has_colours:
            return prefix
        colour = self._colours.setdefault(worker_id, _COLOURS[len(self._colours) % len(_COLOURS)])
        return typer.style(prefix, fg=colour)


class JsonLogPrinter:
    """For a program: one object a line, with the worker's id."""

    def show(self, worker_id: str, item: LogItem) -> None:
        """A line, a gap or a restart."""
        show_json({"worker": worker_id, **item.to_dict()})


class LevelFilter:
    """Lets through what is at least so bad, and what belongs to it.

    Indented and empty lines belong to the one before them, pieces of a long line to the first of them.
    """

    def __init__(self, least: LogLevel) -> None:
        self._least = _SEVERITY[least]
        self._passing: set[str] = set()
        self._unfinished: set[str] = set()

    def passes(self, worker_id: str, item: LogItem) -> bool:
        """Whether it is shown; what is no line always is."""
        if not isinstance(item, LogEntry):
            return True
        belongs = worker_id in self._unfinished or not item.message or item.message[0].isspace()
        (self._unfinished.add if item.partial else self._unfinished.discard)(worker_id)
        if not belongs:
            is_bad = _SEVERITY[detect_level(item.message)] >= self._least
            (self._passing.add if is_bad else self._passing.discard)(worker_id)
        return worker_id in self._passing


def has_colours() -> bool:
    """Standard output is a terminal that shows colours, and nobody has asked for none (NO_COLOR)."""
    console = Console()
    return console.color_system is not None and not console.no_color
