"""Handles: whose they are, and which Pod is theirs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError, WorkerNotFound
from hodei_k8s_core.labels import MANAGED, PROVIDER_ID
from hodei_k8s_core.operations.handles import check_handle, check_ours, handle_for_id, is_handles_pod
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.worker import WorkerHandle

CONFIG = KubernetesConfig(provider_id="mine", namespace="ci")
HANDLE = WorkerHandle(
    worker_id="a",
    provider_resource_id="hodei-worker-a",
    provider_id="mine",
    created_at=1.0,
    metadata={"namespace": "ci", "pod_uid": "uid-1"},
)


def pod(uid: str = "uid-1", labels: Any = None) -> Pod:
    metadata = {"name": "hodei-worker-a", "uid": uid, "labels": labels}
    return parse_pod(msgspec.json.encode({"kind": "Pod", "metadata": metadata}))


def faults(handle: WorkerHandle) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        check_handle(handle, CONFIG)
    return [str(fault) for fault in caught.value.faults]


def test_a_handle_of_this_provider_is_accepted_also_after_a_trip_through_json() -> None:
    check_handle(HANDLE, CONFIG)
    check_handle(WorkerHandle.from_json(HANDLE.to_json()), CONFIG)


def test_a_handle_without_a_namespace_is_taken_for_the_configured_one() -> None:
    check_handle(msgspec.structs.replace(HANDLE, metadata={}), CONFIG)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"provider_type": "docker"}, "handle.provider_type: is 'docker', this provider's is 'kubernetes'"),
        ({"provider_id": "other"}, "handle.provider_id: is 'other', this provider's is 'mine'"),
        ({"metadata": {"namespace": "x"}}, "handle.metadata[\"namespace\"]: is 'x', this provider's is 'ci'"),
        ({"provider_resource_id": ""}, "handle.provider_resource_id: is empty"),
    ],
)
def test_another_providers_handle_is_refused_and_says_where_it_differs(change: dict[str, Any], told: str) -> None:
    assert faults(msgspec.structs.replace(HANDLE, **change)) == [told]


def test_a_handle_that_is_made_of_an_id_names_the_pod_and_fits_whichever_has_the_name() -> None:
    handle = handle_for_id("a", CONFIG)
    check_handle(handle, CONFIG)
    assert (handle.pod_name, handle.namespace) == ("hodei-worker-a", "ci")
    assert is_handles_pod(pod("uid-1"), handle)
    assert is_handles_pod(pod("uid-2"), handle)


@pytest.mark.parametrize("worker_id", ["", "a/b", "a\n", "A", "a" * 300])
def test_what_cannot_be_in_a_pods_name_cannot_be_an_id(worker_id: str) -> None:
    with pytest.raises(ConfigurationError):
        handle_for_id(worker_id, CONFIG)


def test_a_handle_with_a_uid_fits_only_that_pod() -> None:
    assert is_handles_pod(pod("uid-1"), HANDLE)
    assert not is_handles_pod(pod("uid-2"), HANDLE)


def test_a_pod_is_ours_by_its_labels() -> None:
    check_ours(pod(labels={MANAGED: "true", PROVIDER_ID: "mine"}), CONFIG)
    for labels in (None, {MANAGED: "true"}, {MANAGED: "true", PROVIDER_ID: "other"}, {PROVIDER_ID: "mine"}):
        with pytest.raises(WorkerNotFound, match="left alone"):
            check_ours(pod(labels=labels), CONFIG)
