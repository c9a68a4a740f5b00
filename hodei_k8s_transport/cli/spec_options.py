"""The options that describe a worker, shared by the commands that create one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer

from hodei_k8s_core.config.setting_text import parse_tolerations
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.quantity import Quantity, parse_quantity
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.worker_spec import Architecture, WorkerSpec
from hodei_k8s_core.validation import within

CONFIGURED_IMAGE = "-"
Image = Annotated[str, typer.Argument(help="The image of the worker; `-` for that of the settings, or of the profile.")]
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
    str | None, typer.Option("--profile", metavar="NAME", help="The profile of the settings that holds for it.")
]
SecurityProfileName = Annotated[
    SecurityProfile | None,
    typer.Option("--security-profile", help="The Pod security profile; by default the configured one."),
]
RunAsUser = Annotated[int | None, typer.Option("--run-as-user", metavar="UID", help="The user it runs as.")]
Disk = Annotated[str | None, typer.Option("--disk", help="Space on the node's own disk, as 10Gi.")]
Gpu = Annotated[int, typer.Option("--gpu", help="How many accelerators.")]
GpuType = Annotated[
    str | None, typer.Option("--gpu-type", help="A resource, as nvidia.com/mig-1g.5gb, or a product's name.")
]
Arch = Annotated[Architecture | None, typer.Option("--arch", help="The processor of the node.")]
Capabilities = Annotated[
    list[str] | None, typer.Option("--capability", help="What the node must be able to; may be repeated.")
]
NodeSelector = Annotated[
    list[str] | None, typer.Option("--node-selector", metavar="KEY=VALUE", help="A node's label; may be repeated.")
]
Tolerations = Annotated[
    list[str] | None,
    typer.Option("--toleration", metavar="KEY[=VALUE][:EFFECT]", help="A taint that is put up with; may be repeated."),
]
PriorityClass = Annotated[str | None, typer.Option("--priority-class", help="How important it is to the scheduler.")]
RuntimeClass = Annotated[str | None, typer.Option("--runtime-class", help="What runs its containers.")]

CREATE_NAMESPACE_HELP = "Create the namespace first where it does not exist."


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """What the options say about the nodes that will do, as they were given."""

    disk: str | None = None
    gpu: int = 0
    gpu_type: str | None = None
    arch: Architecture | None = None
    capabilities: Sequence[str] | None = None
    node_selector: Sequence[str] | None = None
    tolerations: Sequence[str] | None = None
    priority_class: str | None = None
    runtime_class: str | None = None

    def fields(self, faults: list[Fault]) -> dict[str, Any]:
        """The fields of a spec beside its resources; what is wrong goes to `faults`."""
        return {
            "architecture": self.arch,
            "required_capabilities": self.capabilities or (),
            "node_selector": pairs("--node-selector", self.node_selector, faults),
            "tolerations": [one for text in self.tolerations or () for one in _tolerations(text, faults)],
            "priority_class": self.priority_class,
            "runtime_class": self.runtime_class,
        }


ANYWHERE = Placement()


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
    profile: str | None,
    security_profile: SecurityProfile | None,
    run_as_user: int | None,
    placement: Placement = ANYWHERE,
    other_faults: Sequence[Fault] = (),
) -> WorkerSpec:
    """The spec that the options describe. Raises: ConfigurationError with every fault, `other_faults` too."""
    faults = list(other_faults)
    variables = pairs("--env", environment, faults)
    wanted_labels = pairs("--label", labels, faults)
    resources = resources_of(
        cpu, memory, faults, disk=placement.disk, gpu_count=placement.gpu, gpu_type=placement.gpu_type
    )
    placed = placement.fields(faults)
    try:
        spec = WorkerSpec(
            worker_id=worker_id,
            image=_image(image, faults),
            profile=profile,
            server_address=server,
            command=tuple(command or ()),
            environment=variables,
            labels=wanted_labels,
            resources=resources,
            max_lifetime=max_lifetime,
            security_profile=security_profile,
            run_as_user=run_as_user,
            **placed,
        )
    except ConfigurationError as error:
        raise ConfigurationError("the options are not valid", [*faults, *error.faults]) from None
    if faults:
        raise ConfigurationError("the options are not valid", faults)
    return spec


def _image(text: str, faults: list[Fault]) -> str:
    if not text:
        faults.append(Fault("image", f"must not be empty; {CONFIGURED_IMAGE} stands for that of the settings"))
    return "" if text == CONFIGURED_IMAGE else text


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
    cpu: str | None,
    memory: str | None,
    faults: list[Fault],
    *,
    disk: str | None = None,
    gpu_count: int = 0,
    gpu_type: str | None = None,
) -> ResourceRequirements | None:
    """What a worker needs; None where nothing was said. What is wrong goes to `faults`."""
    cores = None if cpu is None else _quantity("--cpu", cpu, faults)
    size = None if memory is None else _quantity("--memory", memory, faults)
    space = None if disk is None else _quantity("--disk", disk, faults)
    if cores is None and size is None and space is None and not gpu_count and gpu_type is None:
        return None
    default = ResourceRequirements()
    try:
        return ResourceRequirements(
            cpu_cores=default.cpu_cores if cores is None else cores.millicores / 1000,
            memory_bytes=default.memory_bytes if size is None else size.bytes,
            disk_bytes=default.disk_bytes if space is None else space.bytes,
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


def _tolerations(text: str, faults: list[Fault]) -> Sequence[Toleration]:
    try:
        return parse_tolerations(text)
    except ConfigurationError as error:
        faults.extend(within("--toleration", error.faults))
    except ValueError as error:
        faults.append(Fault("--toleration", str(error)))
    return ()
