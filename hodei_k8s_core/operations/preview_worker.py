"""Ask the API server what it would make of a worker, and store nothing."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.kubernetes_json import decode_object
from hodei_k8s_core.manifest import encode_worker_pod
from hodei_k8s_core.names import pod_name
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.operations.deadline import with_deadline
from hodei_k8s_core.requests import dry_run_pod
from hodei_k8s_core.spec.worker_spec import WorkerSpec

_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])


def preview_worker(config: KubernetesConfig, spec: WorkerSpec) -> Operation[dict[str, Any]]:
    """The Pod that the API server would store: with its defaults, and with what admission makes of it (a dry run).

    The dict holds the worker's environment with its OTP: it must not be logged.

    Raises: ConfigurationError, and what the server would refuse a create with: WorkerAlreadyExists, ProvisioningFailed,
    ResourceLimitExceeded, PermissionDenied; ConnectionFailed, AuthenticationFailed, Timeout.
    """
    what = f"try the Pod {pod_name(spec.worker_id)}"
    request = dry_run_pod(config.namespace, encode_worker_pod(spec, config))
    response = yield from with_deadline(call(request, config, what), config.operation_timeout, what=what)
    return decode_object(_OBJECT, response.body, ("Pod",))
