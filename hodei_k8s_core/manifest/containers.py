"""The containers of a worker's Pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hodei_k8s_core.companions import otp_secret
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.manifest.environment import environment_source, variables, worker_environment
from hodei_k8s_core.manifest.expansion import escape_expansion
from hodei_k8s_core.manifest.given import given
from hodei_k8s_core.manifest.resources import container_resources
from hodei_k8s_core.manifest.volumes import volume_mount
from hodei_k8s_core.spec.sidecar import Sidecar
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.validation import copied_json
from hodei_k8s_core.worker import WORKER_CONTAINER


def worker_container(
    spec: WorkerSpec, config: KubernetesConfig, creation_token: str, security: Mapping[str, Any]
) -> dict[str, Any]:
    """The container that is the worker; `security` is its `securityContext`."""
    probe = spec.readiness_probe or config.readiness_probe
    required = {
        "name": WORKER_CONTAINER,
        "image": spec.image or config.image,
        "env": worker_environment(spec, otp_secret(spec, config, creation_token)),
        "resources": container_resources(spec.resources, config),
    }
    wanted = {
        "envFrom": [environment_source(source) for source in spec.environment_sources],
        "imagePullPolicy": spec.image_pull_policy,
        "command": [escape_expansion(word) for word in spec.command],
        "args": [escape_expansion(word) for word in spec.args],
        "volumeMounts": [volume_mount(volume) for volume in spec.volumes],
        "readinessProbe": probe.to_manifest() if probe is not None else None,
        "securityContext": security,
    }
    return required | given(wanted)


def sidecar_container(
    sidecar: Sidecar, spec: WorkerSpec, config: KubernetesConfig, security: Mapping[str, Any]
) -> dict[str, Any]:
    """A container beside the worker; `security` is what the worker's own `securityContext` is made of.

    An init container that is always restarted does not keep the Pod from ending, whatever the Pod's own
    `restartPolicy` (KEP-753).
    """
    volumes = {volume.name: volume for volume in spec.volumes}
    required = {
        "name": sidecar.name,
        "image": sidecar.image,
        "restartPolicy": "Always",
        "resources": container_resources(sidecar.resources, config),
    }
    ready, started = sidecar.readiness_probe, sidecar.startup_probe
    user = {} if sidecar.run_as_user is None else {"runAsUser": sidecar.run_as_user}
    wanted = {
        "env": variables(sidecar.environment, sidecar.environment_from),
        "command": [escape_expansion(word) for word in sidecar.command],
        "args": [escape_expansion(word) for word in sidecar.args],
        "volumeMounts": [volume_mount(volumes[name], path) for name, path in sidecar.mounts.items()],
        "readinessProbe": ready.to_manifest() if ready is not None else None,
        "startupProbe": started.to_manifest() if started is not None else None,
        "securityContext": {**{name: copied_json(part) for name, part in security.items()}, **user},
    }
    return required | given(wanted)
