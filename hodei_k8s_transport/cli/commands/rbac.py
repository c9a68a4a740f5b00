"""`hodei-k8s rbac`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from hodei_k8s_core.permissions import DEFAULT_ACCOUNT, Feature, configured_features, rbac_manifests
from hodei_k8s_transport.cli.rbac_yaml import rbac_yaml
from hodei_k8s_transport.cli.session import failures_told
from hodei_k8s_transport.cli.target import target_of

EXAMPLES = "Example: hodei-k8s --namespace ci rbac --with nodes | kubectl apply -f -"


def command(
    context: typer.Context,
    account: Annotated[str, typer.Option("--service-account", help="Who is permitted.")] = DEFAULT_ACCOUNT,
    account_namespace: Annotated[
        str | None,
        typer.Option("--service-account-namespace", help="Where it lives; by default in the workers' namespace."),
    ] = None,
    features: Annotated[
        list[Feature] | None, typer.Option("--with", help="Permit what this feature needs, too; may be repeated.")
    ] = None,
) -> None:
    """Print the least that must be permitted, as YAML, each rule with its reason. Asks no cluster."""
    with failures_told():
        config = target_of(context).config(os.environ)
        wanted = configured_features(config) | set(features or [])
        manifests = rbac_manifests(config, wanted, account=account, account_namespace=account_namespace)
    typer.echo(rbac_yaml(manifests, wanted), nl=False)
