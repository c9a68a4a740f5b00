"""Whether the provider can do its work, by two requests that are not repeated: it must answer soon."""

from __future__ import annotations

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Monotonic, Operation
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Request
from hodei_k8s_core.labels import managed_selector
from hodei_k8s_core.operations.calls import exchange
from hodei_k8s_core.operations.failures import error_for
from hodei_k8s_core.requests import get_namespace, list_pods
from hodei_k8s_core.worker import Health, HealthStatus

SLOW = 2.0
"""Seconds; an API server that takes longer for one Pod of a list is in trouble."""
HEALTH_TIMEOUT = 10.0
"""Seconds for each of the two requests."""


def health_check(config: KubernetesConfig) -> Operation[HealthStatus]:
    """Healthy; degraded (slow, throttled, a permission is missing); or unhealthy (not reachable, credentials refused,
    the namespace does not exist). Never raises for what it finds.
    """
    timeout = min(HEALTH_TIMEOUT, config.request_timeout)
    selector = managed_selector(config.provider_id)
    pods = list_pods(config.namespace, label_selector=selector, limit=1)
    listed, latency = yield from _probe(pods, timeout)
    found = _verdict(listed, f"list the workers in {config.namespace}")
    if found is not None and found.health is Health.UNHEALTHY:
        return found
    # A list in a namespace that does not exist is empty, not refused.
    namespace, namespace_latency = yield from _probe(get_namespace(config.namespace), timeout)
    if isinstance(namespace, Status) and namespace.is_not_found:
        reason = f"the namespace {config.namespace} does not exist; create it (--create-namespace) or set another one"
        return HealthStatus(Health.UNHEALTHY, reason)
    latency = max(latency, namespace_latency)
    if found is None and not (isinstance(namespace, Status) and namespace.is_forbidden):  # nobody needs to read it
        found = _verdict(namespace, f"read the namespace {config.namespace}")
    if found is not None:
        return HealthStatus(Health.DEGRADED, found.reason, latency)
    if latency > SLOW:
        return HealthStatus(Health.DEGRADED, f"the API server is slow: {latency:.1f} s for a small request", latency)
    return HealthStatus(Health.HEALTHY, "", latency)


def _probe(request: Request, timeout: float) -> Operation[tuple[object, float]]:
    began = yield from Monotonic()
    outcome = yield from exchange(request, timeout)
    return outcome, (yield from Monotonic()) - began


def _verdict(outcome: object, what: str) -> HealthStatus | None:
    """What a failed probe means; None for a success."""
    if isinstance(outcome, TransportError):
        return HealthStatus(Health.UNHEALTHY, str(error_for(outcome, what=what)))
    if isinstance(outcome, Status):
        passing = outcome.is_forbidden or outcome.is_throttled
        health = Health.DEGRADED if passing else Health.UNHEALTHY
        return HealthStatus(health, str(error_for(outcome, what=what)))
    return None
