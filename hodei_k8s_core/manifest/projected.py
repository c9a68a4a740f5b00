"""A projected volume: one source after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hodei_k8s_core.manifest.given import given
from hodei_k8s_core.spec.projected_volume import (
    DownwardFile,
    ProjectedConfigMap,
    ProjectedSource,
    ProjectedVolume,
    ServiceAccountToken,
)
from hodei_k8s_core.worker import WORKER_CONTAINER


def projected(volume: ProjectedVolume) -> dict[str, Any]:
    """`projected` of the volume."""
    mode = {} if volume.mode is None else {"defaultMode": volume.mode}
    return {"sources": [_source(source) for source in volume.sources]} | mode


def items(paths: Mapping[str, str]) -> list[dict[str, str]]:
    """Which keys become which files; none is all."""
    return [{"key": key, "path": path} for key, path in paths.items()]


def _source(source: ProjectedSource) -> dict[str, Any]:
    if isinstance(source, DownwardFile):
        return {"downwardAPI": {"items": [_downward(source)]}}
    if isinstance(source, ServiceAccountToken):
        lifetime = {"path": source.path, "expirationSeconds": source.expiration_seconds}
        return {"serviceAccountToken": lifetime | given({"audience": source.audience})}
    files = given({"items": items(source.items), "optional": source.optional})
    if isinstance(source, ProjectedConfigMap):
        return {"configMap": {"name": source.config_map} | files}
    return {"secret": {"name": source.secret} | files}


def _downward(file: DownwardFile) -> dict[str, Any]:
    if file.is_resource:
        return {"path": file.path, "resourceFieldRef": {"containerName": WORKER_CONTAINER, "resource": file.field}}
    return {"path": file.path, "fieldRef": {"fieldPath": file.field}}
