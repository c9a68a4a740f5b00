"""WorkerSpec + configuration -> the Pod to create, ready for JSON.

A pure function of its arguments: the same ones give the same bytes, so that a create can be repeated as it was.
"""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from hodei_k8s_core.companions import GATE, companion_stem, companions_of
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import Fault
from hodei_k8s_core.manifest.containers import sidecar_container, worker_container
from hodei_k8s_core.manifest.given import given
from hodei_k8s_core.manifest.host_names import host_names
from hodei_k8s_core.manifest.metadata import pod_metadata
from hodei_k8s_core.manifest.onto_template import onto_template
from hodei_k8s_core.manifest.placement import placement
from hodei_k8s_core.manifest.security import pod_security
from hodei_k8s_core.manifest.volumes import pod_volume
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.validation import raise_faults

_NO_IMAGE: Final = Fault("spec.image", "must not be empty where the configuration names no image")
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def build_worker_pod(spec: WorkerSpec, config: KubernetesConfig, *, creation_token: str = "") -> dict[str, Any]:
    """The Pod of a worker. `creation_token` marks it as the work of one create, for a later one to adopt.

    The dict is the caller's own, and holds the worker's environment with its OTP: it must not be logged.

    Raises: ConfigurationError for what the spec and the configuration allow only apart (root under the profile
        restricted, a DNS policy without a name server), or that does not fit onto the template.
    """
    config = config.with_profile(spec.profile)
    raise_faults("the worker cannot be made", [] if spec.image or config.image else [_NO_IMAGE])
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": pod_metadata(spec, config, creation_token),
        "spec": _pod_spec(spec, config, creation_token),
    }
    return pod if config.pod_template is None else onto_template(pod, config.pod_template, spec, config)


def encode_worker_pod(spec: WorkerSpec, config: KubernetesConfig, *, creation_token: str = "") -> bytes:
    """As `build_worker_pod`, as JSON. Raises: ConfigurationError."""
    return _ENCODER.encode(build_worker_pod(spec, config, creation_token=creation_token))


def _pod_spec(spec: WorkerSpec, config: KubernetesConfig, creation_token: str) -> dict[str, Any]:
    security = pod_security(spec, config)
    required: dict[str, Any] = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": math.ceil(spec.max_lifetime),
        "terminationGracePeriodSeconds": math.ceil(config.grace_period),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [worker_container(spec, config, creation_token, security.container)],
    }
    wanted = {
        "schedulingGates": [{"name": GATE}] if companions_of(spec, config, creation_token) else None,
        "serviceAccountName": config.service_account,
        "securityContext": security.pod,
        "imagePullSecrets": [{"name": name} for name in config.image_pull_secrets],
        "initContainers": [sidecar_container(sidecar, spec, config, security.container) for sidecar in spec.sidecars],
        "volumes": [pod_volume(volume, companion_stem(spec, creation_token)) for volume in spec.volumes],
        **placement(spec, config),
        **host_names(spec, config),
    }
    return required | given(wanted)
