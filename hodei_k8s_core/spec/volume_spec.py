"""The volumes that a worker can mount."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.spec.projected_volume import ProjectedVolume
from hodei_k8s_core.spec.volume_checks import volume_faults
from hodei_k8s_core.validation import instance, item, raise_faults, sequence_faults


class PersistentVolume(msgspec.Struct, frozen=True, kw_only=True, tag="persistent"):
    """An existing PersistentVolumeClaim, mounted at `mount_path` (by default `/mnt/{name}`).

    Raises: ConfigurationError with every fault.
    """

    name: str
    claim_name: str
    read_only: bool = False
    mount_path: str = ""

    def __post_init__(self) -> None:
        raise_faults("the volume is not valid", volume_faults(self))


class EphemeralVolume(msgspec.Struct, frozen=True, kw_only=True, tag="ephemeral"):
    """Scratch space that ends with the worker. `size_limit` in bytes, or None.

    `in_memory`: it is a tmpfs, and counts as the worker's memory.

    Raises: ConfigurationError with every fault.
    """

    name: str
    size_limit: int | None = None
    in_memory: bool = False
    mount_path: str = ""

    def __post_init__(self) -> None:
        raise_faults("the volume is not valid", volume_faults(self))


class HostPathVolume(msgspec.Struct, frozen=True, kw_only=True, tag="host_path"):
    """A folder of the node. The restricted and the baseline profile refuse it.

    Raises: ConfigurationError with every fault.
    """

    name: str
    path: str
    read_only: bool = False
    mount_path: str = ""

    def __post_init__(self) -> None:
        raise_faults("the volume is not valid", volume_faults(self))


class EphemeralClaim(msgspec.Struct, frozen=True, kw_only=True, tag="ephemeral_claim"):
    """A claim that Kubernetes makes for the Pod and removes with it. `size` in bytes.

    `storage_class`: None for the cluster's default, "" for a volume that is there already and has none.
    `access_mode`: `ReadWriteOnce`, `ReadWriteOncePod`, `ReadWriteMany` or `ReadOnlyMany`.

    Raises: ConfigurationError with every fault.
    """

    name: str
    size: int
    storage_class: str | None = None
    access_mode: str = "ReadWriteOnce"
    mount_path: str = ""

    def __post_init__(self) -> None:
        raise_faults("the volume is not valid", volume_faults(self))


class WorkerClaim(msgspec.Struct, frozen=True, kw_only=True, tag="worker_claim"):
    """A claim that is made for the worker, and removed with it. Unlike an `EphemeralClaim` it is there before its Pod
    can be scheduled, carries the worker's labels, and what forbids it fails the creation.

    The fields are those of `EphemeralClaim`. Raises: ConfigurationError with every fault.
    """

    name: str
    size: int
    storage_class: str | None = None
    access_mode: str = "ReadWriteOnce"
    mount_path: str = ""

    def __post_init__(self) -> None:
        raise_faults("the volume is not valid", volume_faults(self))


class ConfigMapVolume(msgspec.Struct, frozen=True, kw_only=True, tag="config_map"):
    """The keys of a ConfigMap as files. `items`: only these keys, each with its path below the mount.

    `mode`: of the files, as 0o440; None for 0o644. `optional`: a ConfigMap that is not there is an empty folder.

    Raises: ConfigurationError with every fault.
    """

    name: str
    config_map: str
    items: dict[str, str] = {}
    mode: int | None = None
    optional: bool = False
    mount_path: str = ""

    def __post_init__(self) -> None:
        raise_faults("the volume is not valid", volume_faults(self))
        msgspec.structs.force_setattr(self, "items", dict(self.items))


class SecretVolume(msgspec.Struct, frozen=True, kw_only=True, tag="secret"):
    """The keys of a Secret as files; the fields are those of `ConfigMapVolume`.

    Raises: ConfigurationError with every fault.
    """

    name: str
    secret: str
    items: dict[str, str] = {}
    mode: int | None = None
    optional: bool = False
    mount_path: str = ""

    def __post_init__(self) -> None:
        raise_faults("the volume is not valid", volume_faults(self))
        msgspec.structs.force_setattr(self, "items", dict(self.items))


VolumeSpec = (
    PersistentVolume
    | EphemeralVolume
    | HostPathVolume
    | EphemeralClaim
    | WorkerClaim
    | ConfigMapVolume
    | SecretVolume
    | ProjectedVolume
)
_VOLUME: Final = instance(VolumeSpec, "a volume")  # type: ignore[arg-type]


def mounted_at(volume: VolumeSpec) -> str:
    """The path in the container."""
    return volume.mount_path or f"/mnt/{volume.name}"


def volume_paths(volumes: object) -> dict[str, str]:
    """The paths of what are volumes, by name."""
    given = volumes if isinstance(volumes, Sequence) else ()
    return {volume.name: mounted_at(volume) for volume in given if _VOLUME(volume) is None}


def volumes_faults(field: str, volumes: object) -> list[Fault]:
    """What is wrong with a worker's volumes together: each has a name and a path of its own."""
    found = sequence_faults(field, volumes, _VOLUME)
    if found or not isinstance(volumes, Sequence):
        return found
    return _repeated(field, "name", [v.name for v in volumes]) + _repeated(
        field, "mount_path", list(map(mounted_at, volumes))
    )


def _repeated(field: str, part: str, values: list[str]) -> list[Fault]:
    repeated = (index for index, value in enumerate(values) if value in values[:index])
    return [
        Fault(f"{item(field, index)}.{part}", f"{values[index]!r} is taken by another volume") for index in repeated
    ]
