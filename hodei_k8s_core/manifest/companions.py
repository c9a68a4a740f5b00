"""The objects that a worker has beside its Pod, ready for JSON, once the Pod that owns them is there."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final

from hodei_k8s_core.companions import (
    OTP_KEY,
    Companion,
    listed_companions,
    otp_secret_of,
    worker_claims,
    written_companions,
)
from hodei_k8s_core.errors import WorkerAlreadyExists
from hodei_k8s_core.labels import APP, MANAGED, PROVIDER_ID, WORKER_ID
from hodei_k8s_core.manifest.volumes import claim_spec
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.secret import Secret
from hodei_k8s_core.spec.worker_spec import WorkerSpec

_COPIED_LABELS: Final = (APP, WORKER_ID, MANAGED, PROVIDER_ID)


def companion_manifests(spec: WorkerSpec, pod: Pod) -> tuple[tuple[Companion, dict[str, Any]], ...]:
    """Everything that the Pod lists, to be created, owned by it. It holds the OTP: it must not be logged.

    The Pod decides, not the settings: it may be the work of an earlier call. Raises: WorkerAlreadyExists when the Pod
    lists what this spec does not have.
    """
    contents = _contents(spec, pod.creation_token)
    listed = listed_companions(pod)
    foreign = [companion for companion in listed if companion not in contents]
    if foreign:
        raise WorkerAlreadyExists(
            f"the Pod {pod.metadata.name} was made of another spec: it has {written_companions(tuple(foreign))}",
            mend="create it with the spec that it was made of, or destroy the worker by its id",
        )
    return tuple((companion, _owned(companion, pod) | contents[companion]) for companion in listed)


def _contents(spec: WorkerSpec, creation_token: str) -> dict[Companion, dict[str, Any]]:
    """All that a spec can have beside its Pod."""
    contents: dict[Companion, dict[str, Any]] = {
        claim: {"spec": claim_spec(volume)} for claim, volume in worker_claims(spec, creation_token)
    }
    if isinstance(spec.otp_token, Secret):
        data = {OTP_KEY: b64encode(spec.otp_token.reveal().encode()).decode()}
        contents[otp_secret_of(spec, creation_token)] = {"type": "Opaque", "immutable": True, "data": data}
    return contents


def _owned(companion: Companion, pod: Pod) -> dict[str, Any]:
    # Without blockOwnerDeletion: the permission to update a Pod's finalizers is not needed
    # (plugin/pkg/admission/gc: OwnerReferencesPermissionEnforcement).
    owner = {"apiVersion": "v1", "kind": "Pod", "name": pod.metadata.name, "uid": pod.metadata.uid}
    metadata = {
        "name": companion.name,
        "labels": {key: pod.metadata.labels[key] for key in _COPIED_LABELS if key in pod.metadata.labels},
        "ownerReferences": [owner | {"controller": False, "blockOwnerDeletion": False}],
    }
    return {"apiVersion": "v1", "kind": companion.kind, "metadata": metadata}
