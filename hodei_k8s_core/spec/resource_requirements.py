"""What one worker needs of a node."""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.names import label_key_problem, label_value_problem
from hodei_k8s_core.validation import Problem, fault_of, number_above, optional, raise_faults, text_that, whole_number

MAX_INT64: Final = 2**63 - 1


def _gpu_type_problem(text: str) -> str | None:
    if not text:
        return "must not be empty"
    return label_key_problem(text) if "/" in text else label_value_problem(text)


_CHECKS: Final[dict[str, Problem]] = {
    "cpu_cores": number_above(0),
    "memory_bytes": whole_number(1, MAX_INT64),
    "disk_bytes": whole_number(0, MAX_INT64),
    "gpu_count": whole_number(0, 2**31 - 1),
    "gpu_type": optional(text_that(_gpu_type_problem)),
}


class ResourceRequirements(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker needs. Cores as float, sizes in bytes; `gpu_type` is a vendor resource or a product, or None.

    Raises: ConfigurationError with every fault.
    """

    cpu_cores: float = 1.0
    memory_bytes: int = 512 * 1024**2
    disk_bytes: int = 1024**3
    gpu_count: int = 0
    gpu_type: str | None = None

    def __post_init__(self) -> None:
        faults = [f for name, check in _CHECKS.items() for f in fault_of(name, check(getattr(self, name)))]
        raise_faults("the resource requirements are not valid", faults)
