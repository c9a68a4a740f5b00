"""The volumes that a worker can mount."""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.names import dns_label_problem, dns_subdomain_problem
from hodei_k8s_core.validation import (
    Problem,
    bool_problem,
    fault_of,
    optional,
    raise_faults,
    text_that,
    whole_number,
)


def _absolute_path_problem(path: str) -> str | None:
    """The API's rules for a mount path (no ':') and a host path (no '..'), and that both are absolute."""
    if not path.startswith("/"):
        return f"must be an absolute path, not {path!r}"
    if ":" in path or ".." in path.split("/"):
        return f"must contain neither ':' nor '..': {path!r}"
    return None


def _mount_path_problem(path: str) -> str | None:
    return _absolute_path_problem(path) if path else None


_CHECKS: Final[dict[str, Problem]] = {
    "name": text_that(dns_label_problem),
    "claim_name": text_that(dns_subdomain_problem),
    "path": text_that(_absolute_path_problem),
    "size_limit": optional(whole_number(1)),
    "read_only": bool_problem,
    "mount_path": text_that(_mount_path_problem),
}


class PersistentVolume(msgspec.Struct, frozen=True, kw_only=True, tag="persistent"):
    """An existing PersistentVolumeClaim, mounted at `mount_path` (by default `/mnt/{name}`).

    Raises: ConfigurationError with every fault.
    """

    name: str
    claim_name: str
    read_only: bool = False
    mount_path: str = ""

    def __post_init__(self) -> None:
        raise_faults("the volume is not valid", _faults(self))


class EphemeralVolume(msgspec.Struct, frozen=True, kw_only=True, tag="ephemeral"):
    """Scratch space that ends with the worker. `size_limit` in bytes, or None.

    Raises: ConfigurationError with every fault.
    """

    name: str
    size_limit: int | None = None
    mount_path: str = ""

    def __post_init__(self) -> None:
        raise_faults("the volume is not valid", _faults(self))


class HostPathVolume(msgspec.Struct, frozen=True, kw_only=True, tag="host_path"):
    """A folder of the node. The restricted and the baseline profile refuse it.

    Raises: ConfigurationError with every fault.
    """

    name: str
    path: str
    read_only: bool = False
    mount_path: str = ""

    def __post_init__(self) -> None:
        raise_faults("the volume is not valid", _faults(self))


VolumeSpec = PersistentVolume | EphemeralVolume | HostPathVolume


def mounted_at(volume: VolumeSpec) -> str:
    """The path in the container."""
    return volume.mount_path or f"/mnt/{volume.name}"


def _faults(volume: VolumeSpec) -> list[Fault]:
    names = volume.__struct_fields__
    return [f for name in names for f in fault_of(name, _CHECKS[name](getattr(volume, name)))]
