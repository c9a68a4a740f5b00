"""What failed, in the domain's words: every kind of answer has its error, and each says whether to come again."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.api_status import Status, StatusCause
from hodei_k8s_core.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    Delivery,
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
from hodei_k8s_core.operations.failures import error_for, error_of_create

RBAC = 'pods is forbidden: User "ci" cannot create resource "pods" in API group "" in the namespace "hodei-workers"'
QUOTA = 'pods "hodei-worker-a" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
PSA = 'pods "hodei-worker-a" is forbidden: violates PodSecurity "restricted:latest": privileged (container "worker"'
WEBHOOK = 'admission webhook "guard.example" denied the request: no'

TABLE: list[tuple[Status, type[ProviderError], bool]] = [
    (Status(401, "Unauthorized", "Unauthorized"), AuthenticationFailed, False),
    (Status(403, "Forbidden", RBAC, "pods"), PermissionDenied, False),
    (Status(403, "Forbidden", QUOTA, "pods"), ResourceLimitExceeded, True),
    (Status(403, "Forbidden", PSA, "pods"), ProvisioningFailed, False),
    (Status(400, "", WEBHOOK), ProvisioningFailed, False),
    (Status(404, "NotFound", 'namespaces "x" not found', "namespaces"), ConfigurationError, False),
    (Status(404, "NotFound", 'pods "x" not found', "pods"), WorkerNotFound, False),
    (Status(404, "", "the reply is a page (text/html)"), ProviderSpecific, False),
    (Status(409, "AlreadyExists", 'pods "x" already exists', "pods"), WorkerAlreadyExists, False),
    (Status(409, "Conflict", "the object has been modified", "pods"), ProviderSpecific, False),
    (Status(410, "Expired", "too old"), ProviderSpecific, False),
    (Status(422, "Invalid", "is invalid", causes=(StatusCause("spec.x"),)), ProvisioningFailed, False),
    (Status(429, "TooManyRequests", "busy"), ProviderSpecific, True),
    (Status(500, "InternalError", "no leader"), ProviderSpecific, True),
    (Status(502, "", "the reply is a page (text/html)"), ProviderSpecific, True),
    (Status(504, "Timeout", "slow"), ProviderSpecific, True),
]


@pytest.mark.parametrize(("status", "kind", "retryable"), TABLE, ids=lambda value: str(value)[:40])
def test_an_answer_has_its_error(status: Status, kind: type[ProviderError], retryable: bool) -> None:
    error = error_for(status, what="create the Pod x", step="send the Pod", attempts=2)
    assert type(error) is kind
    assert error.retryable is retryable
    assert (error.status, error.step, error.attempts) == (status, "send the Pod", 2)
    assert str(error).startswith("create the Pod x: ")
    assert status.message in str(error)
    assert "tried 2 times" in str(error)


@pytest.mark.parametrize("fault", [fault for fault in TransportFault if fault is not TransportFault.CREDENTIALS])
def test_a_transport_that_failed_is_a_connection_that_failed(fault: TransportFault) -> None:
    failure = TransportError(fault, Delivery.NOT_SENT, "what the socket said")
    error = error_for(failure, what="read the Pod x")
    assert type(error) is ConnectionFailed
    assert error.failure is failure
    assert error.retryable
    assert "what the socket said" in str(error)


def test_credentials_that_cannot_be_had_are_no_connection_that_failed() -> None:
    failure = TransportError(TransportFault.CREDENTIALS, Delivery.NOT_SENT, "the plugin aws ended with 1")
    error = error_for(failure, what="read the Pod x")
    assert type(error) is AuthenticationFailed
    assert "the plugin aws ended with 1" in str(error)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (TABLE[0][0], "token"),
        (TABLE[1][0], "RoleBinding"),
        (TABLE[2][0], "ResourceQuota"),
        (TABLE[5][0], "--create-namespace"),
    ],
)
def test_what_people_can_mend_says_how(status: Status, word: str) -> None:
    assert word in error_for(status, what="x").mend


def test_a_refused_creation_has_a_verdict_where_the_server_answered() -> None:
    answered: Any = error_of_create(TABLE[2][0], what="create", step="send", attempts=1)
    assert answered.verdict is not None
    failure = TransportError(TransportFault.REFUSED, Delivery.NOT_SENT)
    assert error_of_create(failure, what="create", step="send", attempts=1).verdict is None
