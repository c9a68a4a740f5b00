"""`hodei-k8s simulate`."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_transport.cli.session import failures_told
from hodei_k8s_transport.cli.target import target_of

NAME = "simulate"
EXAMPLES = "Example: hodei-k8s simulate --port 8001, and beside it: kubectl --server http://127.0.0.1:8001 get pods"


def command(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", help="The port on loopback; 0 for any that is free.")] = 8001,
    write_kubeconfig: Annotated[
        Path | None, typer.Option("--write-kubeconfig", metavar="FILE", help="Write a kubeconfig that names it.")
    ] = None,
) -> None:
    """Serve a cluster that lives in memory, until Ctrl-C: for kubectl, for this command line, for any client.

    Its one node runs the commands of Pods on this machine, without their images. A Pod with the label
    simulation/behaviour=oom-killed (image-pull-error, stuck-volume, evicted ...) fails as its name says.
    """
    from hodei_k8s_transport.simulation import SimulatedServer, playground

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what Pods run ends with it
    with failures_told(when_interrupted="the simulated cluster is gone"):
        cluster = playground(target_of(context).config(os.environ).namespace)
        try:
            server = SimulatedServer(cluster, port=port)
        except OSError as error:
            raise ConfigurationError("the port cannot be had", [Fault("--port", str(error))]) from error
        with server:
            if write_kubeconfig is not None:
                server.write_kubeconfig(write_kubeconfig)
            typer.echo(f"a simulated cluster at {server.url}")
            threading.Event().wait()
