"""The volumes of a Pod, and where a container finds them."""

from __future__ import annotations

from typing import Any

from hodei_k8s_core.manifest.given import given
from hodei_k8s_core.quantity import Quantity
from hodei_k8s_core.spec.volume_spec import EphemeralVolume, PersistentVolume, VolumeSpec, mounted_at


def pod_volume(volume: VolumeSpec) -> dict[str, Any]:
    """One of the Pod's `volumes`."""
    if isinstance(volume, PersistentVolume):
        return {
            "name": volume.name,
            "persistentVolumeClaim": {"claimName": volume.claim_name} | given({"readOnly": volume.read_only}),
        }
    if isinstance(volume, EphemeralVolume):
        limit = volume.size_limit
        return {
            "name": volume.name,
            "emptyDir": {} if limit is None else {"sizeLimit": str(Quantity.from_bytes(limit))},
        }
    return {"name": volume.name, "hostPath": {"path": volume.path}}


def volume_mount(volume: VolumeSpec) -> dict[str, Any]:
    """One of a container's `volumeMounts`."""
    is_read_only = not isinstance(volume, EphemeralVolume) and volume.read_only
    return {"name": volume.name, "mountPath": mounted_at(volume)} | given({"readOnly": is_read_only})
