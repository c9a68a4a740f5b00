"""The containers of a worker's Pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.manifest.environment import environment
from hodei_k8s_core.manifest.expansion import escape_expansion
from hodei_k8s_core.manifest.given import given
from hodei_k8s_core.manifest.resources import container_resources
from hodei_k8s_core.manifest.volumes import volume_mount
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.worker import WORKER_CONTAINER


def worker_container(spec: WorkerSpec, config: KubernetesConfig, security: Mapping[str, Any]) -> dict[str, Any]:
    """The container that is the worker; `security` is its `securityContext`."""
    probe = spec.readiness_probe or config.readiness_probe
    required = {
        "name": WORKER_CONTAINER,
        "image": spec.image,
        "env": environment(spec),
        "resources": container_resources(spec.resources, config),
    }
    wanted = {
        "imagePullPolicy": spec.image_pull_policy,
        "command": [escape_expansion(word) for word in spec.command],
        "args": [escape_expansion(word) for word in spec.args],
        "volumeMounts": [volume_mount(volume) for volume in spec.volumes],
        "readinessProbe": probe.to_manifest() if probe is not None else None,
        "securityContext": security,
    }
    return required | given(wanted)
