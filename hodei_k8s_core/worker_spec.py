"""What a worker is asked to be: `WorkerSpec` and its parts, validated when they are made.

Every fault is reported at once, each with its field, as `ConfigurationError`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

import msgspec

from hodei_k8s_core.secret import Secret


class Architecture(enum.Enum):
    """A node's processor, by the label `kubernetes.io/arch`."""

    AMD64 = "amd64"
    ARM64 = "arm64"
    ARM = "arm"


class ResourceRequirements(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker needs. Cores as float, sizes in bytes; `gpu_type` is a vendor resource or a product, or None."""

    cpu_cores: float = 1.0
    memory_bytes: int = 512 * 1024**2
    disk_bytes: int = 1024**3
    gpu_count: int = 0
    gpu_type: str | None = None


class PersistentVolume(msgspec.Struct, frozen=True, kw_only=True, tag="persistent"):
    """An existing PersistentVolumeClaim, mounted at `mount_path` (by default `/mnt/{name}`)."""

    name: str
    claim_name: str
    read_only: bool = False
    mount_path: str = ""


class EphemeralVolume(msgspec.Struct, frozen=True, kw_only=True, tag="ephemeral"):
    """Scratch space that ends with the worker. `size_limit` in bytes, or None."""

    name: str
    size_limit: int | None = None
    mount_path: str = ""


class HostPathVolume(msgspec.Struct, frozen=True, kw_only=True, tag="host_path"):
    """A folder of the node. The restricted and the baseline profile refuse it."""

    name: str
    path: str
    read_only: bool = False
    mount_path: str = ""


VolumeSpec = PersistentVolume | EphemeralVolume | HostPathVolume


class WorkerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is asked to be. Times in seconds.

    `otp_token` may be given as a str and is kept as a `Secret`. `resources` None means the configured defaults.
    `command` and `args` replace the image's own (as in a Pod). `security_profile`, `run_as_user` ... None means the
    configured one.
    """

    worker_id: str
    image: str
    server_address: str = ""
    resources: ResourceRequirements | None = None
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    environment: Mapping[str, str] = {}
    otp_token: Secret | str | None = None
    max_lifetime: float = 3600.0
    idle_timeout: float = 300.0
    architecture: Architecture | None = None
    required_capabilities: Sequence[str] = ()
    volumes: Sequence[VolumeSpec] = ()
    ttl_after_completion: float | None = None
    command: Sequence[str] = ()
    args: Sequence[str] = ()
