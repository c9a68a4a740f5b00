"""`hodei-k8s destroy`."""

from __future__ import annotations

from typing import Annotated

import typer

from hodei_k8s_core.errors import ProviderError
from hodei_k8s_transport.cli.output import Output, OutputFormat, show_json
from hodei_k8s_transport.cli.session import (
    EXPECTED_FAILURE,
    failures_told,
    handle_of,
    one_line,
    provider_for,
    tell,
)
from hodei_k8s_transport.provider import KubernetesProvider

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
    output: Output = OutputFormat.TABLE,
) -> None:
    """End workers, and return when their Pods are gone. A worker that is gone already is done.

    Of several workers every one is tried; the exit code is 1 when one of them could not be destroyed.
    """
    failed = False
    with failures_told(), provider_for(context) as provider:
        for worker_id in worker_ids:
            try:
                _destroy(provider, worker_id, grace_period, force=force)
            except ProviderError as error:
                failed = True
                tell(one_line(error))
                continue
            if output is OutputFormat.JSON:
                show_json({"worker_id": worker_id, "state": "gone"})
            else:
                typer.echo(f"{worker_id} is gone")
    if failed:
        raise typer.Exit(EXPECTED_FAILURE)


def _destroy(provider: KubernetesProvider, worker_id: str, grace_period: float | None, *, force: bool) -> None:
    if force:
        provider.force_destroy_worker(handle_of(worker_id, provider))
    else:
        provider.destroy_worker_by_id(worker_id, grace_period=grace_period)
