"""Pod JSON -> values: what is read, what is as good as absent, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.errors import Internal
from hodei_k8s_core.event_list import parse_event_list
from hodei_k8s_core.pod import Pod, epoch, parse_pod, parse_pod_list
from hodei_k8s_core.worker_info import worker_info
from hodei_k8s_core.worker_state import worker_state
from tests.core.thoroughness import examples
from tests.recordings import V1_36, load

SECRET = "s3cr3t-in-the-content"


def body(**fields: Any) -> bytes:
    return json.dumps({"kind": "Pod", "apiVersion": "v1", **fields}).encode()


FULL = {
    "metadata": {
        "name": "hodei-worker-1",
        "namespace": "ns",
        "uid": "u-1",
        "resourceVersion": "7",
        "labels": {"app": "hodei-worker", "hodei.io/worker-id": "1"},
        "annotations": {"hodei.io/creation-token": "t", "hodei.io/job-id": "j", "hodei.io/draining": ""},
        "creationTimestamp": "2026-11-23T14:00:00Z",
        "deletionTimestamp": "2026-11-23T14:01:30Z",
        "deletionGracePeriodSeconds": 30,
        "finalizers": ["example.com/hold"],
        "ownerReferences": [{"kind": "Job", "name": "own", "uid": "u-0", "apiVersion": "batch/v1"}],
        "managedFields": [{"anything": [1, {"deep": None}]}],
    },
    "spec": {
        "nodeName": "node-1",
        "containers": [{"name": "worker", "image": "i:1", "env": [{"name": "A", "value": "b"}]}],
        "initContainers": [{"name": "side", "restartPolicy": "Always"}],
        "activeDeadlineSeconds": 10,
        "restartPolicy": "Never",
        "schedulingGates": [{"name": "example.com/gate"}],
        "terminationGracePeriodSeconds": 30,
    },
    "status": {
        "phase": "Running",
        "reason": "R",
        "message": "M",
        "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": None}],
        "containerStatuses": [
            {"name": "other", "ready": True},
            {
                "name": "worker",
                "ready": True,
                "started": True,
                "restartCount": 1,
                "image": "docker.io/i:1",
                "imageID": "sha256:1",
                "containerID": "containerd://2",
                "state": {"running": {"startedAt": "2026-11-23T14:00:05Z"}},
                "lastState": {"terminated": {"exitCode": 1, "signal": 9, "reason": "Error", "containerID": "c://1"}},
            },
        ],
        "initContainerStatuses": [{"name": "side", "state": {"waiting": {"reason": "W", "message": "m"}}}],
        "startTime": "2026-11-23T14:00:01Z",
        "podIP": "10.0.0.1",
        "hostIP": "10.0.0.2",
    },
}


def test_everything_that_is_read() -> None:
    pod = parse_pod(body(**FULL))
    meta, spec, status = pod.metadata, pod.spec, pod.status
    assert (meta.name, meta.namespace, meta.uid, meta.resource_version) == ("hodei-worker-1", "ns", "u-1", "7")
    assert meta.finalizers == ("example.com/hold",)
    assert [(owner.kind, owner.name, owner.uid) for owner in meta.owner_references] == [("Job", "own", "u-0")]
    assert (meta.created_at, meta.deleting_since) == (1795442400.0, 1795442460.0)
    assert (spec.node_name, spec.restart_policy, spec.active_deadline_seconds) == ("node-1", "Never", 10)
    assert [(c.name, c.image, c.restart_policy) for c in (*spec.containers, *spec.init_containers)] == [
        ("worker", "i:1", ""),
        ("side", "", "Always"),
    ]
    assert [gate.name for gate in spec.scheduling_gates] == ["example.com/gate"]
    assert spec.termination_grace_period_seconds == 30
    assert (pod.phase, status.reason, status.message) == ("Running", "R", "M")
    assert (status.pod_ip, status.host_ip, epoch(status.start_time)) == ("10.0.0.1", "10.0.0.2", 1795442401.0)
    waiting = status.init_container_statuses[0].state.waiting
    assert waiting is not None
    assert (waiting.reason, waiting.message) == ("W", "m")


def test_the_worker_is_found_by_its_name() -> None:
    worker = parse_pod(body(**FULL)).worker_container
    assert worker is not None
    assert (worker.ready, worker.started, worker.restart_count) == (True, True, 1)
    assert (worker.image, worker.image_id, worker.container_id) == ("docker.io/i:1", "sha256:1", "containerd://2")
    end = worker.last_state.terminated
    assert end is not None
    assert (end.exit_code, end.signal, end.reason, end.container_id) == (1, 9, "Error", "c://1")


def test_what_is_asked_of_a_pod() -> None:
    pod = parse_pod(body(**FULL))
    assert (pod.worker_id, pod.creation_token, pod.job_id) == ("1", "t", "j")
    assert pod.is_deleting
    assert pod.is_draining  # set is set, whatever to
    ready = pod.condition("Ready")
    assert ready is not None
    assert ready.status == "True"
    assert pod.condition("Initialized") is None


def test_a_bare_pod_has_empty_values() -> None:
    pod = parse_pod(b'{"kind": "Pod"}')
    assert pod == Pod(kind="Pod")
    assert (pod.worker_id, pod.creation_token, pod.job_id, pod.phase) == ("", "", "", "")
    assert not pod.is_deleting
    assert not pod.is_draining
    assert pod.worker_container is None
    assert pod.metadata.created_at is None
    assert pod.metadata.deleting_since is None


def test_a_deletion_without_its_grace_period_began_at_its_time() -> None:
    pod = parse_pod(body(metadata={"deletionTimestamp": "2026-11-23T14:01:30Z"}))
    assert pod.metadata.deleting_since == 1795442490.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-23T14:00:00Z", 1795442400.0),
        ("2026-11-23T14:00:00.5+01:00", 1795438800.5),
        ("1970-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_epoch(text: str | None, seconds: float | None) -> None:
    assert epoch(text) == seconds


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all members of objects."""
    found = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        found += ([(*path, key)] if isinstance(value, dict) else []) + places(part, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    copy = json.loads(json.dumps(value))
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = by
    return copy


@pytest.mark.parametrize("path", places(FULL), ids=str)
def test_null_anywhere_is_as_good_as_absent(path: tuple[Any, ...]) -> None:
    nulled = replaced(FULL, path, None)
    assert parse_pod(body(**nulled)) == parse_pod(body(**without_nulls(nulled)))
    listed = parse_pod_list(json.dumps({"kind": "PodList", "items": [nulled]}).encode())
    assert listed.items == (msgspec.structs.replace(parse_pod(body(**nulled)), kind=""),)


@pytest.mark.parametrize(
    ("path", "by", "told"),
    [
        (("status", "phase"), {"a": SECRET}, "$.status.phase"),
        (("metadata", "labels"), SECRET, "$.metadata.labels"),
        (("metadata", "labels", "app"), [SECRET], "$.metadata.labels[...]"),
        (("status", "containerStatuses"), {SECRET: 1}, "$.status.containerStatuses"),
        (("status", "containerStatuses", 1, "restartCount"), SECRET, "$.status.containerStatuses[...].restartCount"),
        (("metadata", "deletionTimestamp"), 5, "$.metadata.deletionTimestamp"),
        (("spec", "containers", 0), None, "$.spec.containers[0]"),
        (("status",), SECRET, "$.status"),
    ],
)
def test_a_wrong_type_is_told_by_its_path(path: tuple[Any, ...], by: Any, told: str) -> None:
    with pytest.raises(Internal) as caught:
        parse_pod(body(**replaced(FULL, path, by)))
    # `[...]` and `[0]` are both msgspec's way to name an item.
    assert told.split("[")[0] in str(caught.value)
    assert told.rpartition(".")[2].split("[")[0] in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


NO_POD = {
    "empty": (b"", "readable Pod"),
    "html": (f"<html>{SECRET}</html>".encode(), "readable Pod"),
    "cut": (body(**FULL)[:-20], "readable Pod"),
    "a list": (b"[]", "readable Pod"),
    "null": (b"null", "readable Pod"),
    "a number": (b"5", "readable Pod"),
    "no UTF-8": (b'{"kind": "Pod", "metadata": {"name": "\xff"}}', "readable Pod"),
    "no UTF-8 where it is not read": (b'{"kind": "Pod", "metadata": {"x": "\xff", "name": 1}}', "readable Pod"),
    "half a character": (b'{"kind": "Pod", "metadata": {"name": "\\ud800"}}', "readable Pod"),
    "deep": (b'{"kind": "Pod", "metadata": ' + b"[" * 100_000, "readable Pod"),
    "deep where a null is": (
        b'{"kind": "Pod", "status": null, "x": ' + b"[" * 2000 + b"]" * 2000 + b"}",
        "readable Pod",
    ),
    "a Status": (
        json.dumps({"kind": "Status", "status": "Failure", "message": SECRET, "code": 404}).encode(),
        "not a Pod but a Status",
    ),
    "a PodList": (b'{"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": []}', "not a Pod but a PodList"),
    "no kind that is a word": (json.dumps({"kind": SECRET, "status": 1}).encode(), "not a Pod but something else"),
    "a number that no API has": (
        b'{"kind": "Pod", "metadata": {"deletionGracePeriodSeconds": 1' + b"0" * 400 + b"}}",
        "$.metadata.deletionGracePeriodSeconds",
    ),
    "a kind of another type": (b'{"kind": 5}', "$.kind"),
    "neither kind nor name": (b"{}", "not a Pod but something else"),
}


@pytest.mark.parametrize("case", NO_POD)
def test_what_is_no_pod_is_a_clear_error(case: str) -> None:
    data, told = NO_POD[case]
    with pytest.raises(Internal, match=told.replace("$", r"\$")) as caught:
        parse_pod(data)
    assert SECRET not in str(caught.value)


def test_an_item_of_a_list_has_no_kind_and_is_a_pod() -> None:
    assert parse_pod(msgspec.Raw(b'{"metadata": {"name": "a"}}')).metadata.name == "a"


def test_a_page_of_a_list() -> None:
    data = {
        "kind": "PodList",
        "metadata": {"resourceVersion": "12", "continue": "next", "remainingItemCount": 3},
        "items": [FULL, {"metadata": {"name": "b", "creationTimestamp": None}}],
    }
    page = parse_pod_list(json.dumps(data).encode())
    assert [pod.metadata.name for pod in page.items] == ["hodei-worker-1", "b"]
    assert (page.resource_version, page.continue_token, page.remaining_item_count) == ("12", "next", 3)


@pytest.mark.parametrize("text", ['{"kind":"PodList","items":null}', '{"kind":"List","metadata":{}}', '{"items":[]}'])
def test_an_empty_list(text: str) -> None:
    page = parse_pod_list(text.encode())
    assert (page.items, page.resource_version, page.continue_token, page.remaining_item_count) == ((), "", "", None)


@pytest.mark.parametrize(
    ("parse", "data", "told"),
    [
        (parse_pod_list, b"{}", "not a PodList but something else"),
        (parse_pod_list, b'{"kind":"Pod","metadata":{"name":"a"}}', "not a PodList but a Pod"),
        (parse_pod_list, b'{"kind":"PodList","items":[{"status":{"phase":7}}]}', r"\$\.items\[0\]\.status\.phase"),
        (parse_event_list, b"{}", "not an EventList but something else"),
        (parse_event_list, b'{"kind":"Status","status":"Failure"}', "not an EventList but a Status"),
        (parse_event_list, b'{"kind":"EventList","items":[{"count":"x"}]}', r"\$\.items\[0\]\.count"),
    ],
)
def test_what_is_no_list_is_a_clear_error(parse: Any, data: bytes, told: str) -> None:
    with pytest.raises(Internal, match=told):
        parse(data)


def test_values_are_frozen() -> None:
    pod = parse_pod(body(**FULL))
    with pytest.raises(AttributeError):
        pod.status.phase = "Failed"  # type: ignore[misc]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def tell(parse: Any, data: bytes) -> Any:
    """The value, or None for `Internal`; every other exception is a failure of the test."""
    try:
        return parse(data)
    except Internal:
        return None


@settings(max_examples=examples(100), deadline=None)
@given(data=st.binary(max_size=40))
def test_arbitrary_bytes_are_a_value_or_internal(data: bytes) -> None:
    for parse in (parse_pod, parse_pod_list, parse_event_list):
        tell(parse, data)


@settings(max_examples=examples(100), deadline=None)
@given(value=json_values, path=st.sampled_from(places(FULL)))
def test_arbitrary_json_is_a_value_or_internal(value: Any, path: tuple[Any, ...]) -> None:
    for parse in (parse_pod, parse_pod_list, parse_event_list):
        tell(parse, json.dumps(value).encode())
    pod = tell(parse_pod, body(**replaced(FULL, path, value)))
    if pod is not None:
        worker_state(pod)
        worker_info(pod)


@settings(max_examples=examples(50), deadline=None)
@given(scenario=st.sampled_from(V1_36), data=st.data())
def test_a_reply_that_is_cut_is_internal(scenario: str, data: st.DataObject) -> None:
    whole = load(f"v1.36/{scenario}").bodies("get")[0].rstrip()
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert tell(parse_pod, whole[:cut]) is None
    assert tell(parse_pod, whole) is not None
