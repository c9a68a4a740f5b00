"""The options that describe a worker, shared by the commands that create one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated

import typer

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.quantity import Quantity, parse_quantity
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.worker_spec import WorkerSpec

Image = Annotated[str, typer.Argument(help="The image of the worker.")]
Command = Annotated[
    list[str] | None, typer.Argument(metavar="-- COMMAND...", help="What to run in place of the image's own.")
]
WorkerId = Annotated[str | None, typer.Option("--id", help="The worker's id; by default a random one.")]
Server = Annotated[str, typer.Option("--server", help="The address of Hodei that an agent connects to.")]
Environment = Annotated[
    list[str] | None, typer.Option("--env", "-e", metavar="NAME=VALUE", help="A variable; may be repeated.")
]
Labels = Annotated[
    list[str] | None, typer.Option("--label", "-l", metavar="KEY=VALUE", help="A label; may be repeated.")
]
Cpu = Annotated[str | None, typer.Option("--cpu", help="Cores, as 0.5 or 500m.")]
Memory = Annotated[str | None, typer.Option("--memory", help="Memory, as 512Mi or 2G.")]
Lifetime = Annotated[float, typer.Option("--max-lifetime", metavar="SECONDS", help="The longest it may run.")]
Profile = Annotated[
    SecurityProfile | None, typer.Option("--profile", help="The Pod security profile; by default the configured one.")
]
RunAsUser = Annotated[int | None, typer.Option("--run-as-user", metavar="UID", help="The user it runs as.")]

CREATE_NAMESPACE_HELP = "Create the namespace first where it does not exist."


def new_id() -> str:
    """For a worker that was given none."""
    return secrets.token_hex(4)


def make_spec(
    image: str,
    command: Sequence[str] | None,
    *,
    worker_id: str,
    server: str,
    environment: Sequence[str] | None,
    labels: Sequence[str] | None,
    cpu: str | None,
    memory: str | None,
    max_lifetime: float,
    profile: SecurityProfile | None,
    run_as_user: int | None,
    other_faults: Sequence[Fault] = (),
) -> WorkerSpec:
    """The spec that the options describe. Raises: ConfigurationError with every fault, `other_faults` too."""
    faults = list(other_faults)
    variables = pairs("--env", environment, faults)
    wanted_labels = pairs("--label", labels, faults)
    resources = resources_of(cpu, memory, faults)
    try:
        spec = WorkerSpec(
            worker_id=worker_id,
            image=image,
            server_address=server,
            command=tuple(command or ()),
            environment=variables,
            labels=wanted_labels,
            resources=resources,
            max_lifetime=max_lifetime,
            security_profile=profile,
            run_as_user=run_as_user,
        )
    except ConfigurationError as error:
        raise ConfigurationError("the options are not valid", [*faults, *error.faults]) from None
    if faults:
        raise ConfigurationError("the options are not valid", faults)
    return spec


def pairs(option: str, texts: Sequence[str] | None, faults: list[Fault]) -> dict[str, str]:
    """NAME=VALUE, as often as it is given; what is wrong goes to `faults`."""
    found: dict[str, str] = {}
    for text in texts or ():
        name, separator, value = text.partition("=")
        if not separator:
            faults.append(Fault(option, f"{name!r} has no '='; it is given as NAME=VALUE"))
        elif name in found:
            faults.append(Fault(option, f"{name} is given twice"))
        found[name] = value
    return found


def resources_of(
    cpu: str | None, memory: str | None, faults: list[Fault], *, gpu_count: int = 0, gpu_type: str | None = None
) -> ResourceRequirements | None:
    """What a worker needs; None where nothing was said. What is wrong goes to `faults`."""
    cores = None if cpu is None else _quantity("--cpu", cpu, faults)
    size = None if memory is None else _quantity("--memory", memory, faults)
    if cores is None and size is None and not gpu_count and gpu_type is None:
        return None
    default = ResourceRequirements()
    try:
        return ResourceRequirements(
            cpu_cores=default.cpu_cores if cores is None else cores.millicores / 1000,
            memory_bytes=default.memory_bytes if size is None else size.bytes,
            gpu_count=gpu_count,
            gpu_type=gpu_type,
        )
    except ConfigurationError as error:
        faults.extend(error.faults)
        return None


def _quantity(option: str, text: str, faults: list[Fault]) -> Quantity | None:
    try:
        return parse_quantity(text)
    except ValueError as error:
        faults.append(Fault(option, str(error)))
        return None
