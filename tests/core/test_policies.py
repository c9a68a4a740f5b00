"""The policies of retries and watches: data that is valid when it is made."""

from __future__ import annotations

import pytest

from hodei_k8s_core.config.reconcile_policy import ReconcilePolicy
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.config.startup_policy import DEFAULT_POLICY, StartupPolicy
from hodei_k8s_core.config.watch_policy import WatchPolicy
from hodei_k8s_core.errors import ConfigurationError


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (RetryPolicy, {"max_attempts": 1, "first_delay": 0, "factor": 1, "jitter": 0, "budget": 0}),
        (RetryPolicy, {"jitter": 1, "budget_refill_per_second": 0, "max_delay": 0}),
        (WatchPolicy, {"timeout_min": 300, "timeout_max": 300, "delay_reset": 0}),
        (StartupPolicy, {"schedule": 0.1, "image_retries": 0, "restarts": 0, "settle": 0, "end": 0}),
        (ReconcilePolicy, {"min_age": 0, "overdue": 0, "max_share": 0, "free_removals": 0}),
    ],
)
def test_the_limits_themselves_are_allowed(make, fields):
    make(**fields)


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (
            RetryPolicy,
            {
                "max_attempts": 0,
                "first_delay": -1,
                "factor": 0.5,
                "max_delay": "1",
                "jitter": 1.1,
                "budget": 1.5,
                "budget_refill_per_second": float("inf"),
            },
        ),
        (WatchPolicy, {"first_delay": 0, "max_delay": -1, "delay_reset": None, "timeout_min": 0, "timeout_max": 2**31}),
        (
            StartupPolicy,
            {
                **dict.fromkeys(("schedule", "scale_up", "pull", "start", "ready"), 0),
                "image_retries": 1.5,
                "restarts": -1,
                "settle": -0.1,
                "end": None,
            },
        ),
        (
            ReconcilePolicy,
            {"interval": 0, "min_age": -1, "overdue": "1", "max_share": 1.1, "free_removals": 1.5},
        ),
    ],
)
def test_every_fault_is_told(make, fields):
    assert set(fields) == set(make.__struct_fields__)
    with pytest.raises(ConfigurationError) as caught:
        make(**fields)
    assert {fault.field for fault in caught.value.faults} == set(fields)


def test_a_watch_cannot_last_longer_at_least_than_at_most():
    with pytest.raises(ConfigurationError, match="timeout_min: 601 is more than timeout_max, 600"):
        WatchPolicy(timeout_min=601)


def test_the_default_waits_longer_for_a_node_that_is_being_added():
    assert StartupPolicy() == DEFAULT_POLICY
    assert DEFAULT_POLICY.scale_up > DEFAULT_POLICY.schedule > DEFAULT_POLICY.settle
