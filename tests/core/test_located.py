"""Errors that come of the way to the server say what was connected to."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.access.certificate import Certificate
from hodei_k8s_core.access.cluster_access import AccessOrigin, ClusterAccess
from hodei_k8s_core.access.target import Target, target_of
from hodei_k8s_core.api_status import Status
from hodei_k8s_core.effects import Monotonic, StopRequested, WallClock
from hodei_k8s_core.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    Delivery,
    PermissionDenied,
    ProviderError,
    ProvisioningFailed,
    Timeout,
    TransportError,
    TransportFault,
    WorkerNotFound,
)
from hodei_k8s_core.operations.failures import error_for
from hodei_k8s_core.operations.located import located
from hodei_k8s_core.secret import Secret
from tests.core.audits import Known

TARGET = Target("https://k8s.example", 'context "x" (/kube/config)')
WHERE = str(TARGET)
REFUSED = TransportError(TransportFault.REFUSED, Delivery.NOT_SENT, "connecting")


def raising(error: Exception) -> Any:
    yield Monotonic()
    raise error


def raised_by(operation: Any) -> BaseException:
    operation.send(None)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever it is
        operation.send(0.0)
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        ConnectionFailed("x"),
        AuthenticationFailed("x"),
        PermissionDenied("x"),
        Timeout("x", failure=REFUSED),
        ProviderError("x", status=Status(404, "NotFound", kind="namespaces")),
        ProviderError("x", status=Status(404)),
    ],
    ids=repr,
)
def test_an_error_about_the_way_is_located(error: ProviderError) -> None:
    assert raised_by(located(raising(error), TARGET)) is error
    assert error.target == WHERE
    assert f"connecting to: {WHERE}" in str(error)


@pytest.mark.parametrize(
    "error",
    [
        WorkerNotFound("x", status=Status(404, "NotFound", kind="pods")),
        ProvisioningFailed("x", status=Status(403, "Forbidden", "exceeded quota")),
        ProviderError("x"),
    ],
    ids=repr,
)
def test_another_is_not(error: ProviderError) -> None:
    raised_by(located(raising(error), TARGET))
    assert error.target == ""
    assert "connecting to" not in str(error)


def test_the_operation_runs_as_it_is() -> None:
    def operation() -> Any:
        try:
            now = yield from Monotonic()
        except StopRequested:
            now = yield from Monotonic()
        return now + 1

    running = located(operation(), TARGET)
    assert running.send(None) == Monotonic()
    assert running.throw(StopRequested()) == Monotonic()
    with pytest.raises(StopIteration) as ended:
        running.send(1.0)
    assert ended.value.value == 2.0


@pytest.mark.parametrize(
    ("error", "expires_at", "mended"),
    [
        (AuthenticationFailed("x", status=Status(401, "Unauthorized")), 0.0, True),
        (ConnectionFailed("x", failure=TransportError(TransportFault.TLS, Delivery.NOT_SENT)), 0.0, True),
        (AuthenticationFailed("x", status=Status(401, "Unauthorized")), 2.0, False),
        (ConnectionFailed("x", failure=REFUSED), 0.0, False),
    ],
)
def test_a_refusal_names_the_certificate_that_has_expired(
    error: ProviderError, expires_at: float, mended: bool
) -> None:
    ours = Certificate("the client certificate (x)", expires_at)
    operation = located(raising(error), msgspec.structs.replace(TARGET, certificates=Known(own=ours)))
    operation.send(None)
    assert operation.send(0.0) == WallClock()
    with pytest.raises(ProviderError) as caught:
        operation.send(1.0)
    assert caught.value is error
    assert error.target == WHERE
    mend = "mend: the client certificate (x) expired on 1970-01-01T00:00:00Z: get a new one"
    assert (mend in str(error)) is mended


def test_who_shows_no_certificate_has_none_that_expired() -> None:
    error = AuthenticationFailed("x", status=Status(401, "Unauthorized"))
    raised_by(located(raising(error), msgspec.structs.replace(TARGET, certificates=Known())))
    assert (error.mend, error.target) == ("", WHERE)


@pytest.mark.parametrize("fault", TransportFault)
def test_a_connection_that_failed_says_what_mends_it(fault: TransportFault) -> None:
    error = error_for(TransportError(fault, Delivery.NOT_SENT), what="list the workers")
    assert fault is TransportFault.INTERRUPTED or f"mend: {error.mend}" in str(error)
    assert isinstance(error, AuthenticationFailed if fault is TransportFault.CREDENTIALS else ConnectionFailed)


@pytest.mark.parametrize("status", [Status(404, message="404 page not found"), Status(302), Status(200)])
def test_what_is_no_api_server_is_said_to_be_none(status: Status) -> None:
    error = error_for(status, what="list the workers")
    assert "no Kubernetes API server" in str(error)
    assert not error.retryable


def test_a_target_shows_no_password() -> None:
    access = ClusterAccess(
        server="https://k8s.example/prefix",
        server_as_written="https://k8s.example/prefix",
        origin=AccessOrigin("x", "c", "u", "/kube/config"),
    )
    target = target_of(access, Secret("http://user:hunter2@proxy:3128"))
    assert target == Target("https://k8s.example/prefix", 'context "x" (/kube/config)', "http://proxy:3128")
    assert str(target) == 'https://k8s.example/prefix through http://proxy:3128, as context "x" (/kube/config)'
    assert str(target_of(access, None)) == 'https://k8s.example/prefix, as context "x" (/kube/config)'
    assert target.is_encrypted


def test_a_pods_own_account() -> None:
    access = ClusterAccess(server="http://10.0.0.1", server_as_written="", origin=AccessOrigin(in_cluster=True))
    assert str(target_of(access, None)) == "http://10.0.0.1, as the Pod's own service account"
    assert not target_of(access, None).is_encrypted
