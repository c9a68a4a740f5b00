"""What failed, in the words of the caller: a `Status` or a `TransportError` becomes one of the domain's errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.connection_mends import MENDS
from hodei_k8s_core.diagnosis import verdict_of_refusal
from hodei_k8s_core.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    PermissionDenied,
    ProviderError,
    ProviderSpecific,
    ProvisioningFailed,
    ResourceLimitExceeded,
    TransportError,
    TransportFault,
    WorkerAlreadyExists,
    WorkerNotFound,
)
from hodei_k8s_core.retry import Failure

_RULES: tuple[tuple[Callable[[Status], bool], type[ProviderError], str, str], ...] = (
    (
        lambda s: s.is_unauthorized,
        AuthenticationFailed,
        "the API server does not accept the credentials",
        "look at the user of the kubeconfig's context, or at the service account's token",
    ),
    (
        lambda s: s.is_quota_exceeded,
        ResourceLimitExceeded,
        "a quota of the namespace is used up",
        "wait until workers end, or raise the ResourceQuota",
    ),
    (
        lambda s: s.is_admission_denied,
        ProvisioningFailed,
        "the cluster's admission refused the request",
        "",
    ),
    (
        lambda s: s.is_forbidden,
        PermissionDenied,
        "the credentials are not permitted to do this",
        "grant the permission that the server names, with a Role and a RoleBinding in the namespace",
    ),
    (
        # Every refusal of the API server is a Status with a reason.
        lambda s: not s.reason and not s.is_retryable,
        ProviderSpecific,
        "what answers there is no Kubernetes API server",
        "check host, port and path of the cluster's `server`, and what stands between (a login page, a gateway)",
    ),
    (
        lambda s: s.is_namespace_missing,
        ConfigurationError,
        "the namespace does not exist",
        "create it (on the command line: --create-namespace), or set another one",
    ),
    (lambda s: s.is_not_found, WorkerNotFound, "there is no such Pod", ""),
    (lambda s: s.is_already_exists, WorkerAlreadyExists, "the name is taken", ""),
    (lambda s: s.is_invalid, ProvisioningFailed, "the API server finds the request invalid", ""),
    (lambda s: s.is_retryable, ProviderSpecific, "the API server could not answer", ""),
)


def error_for(failure: Failure, *, what: str, step: str = "", attempts: int = 1) -> ProviderError:
    """The error that says: `what` was wanted, this stood in the way, so often it was tried."""
    known: dict[str, Any] = {"step": step, "attempts": attempts}
    if isinstance(failure, TransportError):
        known["mend"] = MENDS[failure.fault]
        if failure.fault is TransportFault.CREDENTIALS:
            return AuthenticationFailed(f"{what}: there are no usable credentials", failure=failure, **known)
        return ConnectionFailed(f"{what}: the API server could not be reached", failure=failure, **known)
    for applies, kind, summary, mend in _RULES:
        if applies(failure):
            return kind(f"{what}: {summary}", status=failure, mend=mend, retryable=_retryable(failure, kind), **known)
    return ProviderSpecific(f"{what}: the API server refused the request", status=failure, **known)


def error_of_create(failure: Failure, *, what: str, step: str, attempts: int) -> ProviderError:
    """As `error_for`, for a create: with the verdict on the worker that was to be, where the server gave an answer."""
    error = error_for(failure, what=what, step=step, attempts=attempts)
    if isinstance(failure, Status):
        error.verdict = verdict_of_refusal(failure)
    return error


def _retryable(status: Status, kind: type[ProviderError]) -> bool:
    return status.is_retryable or kind.default_retryable
