"""What a service logs when it starts: which providers are on, where they connect, and how they are. No secret."""

from __future__ import annotations

import logging
from typing import Final

from hodei_k8s_core.access.target import Target
from hodei_k8s_core.worker import Health, HealthStatus

_log = logging.getLogger("hodei_k8s.service")
_LEVELS: Final = {Health.HEALTHY: logging.INFO}


def tell_none() -> None:
    """No provider is on."""
    _log.info("no provider is on: HODEI_K8S_ENABLED is not 1")


def tell_provider(
    provider_id: str, provider_type: str, namespace: str, target: Target | None, is_: HealthStatus
) -> None:
    """One provider."""
    where = "a channel of the host's" if target is None else str(target)
    health = f"{is_.health.value}{f' ({is_.reason})' if is_.reason else ''}"
    fields = {"provider_id": provider_id, "namespace": namespace, "server": target.server if target else ""}
    _log.log(
        _LEVELS.get(is_.health, logging.WARNING),
        "provider %s is on: %s, namespace %s, %s; %s",
        *(provider_id, provider_type, namespace, where, health),
        extra={"fields": {**fields, "health": is_.health.value, "reason": is_.reason}},
    )
