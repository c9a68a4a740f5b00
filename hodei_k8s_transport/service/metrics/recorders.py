"""Which observation counts where: one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from hodei_k8s_core import observations as seen
from hodei_k8s_core.errors import TransportFault
from hodei_k8s_core.reconcile.plan import ActionKind
from hodei_k8s_transport.service.metrics.instruments import Instruments

Recorder: TypeAlias = Callable[[Instruments, str, Any], None]
_REFUSALS: Final = frozenset({"401", "403", "408", "429"})
_FAULTS: Final = frozenset(fault.value for fault in TransportFault if fault is not TransportFault.INTERRUPTED)
"""Broken off by ourselves is nobody's error."""


def is_error(outcome: str) -> bool:
    """The API failed. That something is not there, or there already, or has changed, is an answer."""
    return outcome in _REFUSALS or outcome in _FAULTS or outcome.startswith("5")


def _exchange(made: Instruments, provider: str, told: seen.ApiExchange) -> None:
    made.count("api_requests_total", provider, told.verb, told.resource, told.outcome)
    made.time("api_request_duration_seconds", told.seconds, provider, told.verb)
    if is_error(told.outcome):
        made.count("api_errors_total", provider, told.verb, told.resource, told.outcome)


def _started(made: Instruments, provider: str, told: seen.PodStarted) -> None:
    made.time("pod_startup_duration_seconds", told.seconds, provider)
    for phase, seconds in told.phases.items():
        made.time("pod_phase_duration_seconds", seconds, provider, phase)


def _refreshed(made: Instruments, provider: str, told: seen.CredentialRefreshed) -> None:
    outcome = "succeeded" if told.succeeded else "failed"
    made.count("credential_refreshes_total", provider, told.source, outcome)
    if told.expires_at is not None:
        made.set("credential_expiry_timestamp_seconds", told.expires_at, provider)


def _planned(made: Instruments, provider: str, told: seen.ReconcilePlanned) -> None:
    for kind in ActionKind:
        made.set("reconcile_planned_actions", told.actions.get(kind.value, 0), provider, kind.value)
    made.set("reconcile_consent_needed", float(told.consent_needed), provider)


RECORDERS: Final[dict[type, Recorder]] = {
    seen.ApiExchange: _exchange,
    seen.RetryPlanned: lambda made, provider, told: made.count(
        "api_retries_total", provider, told.verb, told.resource, told.cause
    ),
    seen.PodCreated: lambda made, provider, _: made.count("pods_created_total", provider),
    seen.PodFailed: lambda made, provider, told: made.count("pods_failed_total", provider, "create", told.reason),
    seen.PodStarted: _started,
    seen.PodDestroyed: lambda made, provider, told: made.time("pod_destroy_duration_seconds", told.seconds, provider),
    seen.WatchReconnected: lambda made, provider, told: made.count("watch_reconnects_total", provider, told.cause),
    seen.LogReconnected: lambda made, provider, told: made.count("log_reconnects_total", provider, told.cause),
    seen.LogReceived: lambda made, provider, told: made.count("log_received_bytes_total", provider, amount=told.size),
    seen.LogGapMet: lambda made, provider, told: made.count("log_gaps_total", provider, told.reason),
    seen.CredentialRefreshed: _refreshed,
    seen.ReconcilePlanned: _planned,
    seen.ReconcileAction: lambda made, provider, told: made.count(
        "reconcile_actions_total", provider, told.kind, told.outcome
    ),
}
"""Of the others `StepStarted` is for spans; `VerdictMet` and `WatchHeard` need a memory, which `Metrics` has."""
