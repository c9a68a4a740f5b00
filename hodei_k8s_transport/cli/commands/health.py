"""`hodei-k8s health`."""

from __future__ import annotations

import typer

from hodei_k8s_core.worker import Health
from hodei_k8s_transport.cli.output import Output, OutputFormat, show_json
from hodei_k8s_transport.cli.session import failures_told, provider_for

EXAMPLES = "Example: hodei-k8s --context staging health --output json"


def command(context: typer.Context, output: Output = OutputFormat.TABLE) -> None:
    """Whether workers can be run there; exit code 0 when healthy or degraded, 1 otherwise."""
    with failures_told(), provider_for(context) as provider:
        status = provider.health_check()
        if output is OutputFormat.JSON:
            show_json(status)
        else:
            latency = "" if status.latency is None else f" ({status.latency * 1000:.0f} ms)"
            typer.echo(f"{status.health.value}{latency}{': ' if status.reason else ''}{status.reason}")
        if status.health not in (Health.HEALTHY, Health.DEGRADED):
            raise typer.Exit(1)
