"""The commands of `hodei-k8s`, each in a file of its own."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer

from hodei_k8s_transport.cli.commands import (
    capabilities,
    create,
    destroy,
    doctor,
    explain,
    fits,
    health,
    list_,
    logs,
    rbac,
    reconcile,
    run,
    simulate,
    status,
    wait,
)
from hodei_k8s_transport.cli.session import Context, Kubeconfig, Namespace, ProviderId, Record, Target

EPILOG = """Examples:

  hodei-k8s health

  hodei-k8s run --simulated -- echo hello

  hodei-k8s run busybox:1.36 --create-namespace -- sh -c 'echo hello'

  hodei-k8s --namespace ci list

Settings also come from HODEI_K8S_... variables; options go before them."""


def _show_version(asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    if asked:
        try:
            known = metadata.version("hodei-k8s")
        except metadata.PackageNotFoundError:
            known = "(run from its source, not installed)"
        typer.echo(f"hodei-k8s {known}")
        raise typer.Exit


app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, epilog=EPILOG)


@app.callback()
def options(
    context: typer.Context,
    namespace: Namespace = None,
    cluster_context: Context = None,
    kubeconfig: Kubeconfig = None,
    provider_id: ProviderId = None,
    record: Record = None,
    version: Annotated[  # noqa: ARG001 - its callback has done it
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Run Hodei workers as Pods in a Kubernetes cluster."""
    context.obj = Target(namespace, cluster_context, kubeconfig, provider_id, record)


for command in (
    run,
    create,
    status,
    logs,
    list_,
    wait,
    explain,
    destroy,
    reconcile,
    health,
    doctor,
    rbac,
    capabilities,
    fits,
    simulate,
):
    kind = run.RunCommand if command is run else None
    app.command(name=command.NAME, epilog=command.EXAMPLES, cls=kind)(command.command)
