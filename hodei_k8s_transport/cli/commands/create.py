"""`hodei-k8s create`."""

from __future__ import annotations

from typing import Annotated

import typer

from hodei_k8s_transport.cli import spec_options as options
from hodei_k8s_transport.cli.output import Output, OutputFormat
from hodei_k8s_transport.cli.session import config_faults, failures_told, provider_for

EXAMPLES = "Example: hodei-k8s create registry.example/agent:7 --server hodei.example:9090 --id build-17"


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
    create_namespace: Annotated[bool, typer.Option("--create-namespace", help=options.CREATE_NAMESPACE_HELP)] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Create a worker and leave it running; its id goes to standard output."""
    worker_id = worker_id or options.new_id()
    with failures_told(when_interrupted=f"interrupted; the worker may exist: hodei-k8s destroy {worker_id}"):
        spec = options.make_spec(
            image,
            command,
            worker_id=worker_id,
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
        with provider_for(context) as provider:
            if create_namespace:
                provider.ensure_namespace()
            handle = provider.create_worker(spec)
        typer.echo(handle.to_json() if output is OutputFormat.JSON else handle.worker_id)
