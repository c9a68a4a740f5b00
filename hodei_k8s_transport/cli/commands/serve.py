"""`hodei-k8s serve`."""

from __future__ import annotations

import enum
import logging
import os
import signal
import sys
from typing import Annotated

import anyio
import typer

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.clusters import CLUSTERS
from hodei_k8s_core.lease import LeasePolicy
from hodei_k8s_transport.cli.session import failures_told
from hodei_k8s_transport.cli.target import Target, target_of
from hodei_k8s_transport.service.configured import configured_clusters
from hodei_k8s_transport.service.serve import ServeOptions, serve

EXAMPLES = """Examples:

  hodei-k8s --provider-id ci serve

  hodei-k8s serve --port 9100 --observe-only"""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Backend(enum.Enum):
    """On which event loop it runs."""

    ASYNCIO = "asyncio"
    TRIO = "trio"


def command(
    context: typer.Context,
    host: Annotated[str | None, typer.Option("--host", help="The address to listen on; every one by default.")] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 8080,
    backend: Annotated[Backend, typer.Option("--backend", help="The event loop.")] = Backend.ASYNCIO,
    observe_only: Annotated[
        bool, typer.Option("--observe-only", help="Watch and export; take no part in the election, remove nothing.")
    ] = False,
    identity: Annotated[
        str, typer.Option("--identity", envvar="POD_NAME", help="This process in the election; no other may have it.")
    ] = "",
    lease_duration: Annotated[
        int, typer.Option("--lease-duration", min=3, help="Seconds until another one may lead after a leader is lost.")
    ] = LeasePolicy().duration,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Watch over the workers: reconcile as the leader, export metrics, answer /livez, /readyz, /metrics and /fleet.

    HODEI_K8S_CLUSTERS names a file of several clusters; options before the command name one in its place. SIGTERM ends
    it gracefully: the removal that is under way is finished, and the lease is let go. Logs are JSON on standard error.
    """
    with failures_told():
        from hodei_k8s_transport.service.serve.json_logs import log_as_json

        configs = _configs(target_of(context))
        log_as_json(sys.stderr, logging.DEBUG if verbose else logging.INFO)
        lease = LeasePolicy(
            duration=lease_duration, renew_deadline=lease_duration * 2 / 3, retry_period=lease_duration * 2 / 15
        )
        options = ServeOptions(host=host, port=port, identity=identity, reconciles=not observe_only, lease=lease)

        async def main() -> None:
            with anyio.open_signal_receiver(*_SIGNALS) as signals:
                await serve(configs, options, environ=os.environ, stops=signals)

        anyio.run(main, backend=backend.value)


def _configs(target: Target) -> list[KubernetesConfig]:
    """Several from the file that the environment names; what is said on the command line is said of one."""
    if target.given or not os.environ.get(CLUSTERS):
        return [target.config(os.environ)]
    return configured_clusters(os.environ)
