"""`hodei-k8s destroy`."""

from __future__ import annotations

from typing import Annotated

import typer

from hodei_k8s_transport.cli.session import failures_told, handle_of, provider_for

NAME = "destroy"
EXAMPLES = "Example: hodei-k8s destroy 3f9c2a17 --grace-period 5"


def command(
    context: typer.Context,
    worker_ids: Annotated[list[str], typer.Argument(metavar="WORKER...", help="The ids of the workers.")],
    grace_period: Annotated[
        float | None, typer.Option("--grace-period", metavar="SECONDS", help="From SIGTERM to SIGKILL, at least 1.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Remove the record at once, though the container may still run: for a dead node."),
    ] = False,
) -> None:
    """End workers, and return when their Pods are gone. A worker that is gone already is done."""
    with failures_told(), provider_for(context) as provider:
        for worker_id in worker_ids:
            if force:
                provider.force_destroy_worker(handle_of(worker_id, provider))
            else:
                provider.destroy_worker_by_id(worker_id, grace_period=grace_period)
            typer.echo(f"{worker_id} is gone")
