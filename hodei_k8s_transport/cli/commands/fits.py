"""`hodei-k8s fits`."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.fulfillment import Fit, Fulfillment
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_transport.cli import spec_options as options
from hodei_k8s_transport.cli.output import Output, OutputFormat, plain, show_json
from hodei_k8s_transport.cli.session import failures_told, provider_for, tell

EXAMPLES = "Example: hodei-k8s fits --cpu 4 --memory 8Gi --gpu 1 --arch arm64"

Confirm = Annotated[
    bool, typer.Option("--confirm", help="Have the API server judge it too, by a dry run; nothing is stored.")
]
_ANSWERS = {
    Fit.NOW: "yes, now",
    Fit.NEW_NODE: "yes, on a node that an autoscaler would add",
    Fit.LATER: "not now; when others have ended, or a node is back",
    Fit.NEVER: "no",
    Fit.UNKNOWN: "not known",
}


def command(
    context: typer.Context,
    cpu: options.Cpu = None,
    memory: options.Memory = None,
    disk: options.Disk = None,
    gpu: options.Gpu = 0,
    gpu_type: options.GpuType = None,
    arch: options.Arch = None,
    regions: Annotated[
        list[str] | None, typer.Option("--region", help="A zone or region; may be repeated, any will do.")
    ] = None,
    capabilities: options.Capabilities = None,
    labels: Annotated[
        list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="A label of the node; may be repeated.")
    ] = None,
    profile: options.Profile = None,
    confirm: Confirm = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Whether such a worker would fit, when, and why not; exit code 0 when now or on a new node, else 1."""
    with failures_told():
        faults: list[Fault] = []
        wanted_labels = options.pairs("--label", labels, faults)
        resources = options.resources_of(cpu, memory, faults, disk=disk, gpu_count=gpu, gpu_type=gpu_type)
        if faults:
            raise ConfigurationError("the options are not valid", faults)
        requirements = JobRequirements(
            resources=resources,
            architecture=arch,
            required_capabilities=capabilities or (),
            required_labels=wanted_labels,
            allowed_regions=regions or (),
            profile=profile,
        )
        with provider_for(context) as provider:
            found = provider.explain_fulfillment(requirements, confirm=confirm)
        if output is OutputFormat.JSON:
            show_json({**msgspec.to_builtins(found), "explanation": found.explain()})
        else:
            _show(found)
    if found.fit not in (Fit.NOW, Fit.NEW_NODE):
        raise typer.Exit(1)


def _show(found: Fulfillment) -> None:
    typer.echo(_ANSWERS[found.fit])
    if found.fit is not Fit.NOW:
        for line in found.explain():
            typer.echo(f"  {plain(line)}")
    if found.preempts:
        typer.echo("  it would have room in place of Pods of lower priority, which the scheduler may take away")
    for name in found.not_weighed:
        tell(f"not weighed: {name}")
    for missing in found.unread:
        tell(f"not known: {missing}")
