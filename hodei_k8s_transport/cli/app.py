"""`hodei-k8s`: the options before the command. The commands are in `commands`, each in a file of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from hodei_k8s_transport.cli.lazy_commands import LazyCommands
from hodei_k8s_transport.cli.target import Context, Kubeconfig, Namespace, ProviderId, Record, Target

EPILOG = """Examples:

  hodei-k8s health

  hodei-k8s run --simulated -- echo hello

  hodei-k8s run busybox:1.36 --create-namespace -- sh -c 'echo hello'

  hodei-k8s --namespace ci list

Settings also come from HODEI_K8S_... variables; options go before them."""


def _show_version(asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    if asked:
        from importlib import metadata

        try:
            known = metadata.version("hodei-k8s")
        except metadata.PackageNotFoundError:
            known = "(run from its source, not installed)"
        typer.echo(f"hodei-k8s {known}")
        raise typer.Exit


app = typer.Typer(cls=LazyCommands, no_args_is_help=True, pretty_exceptions_enable=False, epilog=EPILOG)


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
