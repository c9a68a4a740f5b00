"""WorkerSpec + configuration -> the Pod to create, ready for JSON.

A pure function of its arguments: the same ones give the same bytes, so that a create can be repeated as it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.expansion import escape_expansion
from hodei_k8s_core.labels import (
    APP,
    APP_NAME,
    CREATION_TOKEN,
    DO_NOT_DISRUPT,
    IDLE_TIMEOUT,
    MANAGED,
    NODE_ARCHITECTURE,
    PROVIDER_ID,
    SAFE_TO_EVICT,
    TTL_AFTER_COMPLETION,
    WORKER_ID,
    capability_key,
    is_reserved,
)
from hodei_k8s_core.names import pod_name
from hodei_k8s_core.pod_resources import container_resources, gpu_node_selector
from hodei_k8s_core.pod_security import pod_security
from hodei_k8s_core.quantity import Quantity
from hodei_k8s_core.secret import Secret
from hodei_k8s_core.spec.volume_spec import EphemeralVolume, PersistentVolume, VolumeSpec, mounted_at
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.validation import copied_json
from hodei_k8s_core.worker import WORKER_CONTAINER

_UNDISTURBED: Final = {SAFE_TO_EVICT: "false", DO_NOT_DISRUPT: "true"}
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def build_worker_pod(spec: WorkerSpec, config: KubernetesConfig, *, creation_token: str = "") -> dict[str, Any]:
    """The Pod of a worker. `creation_token` marks it as the work of one create, for a later one to adopt.

    The dict is the caller's own, and holds the worker's environment with its OTP: it must not be logged.

    Raises: ConfigurationError for what the spec and the configuration allow only apart (root, restricted).
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod_name(spec.worker_id),
            "namespace": config.namespace,
            "labels": _labels(spec, config),
            "annotations": _annotations(spec, config, creation_token),
        },
        "spec": _pod_spec(spec, config),
    }


def encode_worker_pod(spec: WorkerSpec, config: KubernetesConfig, *, creation_token: str = "") -> bytes:
    """As `build_worker_pod`, as JSON. Raises: ConfigurationError."""
    return _ENCODER.encode(build_worker_pod(spec, config, creation_token=creation_token))


def _labels(spec: WorkerSpec, config: KubernetesConfig) -> dict[str, str]:
    return _users({**config.labels, **spec.labels}) | {
        APP: APP_NAME,
        WORKER_ID: spec.worker_id,
        MANAGED: "true",
        PROVIDER_ID: config.provider_id,
    }


def _annotations(spec: WorkerSpec, config: KubernetesConfig, creation_token: str) -> dict[str, str]:
    kept = spec.ttl_after_completion
    managed = {
        IDLE_TIMEOUT: _seconds(spec.idle_timeout),
        TTL_AFTER_COMPLETION: _seconds(config.ttl_seconds_after_finished if kept is None else kept),
    }
    if creation_token:
        managed[CREATION_TOKEN] = creation_token
    undisturbed = _UNDISTURBED if config.protect_from_disruption else {}
    return undisturbed | _users({**config.annotations, **spec.annotations}) | managed


def _users(own: Mapping[str, str]) -> dict[str, str]:
    """Without what is Hodei's: config and spec refuse it, and this is the last place where it could slip through."""
    return {key: value for key, value in own.items() if not is_reserved(key)}


def _seconds(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _pod_spec(spec: WorkerSpec, config: KubernetesConfig) -> dict[str, Any]:
    security = pod_security(spec, config)
    required: dict[str, Any] = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": math.ceil(spec.max_lifetime),
        "terminationGracePeriodSeconds": math.ceil(config.grace_period),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [_container(spec, config, security.container)],
    }
    wanted = {
        "serviceAccountName": config.service_account,
        "securityContext": security.pod,
        "imagePullSecrets": [{"name": name} for name in config.image_pull_secrets],
        "nodeSelector": _node_selector(spec, config),
        "tolerations": [toleration.to_manifest() for toleration in config.tolerations],
        "affinity": copied_json(config.affinity) if config.affinity else None,
        "volumes": [_volume(volume) for volume in spec.volumes],
    }
    return required | _given(wanted)


def _container(spec: WorkerSpec, config: KubernetesConfig, security: Mapping[str, Any]) -> dict[str, Any]:
    probe = spec.readiness_probe or config.readiness_probe
    required = {
        "name": WORKER_CONTAINER,
        "image": spec.image,
        "env": _environment(spec),
        "resources": container_resources(spec.resources, config),
    }
    wanted = {
        "imagePullPolicy": spec.image_pull_policy,
        "command": [escape_expansion(word) for word in spec.command],
        "args": [escape_expansion(word) for word in spec.args],
        "volumeMounts": [_mount(volume) for volume in spec.volumes],
        "readinessProbe": probe.to_manifest() if probe is not None else None,
        "securityContext": security,
    }
    return required | _given(wanted)


def _environment(spec: WorkerSpec) -> list[dict[str, str]]:
    """Hodei's own variables first; a worker's variable of the same name does not replace them."""
    provided = {"HODEI_WORKER_ID": spec.worker_id, "HODEI_SERVER_ADDRESS": spec.server_address}
    if spec.otp_token:
        otp = spec.otp_token
        provided["HODEI_OTP_TOKEN"] = otp.reveal() if isinstance(otp, Secret) else otp
    provided["HODEI_WORKER_MODE"] = "ephemeral"
    values = {**provided, **spec.environment, **provided}
    return [{"name": name, "value": escape_expansion(value)} for name, value in values.items()]


def _node_selector(spec: WorkerSpec, config: KubernetesConfig) -> dict[str, str]:
    selector = {**config.node_selector, **gpu_node_selector(spec.resources)}
    if spec.architecture is not None:
        selector[NODE_ARCHITECTURE] = spec.architecture.value
    return selector | {capability_key(name): "true" for name in spec.required_capabilities}


def _volume(volume: VolumeSpec) -> dict[str, Any]:
    if isinstance(volume, PersistentVolume):
        return {
            "name": volume.name,
            "persistentVolumeClaim": {"claimName": volume.claim_name} | _given({"readOnly": volume.read_only}),
        }
    if isinstance(volume, EphemeralVolume):
        limit = volume.size_limit
        return {
            "name": volume.name,
            "emptyDir": {} if limit is None else {"sizeLimit": str(Quantity.from_bytes(limit))},
        }
    return {"name": volume.name, "hostPath": {"path": volume.path}}


def _mount(volume: VolumeSpec) -> dict[str, Any]:
    is_read_only = not isinstance(volume, EphemeralVolume) and volume.read_only
    return {"name": volume.name, "mountPath": mounted_at(volume)} | _given({"readOnly": is_read_only})


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty or False: absent says the same, and is what the API server stores."""
    return {name: value for name, value in fields.items() if value}
