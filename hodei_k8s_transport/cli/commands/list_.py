"""`hodei-k8s list`."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from hodei_k8s_transport.cli.interrupts import interrupts_stop
from hodei_k8s_transport.cli.output import Output, OutputFormat, show_json, show_workers
from hodei_k8s_transport.cli.session import INTERRUPTED, failures_told, provider_for
from hodei_k8s_transport.provider import KubernetesProvider

EXAMPLES = """Examples:

  hodei-k8s list --output json

  hodei-k8s list --watch"""


def command(
    context: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on with every change, until Ctrl-C.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """All workers of this provider, ended ones included.

    With --watch a table that is kept up to date; into a pipe, and as JSON, one line for each change.
    """
    with failures_told(), provider_for(context) as provider:
        if watch:
            _watch(provider, output)
        elif output is OutputFormat.JSON:
            show_json(provider.list_workers())
        else:
            show_workers(provider.list_workers(), time.time())


def _watch(provider: KubernetesProvider, output: OutputFormat) -> None:
    from rich.console import Console

    from hodei_k8s_transport.cli.fleet_screen import ChangeDocuments, ChangeLines, FleetTable

    console = Console(highlight=False)
    with provider.watch_workers() as items, interrupts_stop(items):
        if output is OutputFormat.TABLE and console.is_terminal:
            with FleetTable(console) as table:
                for item in items:
                    table.show(item)
        else:
            lines = ChangeDocuments() if output is OutputFormat.JSON else ChangeLines()
            for item in items:
                lines.show(item)
    raise typer.Exit(INTERRUPTED)
