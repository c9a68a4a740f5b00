"""`hodei-k8s logs`."""

from __future__ import annotations

from typing import Annotated

import typer

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.log_entry import LogItem
from hodei_k8s_transport.cli.interrupts import interrupts_stop
from hodei_k8s_transport.cli.output import Output, OutputFormat, show_json, show_log_item
from hodei_k8s_transport.cli.session import INTERRUPTED, failures_told, handle_of, provider_for

NAME = "logs"
EXAMPLES = "Example: hodei-k8s logs 3f9c2a17 --tail 20 --follow"


def command(
    context: typer.Context,
    worker_id: Annotated[str, typer.Argument(metavar="WORKER", help="The worker's id.")],
    tail: Annotated[int | None, typer.Option("--tail", metavar="LINES", help="The last so many lines.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the worker has ended.")] = False,
    previous: Annotated[bool, typer.Option("--previous", help="Of the run before the last restart.")] = False,
    timestamps: Annotated[bool, typer.Option("--timestamps", help="The time before each line.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """What a worker has written."""

    def show(item: LogItem) -> None:
        if output is OutputFormat.JSON:
            show_json(item.to_dict())
        else:
            show_log_item(item, timestamps=timestamps)

    with failures_told(), provider_for(context) as provider:
        if follow and previous:
            fault = Fault("--previous", "cannot be followed: that run is over")
            raise ConfigurationError("the options are not valid", [fault])
        handle = handle_of(worker_id, provider)
        if not follow:
            for entry in provider.get_worker_logs(handle, tail=tail, previous=previous):
                show(entry)
            return
        with provider.follow_worker_logs(handle, tail=tail) as entries, interrupts_stop(entries):
            for entry in entries:
                show(entry)
            if entries.stop_requested:
                raise typer.Exit(INTERRUPTED)
