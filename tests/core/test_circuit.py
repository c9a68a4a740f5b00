"""The circuit breaker of a cluster, as a value."""

from __future__ import annotations

import pytest

from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.provisioning.circuit import Circuit, CircuitPolicy, CircuitState

POLICY = CircuitPolicy(failures=3, window=60, open_for=15, open_for_max=40, probe_timeout=100)


def failed(*moments: float, circuit: Circuit | None = None) -> Circuit:
    circuit = Circuit(policy=POLICY) if circuit is None else circuit
    for moment in moments:
        circuit = circuit.after_failure(moment, f"at {moment:g}")
    return circuit


def test_it_is_closed_until_enough_has_failed() -> None:
    assert failed(0, 1).state(2) is CircuitState.CLOSED
    assert failed(0, 1).reason == "at 1"
    opened = failed(0, 1, 2)
    assert (opened.state(2), opened.admits(2), opened.reason) == (CircuitState.OPEN, False, "at 2")


def test_only_what_failed_lately_counts() -> None:
    assert failed(0, 1, 61.5).state(62) is CircuitState.CLOSED
    assert failed(0, 30, 60, 61).state(62) is CircuitState.OPEN


def test_a_success_forgets_the_failures() -> None:
    assert failed(2, 3, circuit=failed(0, 1).after_success()).state(4) is CircuitState.CLOSED


def test_after_its_time_one_call_probes_it() -> None:
    opened = failed(0, 1, 2)
    assert opened.state(16.9) is CircuitState.OPEN
    assert opened.state(17) is CircuitState.HALF_OPEN
    assert opened.admits(17)
    probed = opened.entered(17)
    assert not probed.admits(18)
    assert probed.after_success().state(18) is CircuitState.CLOSED


def test_a_failed_probe_opens_it_for_longer_up_to_a_limit() -> None:
    again = failed(17, circuit=failed(0, 1, 2).entered(17))
    assert again.state(17 + 29) is CircuitState.OPEN
    assert again.state(17 + 30) is CircuitState.HALF_OPEN
    third = failed(50, circuit=again.entered(50))
    assert (third.state(89.9), third.state(90)) == (CircuitState.OPEN, CircuitState.HALF_OPEN)


def test_a_probe_that_says_nothing_makes_way() -> None:
    probed = failed(0, 1, 2).entered(17)
    assert probed.without_verdict().admits(18)
    assert not probed.admits(116)
    assert probed.admits(117)


def test_a_call_from_before_it_opened_changes_nothing() -> None:
    opened = failed(0, 1, 2)
    assert failed(5, circuit=opened) == opened


def test_a_call_through_a_closed_circuit_is_no_probe() -> None:
    assert Circuit(policy=POLICY).entered(5) == Circuit(policy=POLICY)


def test_a_policy_is_valid_when_it_is_made() -> None:
    with pytest.raises(ConfigurationError) as caught:
        CircuitPolicy(failures=0, window=0, open_for=-1, open_for_max="1", probe_timeout=None)  # type: ignore[arg-type]
    assert {fault.field for fault in caught.value.faults} == set(CircuitPolicy.__struct_fields__)
