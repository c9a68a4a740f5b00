"""What a provider can do, and what a job asks of it: the words that all of Hodei uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.labels import selector_faults
from hodei_k8s_core.names import label_key_problem, label_value_problem
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from hodei_k8s_core.spec.worker_spec import Architecture
from hodei_k8s_core.validation import (
    MAX_INT32,
    Problem,
    fault_of,
    instance,
    number,
    optional,
    raise_faults,
    sequence_faults,
    text_that,
    within,
    word_problem,
)

MAX_EXECUTION_TIME: Final = float(MAX_INT32)
"""Seconds; the API's limit of activeDeadlineSeconds, which ends a worker."""


class ResourceLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The most of each resource that one worker can have, cores as float and sizes in bytes; None is not known.

    Each by itself: the node with the most memory need not be the one with the most cores.
    """

    max_cpu_cores: float | None = None
    max_memory_bytes: int | None = None
    max_disk_bytes: int | None = None
    max_gpu_count: int | None = None


class ProviderCapabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What workers of this provider can be, as the cluster says.

    `gpu_types`: resources (`nvidia.com/gpu`, `nvidia.com/mig-1g.5gb`) and products by their nodes' labels.
    `architectures`: by the nodes' labels. `runtimes`: the nodes' container runtimes, and the names of RuntimeClasses.
    `regions`: zones, and regions where nodes say theirs. `max_execution_time` in seconds. `persistent_storage`: None
    where it is not known. `features`: what else there is, and what could not be read (`unknown:nodes`).
    """

    max_resources: ResourceLimits
    gpu_support: bool
    gpu_types: tuple[str, ...]
    architectures: tuple[str, ...]
    runtimes: tuple[str, ...]
    regions: tuple[str, ...]
    max_execution_time: float
    persistent_storage: bool | None
    custom_networking: bool
    features: tuple[str, ...]


def _name_problem(text: str) -> str | None:
    return label_value_problem(text) if text else "must not be empty"


def _capability_problem(text: str) -> str | None:
    return f"must be a name without '/', not {text!r}" if not text or "/" in text else label_key_problem(text)


_CHECKS: Final[dict[str, Problem]] = {
    "resources": optional(instance(ResourceRequirements)),
    "architecture": optional(instance(Architecture, "an Architecture")),
    "preferred_region": optional(text_that(_name_problem)),
    "timeout": optional(number(1)),
    "profile": optional(word_problem),
}


class JobRequirements(msgspec.Struct, frozen=True, kw_only=True):
    """What a job asks of the worker that does it. `timeout` in seconds.

    `resources` None means the configured defaults. `required_labels` are of the worker's node. `allowed_regions`: zones
    or regions, of which any will do; empty is anywhere. `preferred_region` is a wish, and decides nothing.
    `profile`: of the configuration, whose settings hold for the worker.

    Raises: ConfigurationError with every fault.
    """

    resources: ResourceRequirements | None = None
    architecture: Architecture | None = None
    required_capabilities: Sequence[str] = ()
    required_labels: Mapping[str, str] = {}
    allowed_regions: Sequence[str] = ()
    preferred_region: str | None = None
    timeout: float | None = None
    profile: str | None = None

    def __post_init__(self) -> None:
        raise_faults("the job requirements are not valid", within("requirements", _faults(self)))
        for name in ("required_capabilities", "allowed_regions"):
            msgspec.structs.force_setattr(self, name, tuple(getattr(self, name)))
        msgspec.structs.force_setattr(self, "required_labels", dict(self.required_labels))


def _faults(requirements: JobRequirements) -> list[Fault]:
    found = [f for name, check in _CHECKS.items() for f in fault_of(name, check(getattr(requirements, name)))]
    found += sequence_faults(
        "required_capabilities", requirements.required_capabilities, text_that(_capability_problem)
    )
    found += sequence_faults("allowed_regions", requirements.allowed_regions, text_that(_name_problem))
    return found + selector_faults("required_labels", requirements.required_labels)
