"""The vocabulary that hosts share."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.worker import (
    Health,
    HealthStatus,
    LogEntry,
    LogLevel,
    WorkerHandle,
    WorkerInfo,
    WorkerState,
)
from tests.core.thoroughness import examples

HANDLE = WorkerHandle(
    worker_id="w",
    provider_resource_id="hodei-worker-w",
    provider_id="ours",
    created_at=1795442479.5,
    metadata={"namespace": "ns", "pod_uid": "u"},
)


def test_a_handle_survives_a_trip_through_json():
    assert WorkerHandle.from_json(HANDLE.to_json()) == HANDLE
    assert WorkerHandle.from_json(HANDLE.to_json().encode()) == HANDLE


@settings(max_examples=examples(100), deadline=None)
@given(
    texts=st.lists(st.text(), min_size=4, max_size=4),
    created_at=st.floats(allow_nan=False, allow_infinity=False),
    metadata=st.dictionaries(st.text(), st.text()),
)
def test_any_handle_survives(texts, created_at, metadata):
    handle = WorkerHandle(
        worker_id=texts[0],
        provider_resource_id=texts[1],
        provider_type=texts[2],
        provider_id=texts[3],
        created_at=created_at,
        metadata=metadata,
    )
    assert WorkerHandle.from_json(handle.to_json()) == handle


def test_a_handle_of_a_later_version_with_more_keys_is_read():
    data = msgspec.json.decode(HANDLE.to_json()) | {"later": 1}
    assert WorkerHandle.from_json(msgspec.json.encode(data)) == HANDLE


def test_a_handle_knows_where_its_pod_is():
    assert (HANDLE.namespace, HANDLE.pod_name, HANDLE.pod_uid) == ("ns", "hodei-worker-w", "u")
    bare = msgspec.structs.replace(HANDLE, metadata={})
    assert (bare.namespace, bare.pod_uid) == ("", "")
    assert HANDLE.provider_type == "kubernetes"


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "null", "[]", '{"worker_id":3}', b"\xff", "\ud800", "[" * 100_000, HANDLE.to_json()[:-1],
        HANDLE.to_json().replace("1795442479.5", '"soon"'),
    ],
)  # fmt: skip
def test_what_is_no_handle_is_refused(text):
    with pytest.raises(ConfigurationError) as caught:
        WorkerHandle.from_json(text)
    assert [fault.field for fault in caught.value.faults] == ["handle"]


def test_only_one_state_is_final():
    assert [state for state in WorkerState if state.is_final] == [WorkerState.TERMINATED]


def test_info_tells_whose_it_is():
    assert WorkerInfo(handle=HANDLE, state=WorkerState.READY).worker_id == "w"


@pytest.mark.parametrize(
    ("timestamp", "moment"),
    [
        (None, None),
        (0, dt.datetime(1970, 1, 1, tzinfo=dt.UTC)),
        (1795442479_112381182, dt.datetime(2026, 11, 23, 14, 1, 19, 112381, tzinfo=dt.UTC)),
        (-1, dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)),
    ],
)
def test_a_log_entry_has_its_time_as_a_datetime(timestamp, moment):
    assert LogEntry(timestamp, "x").datetime == moment


def test_a_log_entry_has_the_level_that_its_line_says():
    assert LogEntry(None, "ERROR: x").level is LogLevel.ERROR
    assert LogEntry(None, "x").level is LogLevel.INFO
    assert LogEntry(None, "x").source == "worker"


def test_health():
    assert HealthStatus(Health.HEALTHY).is_healthy
    assert not HealthStatus(Health.DEGRADED, "slow", 3.0).is_healthy
