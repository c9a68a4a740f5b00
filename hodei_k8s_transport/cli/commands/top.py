"""`hodei-k8s top`."""

from __future__ import annotations

import typer
from rich.console import Console

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_transport.cli.fleet_screen import FleetTable
from hodei_k8s_transport.cli.interrupts import interrupts_stop
from hodei_k8s_transport.cli.session import failures_told, provider_for
from hodei_k8s_transport.provider import KubernetesProvider

EXAMPLES = "Example: hodei-k8s --namespace ci top"


def command(context: typer.Context) -> None:
    """The fleet on the whole terminal, kept up to date: what is in trouble first. Ctrl-C ends it."""
    with failures_told():
        console = Console(highlight=False)
        if not console.is_terminal:
            fault = Fault("standard output", "is no terminal; `hodei-k8s list --watch` is for pipes")
            raise ConfigurationError("nothing can be kept up to date there", [fault])
        with (
            provider_for(context) as provider,
            provider.watch_workers() as items,
            interrupts_stop(items),
            FleetTable(console, title=_title(provider), whole_screen=True) as table,
        ):
            for item in items:
                table.show(item)


def _title(provider: KubernetesProvider) -> str:
    server = "" if provider.target is None else f" at {provider.target.server}"
    return f"{provider.provider_id} in {provider.config.namespace}{server}"
