"""`hodei-k8s status`."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from hodei_k8s_transport.cli.output import Output, OutputFormat, show_json, show_worker
from hodei_k8s_transport.cli.session import failures_told, handle_of, provider_for

EXAMPLES = "Example: hodei-k8s status 3f9c2a17"


def command(
    context: typer.Context,
    worker_id: Annotated[str, typer.Argument(metavar="WORKER", help="The worker's id.")],
    output: Output = OutputFormat.TABLE,
) -> None:
    """How one worker is; a worker without a Pod is TERMINATED."""
    with failures_told(), provider_for(context) as provider:
        info = provider.describe_worker(handle_of(worker_id, provider))
        if output is OutputFormat.JSON:
            show_json(info)
        else:
            show_worker(info, time.time())
