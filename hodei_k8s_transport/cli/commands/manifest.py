"""`hodei-k8s manifest`."""

from __future__ import annotations

import enum
import os
from typing import Annotated

import typer

from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_transport.cli import spec_options as options
from hodei_k8s_transport.cli.manifest_yaml import manifest_yaml, without_secrets
from hodei_k8s_transport.cli.output import show_json
from hodei_k8s_transport.cli.session import config_faults, failures_told, provider_for
from hodei_k8s_transport.cli.target import target_of

NAME = "manifest"
EXAMPLES = "Example: hodei-k8s manifest busybox:1.36 --profile gpu --dry-run server -- sh -c 'echo hello'"


class ManifestFormat(enum.Enum):
    """How the Pod is written."""

    YAML = "yaml"
    JSON = "json"


class DryRun(enum.Enum):
    """Who says what the Pod would be."""

    CLIENT = "client"
    SERVER = "server"


def command(
    context: typer.Context,
    image: options.Image,
    command: options.Command = None,
    worker_id: options.WorkerId = None,
    server: options.Server = "",
    environment: options.Environment = None,
    labels: options.Labels = None,
    cpu: options.Cpu = None,
    memory: options.Memory = None,
    max_lifetime: options.Lifetime = 3600.0,
    profile: options.Profile = None,
    security_profile: options.SecurityProfileName = None,
    run_as_user: options.RunAsUser = None,
    disk: options.Disk = None,
    gpu: options.Gpu = 0,
    gpu_type: options.GpuType = None,
    arch: options.Arch = None,
    capabilities: options.Capabilities = None,
    node_selector: options.NodeSelector = None,
    tolerations: options.Tolerations = None,
    priority_class: options.PriorityClass = None,
    runtime_class: options.RuntimeClass = None,
    dry_run: Annotated[
        DryRun,
        typer.Option(
            "--dry-run",
            help="`client` asks no cluster; `server` has the API server judge it, and shows what it would store.",
        ),
    ] = DryRun.CLIENT,
    output: Annotated[
        ManifestFormat, typer.Option("--output", "-o", help="`yaml`, or `json` on one line.")
    ] = ManifestFormat.YAML,
) -> None:
    """Print the Pod of a worker, and create nothing; the worker's OTP is not shown."""
    with failures_told():
        spec = options.make_spec(
            image,
            command,
            worker_id=worker_id or options.new_id(),
            server=server,
            environment=environment,
            labels=labels,
            cpu=cpu,
            memory=memory,
            max_lifetime=max_lifetime,
            profile=profile,
            security_profile=security_profile,
            run_as_user=run_as_user,
            placement=options.Placement(
                disk=disk,
                gpu=gpu,
                gpu_type=gpu_type,
                arch=arch,
                capabilities=capabilities,
                node_selector=node_selector,
                tolerations=tolerations,
                priority_class=priority_class,
                runtime_class=runtime_class,
            ),
            other_faults=config_faults(context),
        )
        if dry_run is DryRun.SERVER:
            with provider_for(context) as provider:
                pod = provider.preview_worker(spec)
        else:
            pod = build_worker_pod(spec, target_of(context).config(os.environ))
        shown = without_secrets(pod)
        if output is ManifestFormat.JSON:
            show_json(shown)
        else:
            typer.echo(manifest_yaml(shown), nl=False)
