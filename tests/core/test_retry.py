"""What is repeated, when, and what must not be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.retry import (
    HOPELESS,
    GiveUp,
    Retry,
    backoff_delay,
    may_have_happened,
    policy_delay,
    retry_idempotent,
)
from tests.core.thoroughness import examples

POLICY = RetryPolicy(max_attempts=4, first_delay=1.0, factor=2.0, max_delay=10.0, jitter=0.5)


def status(code: int, **known) -> Status:
    return Status(code=code, **known)


def fault(kind: TransportFault, delivery: Delivery = Delivery.MAYBE_SENT) -> TransportError:
    return TransportError(kind, delivery)


def idempotent(failure, *, attempt=1, chance=0.0):
    return retry_idempotent(failure, attempt=attempt, policy=POLICY, chance=chance)


@pytest.mark.parametrize(
    ("failure", "decision"),
    [
        (status(429, retry_after=3.0), Retry(3.0)),
        (status(429), Retry(1.0)),
        (status(500), Retry(1.0)),
        (status(503, retry_after=0.0), Retry(0.0)),
        (status(503, retry_after=120.0), Retry(120.0)),
        (status(504), Retry(1.0)),
        (status(400), GiveUp("the server refused the request (400)")),
        (status(401), GiveUp("the server refused the request (401)")),
        (status(404, reason="NotFound", retry_after=1.0), GiveUp("the server refused the request (404)")),
        (status(409, reason="Conflict"), GiveUp("the server refused the request (409)")),
        (status(422, reason="Invalid"), GiveUp("the server refused the request (422)")),
        (status(302), GiveUp("the server refused the request (302)")),
    ],
)
def test_a_reply_that_is_no_success(failure, decision):
    assert idempotent(failure) == decision


@pytest.mark.parametrize("kind", TransportFault)
def test_a_fault_of_the_transport_passes_or_does_not(kind):
    expected = GiveUp(HOPELESS[kind], may_have_happened=True) if kind in HOPELESS else Retry(1.0)
    assert idempotent(fault(kind)) == expected


def test_the_hopeless_faults_are_those_that_only_a_change_mends():
    assert {kind.value for kind in HOPELESS} == {
        "tls_untrusted", "tls_name", "tls_expired", "not_tls", "too_large", "credentials",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("attempt", "chance", "delay"), [(1, 0.0, 1.0), (2, 0.0, 2.0), (3, 0.0, 4.0), (1, 0.5, 0.75), (3, 0.5, 3.0)]
)
def test_back_off_grows_and_chance_shortens_it(attempt, chance, delay):
    assert idempotent(status(500), attempt=attempt, chance=chance) == Retry(delay)
    assert policy_delay(POLICY, attempt, chance) == delay


def test_after_the_last_attempt_it_gives_up_also_when_the_server_names_a_time():
    assert idempotent(status(500), attempt=4) == GiveUp("4 attempts failed", may_have_happened=True)
    assert idempotent(status(429, retry_after=1.0), attempt=4) == GiveUp("4 attempts failed")
    assert idempotent(fault(TransportFault.REFUSED, Delivery.NOT_SENT), attempt=5) == GiveUp("5 attempts failed")


@pytest.mark.parametrize(
    ("failure", "happened"),
    [
        (status(429, retry_after=1.0), False),
        (status(409), False),
        (status(500), True),
        (status(503, retry_after=1.0), True),
        (status(504), True),
        (fault(TransportFault.REFUSED, Delivery.NOT_SENT), False),
        (fault(TransportFault.TIMEOUT, Delivery.MAYBE_SENT), True),
        (fault(TransportFault.MALFORMED, Delivery.ANSWERED), True),
    ],
)
def test_what_may_have_happened(failure, happened):
    assert may_have_happened(failure) is happened


failures = st.one_of(
    st.builds(Status, code=st.integers(300, 599), retry_after=st.none() | st.floats(0, 1000)),
    st.builds(TransportError, st.sampled_from(TransportFault), st.sampled_from(Delivery)),
)
chances = st.floats(0, 1, exclude_max=True)


@settings(max_examples=examples(100), deadline=None)
@given(
    attempt=st.integers(1, 100_000),
    first=st.floats(0.001, 10),
    factor=st.floats(1, 10),
    maximum=st.floats(0.001, 100),
    jitter=st.floats(0, 1),
    chance=chances,
)
def test_back_off_stays_within_its_bounds(attempt, first, factor, maximum, jitter, chance):
    limits = {"first": first, "factor": factor, "maximum": maximum}
    longest = backoff_delay(attempt, **limits, jitter=jitter, chance=0.0)
    delay = backoff_delay(attempt, **limits, jitter=jitter, chance=chance)
    assert longest * (1 - jitter) <= delay <= longest <= maximum
    assert longest <= backoff_delay(attempt + 1, **limits, jitter=jitter, chance=0.0)


def test_a_watch_may_count_its_attempts_for_weeks():
    assert backoff_delay(10**6, first=0.8, factor=2.0, maximum=30.0, jitter=0.0, chance=0.0) == 30.0
