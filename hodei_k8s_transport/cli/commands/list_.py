"""`hodei-k8s list`."""

from __future__ import annotations

import time

import typer

from hodei_k8s_transport.cli.output import Output, OutputFormat, show_json, show_workers
from hodei_k8s_transport.cli.session import failures_told, provider_for

NAME = "list"
EXAMPLES = "Example: hodei-k8s list --output json"


def command(context: typer.Context, output: Output = OutputFormat.TABLE) -> None:
    """All workers of this provider, ended ones included."""
    with failures_told(), provider_for(context) as provider:
        workers = provider.list_workers()
        if output is OutputFormat.JSON:
            show_json(workers)
        else:
            show_workers(workers, time.time())
