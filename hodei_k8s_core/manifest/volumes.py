"""The volumes of a Pod, and where a container finds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hodei_k8s_core.manifest.given import given
from hodei_k8s_core.manifest.projected import items, projected
from hodei_k8s_core.names import worker_claim_name
from hodei_k8s_core.quantity import Quantity
from hodei_k8s_core.spec.projected_volume import ProjectedVolume
from hodei_k8s_core.spec.volume_spec import (
    ConfigMapVolume,
    EphemeralClaim,
    EphemeralVolume,
    HostPathVolume,
    PersistentVolume,
    SecretVolume,
    VolumeSpec,
    WorkerClaim,
    mounted_at,
)


def pod_volume(volume: VolumeSpec, stem: str) -> dict[str, Any]:
    """One of the Pod's `volumes`; `stem`: how the names of the worker's own claims begin."""
    return {"name": volume.name} | _SOURCES[type(volume)](volume, stem)


def volume_mount(volume: VolumeSpec, path: str = "") -> dict[str, Any]:
    """One of a container's `volumeMounts`; `path` "" is the volume's own."""
    is_read_only = getattr(volume, "read_only", False)
    return {"name": volume.name, "mountPath": path or mounted_at(volume)} | given({"readOnly": is_read_only})


def claim_spec(claim: EphemeralClaim | WorkerClaim) -> dict[str, Any]:
    """`spec` of the PersistentVolumeClaim that is made for a worker."""
    storage_class = claim.storage_class
    return {
        "accessModes": [claim.access_mode],
        "resources": {"requests": {"storage": str(Quantity.from_bytes(claim.size))}},
        # "" asks for a volume without a class; absent is the cluster's default.
    } | ({} if storage_class is None else {"storageClassName": storage_class})


def _persistent(volume: PersistentVolume, _: str) -> dict[str, Any]:
    return {"persistentVolumeClaim": {"claimName": volume.claim_name} | given({"readOnly": volume.read_only})}


def _ephemeral(volume: EphemeralVolume, _: str) -> dict[str, Any]:
    limit = volume.size_limit
    size = {} if limit is None else {"sizeLimit": str(Quantity.from_bytes(limit))}
    return {"emptyDir": given({"medium": "Memory" if volume.in_memory else ""}) | size}


def _host_path(volume: HostPathVolume, _: str) -> dict[str, Any]:
    return {"hostPath": {"path": volume.path}}


def _ephemeral_claim(volume: EphemeralClaim, _: str) -> dict[str, Any]:
    return {"ephemeral": {"volumeClaimTemplate": {"spec": claim_spec(volume)}}}


def _worker_claim(volume: WorkerClaim, stem: str) -> dict[str, Any]:
    return {"persistentVolumeClaim": {"claimName": worker_claim_name(stem, volume.name)}}


def _config_map(volume: ConfigMapVolume, _: str) -> dict[str, Any]:
    return {"configMap": {"name": volume.config_map} | _files(volume)}


def _secret(volume: SecretVolume, _: str) -> dict[str, Any]:
    return {"secret": {"secretName": volume.secret} | _files(volume)}


def _projected(volume: ProjectedVolume, _: str) -> dict[str, Any]:
    return {"projected": projected(volume)}


def _files(volume: ConfigMapVolume | SecretVolume) -> dict[str, Any]:
    mode = {} if volume.mode is None else {"defaultMode": volume.mode}
    return mode | given({"items": items(volume.items), "optional": volume.optional})


_SOURCES: Final[dict[type, Callable[[Any, str], dict[str, Any]]]] = {
    PersistentVolume: _persistent,
    EphemeralVolume: _ephemeral,
    HostPathVolume: _host_path,
    EphemeralClaim: _ephemeral_claim,
    WorkerClaim: _worker_claim,
    ConfigMapVolume: _config_map,
    SecretVolume: _secret,
    ProjectedVolume: _projected,
}
