"""What a failed create means for the other clusters."""

from __future__ import annotations

import pytest

from hodei_k8s_core import errors
from hodei_k8s_core.api_status import Status
from hodei_k8s_core.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    Fault,
    OutcomeUnknown,
    PermissionDenied,
    ProviderError,
    ProvisioningFailed,
    ProvisioningTimeout,
    ResourceLimitExceeded,
    TransportError,
    WorkerAlreadyExists,
)
from hodei_k8s_core.operations.failures import error_of_create
from hodei_k8s_core.provisioning.failover import (
    is_clusters_fault,
    is_retryable_elsewhere,
    is_verdict_against_cluster,
    pins_worker,
    verdict_allows_elsewhere,
)
from hodei_k8s_core.verdict import Blame, Category, Verdict


def refused(code: int, reason: str, message: str = "") -> ProviderError:
    status = Status(code=code, reason=reason, message=message)
    return error_of_create(status, what="create", step="send", attempts=1)


def lost() -> TransportError:
    return TransportError(errors.TransportFault.REFUSED, errors.Delivery.NOT_SENT)


PIN, ELSEWHERE, FAULT = "pin", "elsewhere", "fault"
CASES = {
    "outcome unknown": (OutcomeUnknown("x"), {PIN, FAULT}),
    "exists": (WorkerAlreadyExists("x"), {PIN}),
    "not reachable": (error_of_create(lost(), what="w", step="s", attempts=1), {ELSEWHERE, FAULT}),
    "connection": (ConnectionFailed("x"), {ELSEWHERE, FAULT}),
    "too slow": (ProvisioningTimeout("x"), {ELSEWHERE, FAULT}),
    "unauthorized": (refused(401, "Unauthorized"), {ELSEWHERE, FAULT}),
    "no credentials": (AuthenticationFailed("x"), {ELSEWHERE, FAULT}),
    "forbidden": (refused(403, "Forbidden", "pods is forbidden: User x"), {ELSEWHERE}),
    "forbidden, bare": (PermissionDenied("x"), {ELSEWHERE}),
    "quota": (refused(403, "Forbidden", "pods x is forbidden: exceeded quota: q"), {ELSEWHERE}),
    "quota, bare": (ResourceLimitExceeded("x"), {ELSEWHERE}),
    "webhook down": (refused(500, "InternalError", "failed calling webhook x"), {ELSEWHERE, FAULT}),
    "server error": (refused(500, "InternalError", "etcd"), {ELSEWHERE, FAULT}),
    "invalid image": (ProvisioningFailed("x", verdict=None), set()),
    "namespace": (ConfigurationError("x", [Fault("namespace", "is missing")]), {ELSEWHERE}),
    "spec": (ConfigurationError("x", [Fault("spec.image", "is wrong")]), set()),
}


@pytest.mark.parametrize("name", CASES)
def test_what_an_error_means(name: str) -> None:
    error, wanted = CASES[name]
    found = {PIN: pins_worker(error), ELSEWHERE: is_retryable_elsewhere(error), FAULT: is_clusters_fault(error)}
    assert {meaning for meaning, holds in found.items() if holds} == wanted


def test_what_may_exist_here_is_never_made_elsewhere() -> None:
    for error in (OutcomeUnknown, WorkerAlreadyExists):
        known = Verdict(category=Category.EVICTED, blame=Blame.PLATFORM, terminal=True, retryable=True, summary="")
        assert not is_retryable_elsewhere(error("x", verdict=known))


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("blame", Blame)
def test_the_trouble_of_a_worker(category: Category, blame: Blame) -> None:
    verdict = Verdict(category=category, blame=blame, terminal=True, retryable=True, summary="")
    if is_verdict_against_cluster(verdict):
        assert verdict_allows_elsewhere(verdict)
    if blame in (Blame.IMAGE, Blame.WORKER) and category in (Category.IMAGE_UNAVAILABLE, Category.EXITED):
        assert not verdict_allows_elsewhere(verdict)
