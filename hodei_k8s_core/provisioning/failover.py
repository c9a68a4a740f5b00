"""What a failed create means for the other clusters: is it this one's fault, and may the worker be made elsewhere?

Elsewhere only when no Pod is known, or feared, to exist here: every error of a create but `OutcomeUnknown` and
`WorkerAlreadyExists` says so.
"""

from __future__ import annotations

from typing import Final

from hodei_k8s_core.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    Internal,
    OutcomeUnknown,
    PermissionDenied,
    ProviderClosed,
    ProviderError,
    ProviderSpecific,
    ProvisioningTimeout,
    ResourceLimitExceeded,
    Timeout,
    UnsupportedOperation,
    WorkerAlreadyExists,
)
from hodei_k8s_core.verdict import Blame, Category, Verdict

_HERE_ALONE: Final[tuple[type[ProviderError], ...]] = (
    AuthenticationFailed,
    ConnectionFailed,
    Internal,
    ProviderClosed,
    ProviderSpecific,
    ProvisioningTimeout,
    ResourceLimitExceeded,
    Timeout,
    UnsupportedOperation,
)
"""Failures of this cluster, or of our access to it; another one need not have them."""
_PINNED: Final[tuple[type[ProviderError], ...]] = (OutcomeUnknown, WorkerAlreadyExists)
"""The worker is, or may be, here: making it elsewhere could make it twice."""
_ELSEWHERE: Final = frozenset(
    {
        Category.ADMISSION_DENIED,  # this cluster's webhooks and policies
        Category.CONFIG_INVALID,  # a service account, a Secret or a class that this cluster lacks
        Category.VOLUME_UNAVAILABLE,
        Category.UNSCHEDULABLE,
        Category.QUOTA_EXCEEDED,
        Category.EVICTED,
        Category.PREEMPTED,
        Category.NODE_LOST,
        Category.NODE_REJECTED,
        Category.STARTUP_TIMEOUT,
    }
)
"""What a worker of the same spec need not meet in another cluster."""
_BROKEN_CLUSTER: Final[tuple[type[ProviderError], ...]] = (
    AuthenticationFailed,
    ConnectionFailed,
    Internal,
    OutcomeUnknown,
    ProvisioningTimeout,
    Timeout,
)
_BROKEN_NODES: Final = frozenset({Category.NODE_LOST, Category.NODE_REJECTED})


def pins_worker(error: ProviderError) -> bool:
    """The worker's id stays with this cluster until it is known that no Pod of it is there."""
    return isinstance(error, _PINNED)


def is_retryable_elsewhere(error: ProviderError) -> bool:
    """No worker was made here, and another cluster could do better."""
    if pins_worker(error):
        return False
    if error.verdict is not None:
        return verdict_allows_elsewhere(error.verdict)
    if isinstance(error, ConfigurationError):  # of the spec it would be refused everywhere
        return not any(fault.field.startswith("spec") for fault in error.faults)
    return isinstance(error, _HERE_ALONE)


def verdict_allows_elsewhere(verdict: Verdict) -> bool:
    """A worker of the same spec could come up in another cluster."""
    return verdict.category in _ELSEWHERE or is_verdict_against_cluster(verdict)


def is_clusters_fault(error: ProviderError) -> bool:
    """It counts against the cluster: its API or its nodes are in trouble, whatever is asked of it."""
    if isinstance(error, _BROKEN_CLUSTER):
        return not isinstance(error, PermissionDenied)
    return error.verdict is not None and is_verdict_against_cluster(error.verdict)


def is_verdict_against_cluster(verdict: Verdict) -> bool:
    """The trouble of a worker is the cluster's own. Full is not broken: capacity and quota do not count."""
    return verdict.category in _BROKEN_NODES or verdict.blame is Blame.PLATFORM
