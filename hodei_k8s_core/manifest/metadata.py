"""The labels and annotations of a worker's Pod: Hodei's own before the worker's, and those before the configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hodei_k8s_core.companions import companions_of, written_companions
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.labels import (
    APP,
    APP_NAME,
    COMPANIONS,
    CREATION_TOKEN,
    DO_NOT_DISRUPT,
    IDLE_TIMEOUT,
    MANAGED,
    PROVIDER_ID,
    SAFE_TO_EVICT,
    TTL_AFTER_COMPLETION,
    WORKER_ID,
    is_reserved,
)
from hodei_k8s_core.names import pod_name
from hodei_k8s_core.spec.worker_spec import WorkerSpec

_UNDISTURBED: Final = {SAFE_TO_EVICT: "false", DO_NOT_DISRUPT: "true"}


def pod_metadata(spec: WorkerSpec, config: KubernetesConfig, creation_token: str) -> dict[str, Any]:
    """`metadata` of the Pod."""
    return {
        "name": pod_name(spec.worker_id),
        "namespace": config.namespace,
        "labels": _labels(spec, config),
        "annotations": _annotations(spec, config, creation_token),
    }


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
    if companions := companions_of(spec, config, creation_token):
        managed[COMPANIONS] = written_companions(companions)
    undisturbed = _UNDISTURBED if config.protect_from_disruption else {}
    return undisturbed | _users({**config.annotations, **spec.annotations}) | managed


def _users(own: Mapping[str, str]) -> dict[str, str]:
    """Without what is Hodei's: config and spec refuse it, and this is the last place where it could slip through."""
    return {key: value for key, value in own.items() if not is_reserved(key)}


def _seconds(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
