"""The tree of errors: what they say, and that they survive a trip between processes."""

from __future__ import annotations

import copy
import pickle

import pytest

from hodei_k8s_core import errors
from hodei_k8s_core.api_status import Status
from hodei_k8s_core.errors import (
    ConfigurationError,
    ConnectionFailed,
    Delivery,
    Fault,
    HodeiK8sError,
    OutcomeUnknown,
    ProviderError,
    ProvisioningFailed,
    TransportError,
    TransportFault,
)

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ProviderError)]
BROKEN = TransportError(TransportFault.TIMEOUT, Delivery.MAYBE_SENT, "after 30 s")


def test_the_names_of_the_domain_are_all_there():
    assert {kind.__name__ for kind in KINDS} >= {
        "ConnectionFailed", "AuthenticationFailed", "ResourceLimitExceeded", "WorkerNotFound", "WorkerAlreadyExists",
        "ProvisioningFailed", "ProvisioningTimeout", "Timeout", "NotReady", "UnsupportedOperation",
        "ConfigurationError", "ProviderSpecific", "Internal",
    }  # fmt: skip
    assert all(issubclass(kind, HodeiK8sError) for kind in KINDS)


def test_an_error_says_everything_that_is_known():
    error = ProviderError(
        "create worker w",
        step="create the Pod",
        attempts=3,
        status=Status(403, "Forbidden", "no"),
        failure=BROKEN,
        mend="ask for the permission",
    )
    assert str(error) == (
        "create worker w; while: create the Pod; tried 3 times; the server said: 403 Forbidden: no; "
        "the last failure: timeout (maybe sent): after 30 s; mend: ask for the permission"
    )


def test_an_error_repeats_nothing_and_leaves_out_what_is_not_known():
    assert str(ProviderError("it failed", attempts=1)) == "it failed"
    assert str(ProviderError("it failed: no room", status=Status(403, "Forbidden", "no room"))) == "it failed: no room"
    assert str(ProviderError("it failed", status=Status(500, "InternalError"))) == (
        "it failed; the server said: 500 InternalError: "
    )


@pytest.mark.parametrize("kind", KINDS)
def test_retryable_is_a_default_that_can_be_said(kind):
    assert kind("x").retryable is kind.default_retryable
    assert kind("x", retryable=True).retryable is True
    assert kind("x", retryable=False).retryable is False


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("duplicate", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_every_error_survives_pickling_and_copying(kind, duplicate):
    error = kind("what", step="s", attempts=2, status=Status(500, message="m"), failure=BROKEN, mend="do")
    twin = duplicate(error)
    assert type(twin) is kind
    assert str(twin) == str(error)
    assert (twin.step, twin.attempts, twin.status, twin.retryable) == ("s", 2, error.status, error.retryable)


def test_what_a_kind_adds_survives_too():
    unknown = pickle.loads(pickle.dumps(OutcomeUnknown("lost", pod_name="p", creation_token="t")))
    assert (unknown.pod_name, unknown.creation_token) == ("p", "t")
    assert isinstance(unknown, ProvisioningFailed)
    invalid = pickle.loads(pickle.dumps(ConfigurationError("bad", [Fault("a", "is wrong")])))
    assert invalid.faults == (Fault("a", "is wrong"),)


def test_a_configuration_error_lists_every_fault():
    error = ConfigurationError("not valid", [Fault("a", "is 1"), Fault("b", "is 2")], step="load")
    assert str(error) == "not valid; while: load\n  - a: is 1\n  - b: is 2"
    assert str(ConfigurationError("not valid")) == "not valid"


@pytest.mark.parametrize(
    ("delivery", "happened"), [(Delivery.NOT_SENT, False), (Delivery.MAYBE_SENT, True), (Delivery.ANSWERED, True)]
)
def test_a_transport_error_knows_whether_the_server_may_have_acted(delivery, happened):
    assert TransportError(TransportFault.CLOSED, delivery).may_have_happened is happened


def test_a_transport_error_says_what_and_how_far():
    assert str(TransportError(TransportFault.TLS_NAME, Delivery.NOT_SENT)) == "tls name (not sent)"
    twin = pickle.loads(pickle.dumps(BROKEN))
    assert (str(twin), twin.fault, twin.delivery) == (str(BROKEN), BROKEN.fault, BROKEN.delivery)


def test_a_transport_error_is_not_what_a_provider_raises():
    assert not issubclass(TransportError, ProviderError)
    assert issubclass(ConnectionFailed, ProviderError)
