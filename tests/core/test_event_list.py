"""Events about a Pod, from either of the two API groups."""

from __future__ import annotations

import json

from hodei_k8s_core.event_list import parse_event_list


def test_an_event_of_the_core_group() -> None:
    item = {
        "involvedObject": {"kind": "Pod", "name": "a", "uid": "u"},
        "reason": "FailedMount",
        "message": "no such claim",
        "type": "Warning",
        "count": 3,
        "firstTimestamp": "2026-11-23T14:00:00Z",
        "lastTimestamp": "2026-11-23T14:00:30Z",
        "eventTime": None,
        "source": {"component": "kubelet", "host": "n"},
        "reportingComponent": "",
    }
    data = {"kind": "EventList", "metadata": {"resourceVersion": "5", "continue": "more"}, "items": [item]}
    page = parse_event_list(json.dumps(data).encode())
    (event,) = page.items
    assert (page.resource_version, page.continue_token) == ("5", "more")
    assert (event.involved_object.kind, event.involved_object.name, event.involved_object.uid) == ("Pod", "a", "u")
    assert (event.reason, event.message, event.type, event.count) == ("FailedMount", "no such claim", "Warning", 3)
    assert (event.component, event.first_seen, event.last_seen) == ("kubelet", 1795442400.0, 1795442430.0)


def test_an_event_of_the_newer_group() -> None:
    item = {
        "regarding": {"kind": "Pod", "name": "a", "uid": "u"},
        "reason": "FailedScheduling",
        "note": "0/1 nodes are available",
        "type": "Warning",
        "eventTime": "2026-11-23T14:00:00.250000Z",
        "series": {"count": 4, "lastObservedTime": "2026-11-23T14:02:00.000000Z"},
        "reportingController": "default-scheduler",
        "deprecatedFirstTimestamp": None,
    }
    (event,) = parse_event_list(json.dumps({"kind": "EventList", "items": [item]}).encode()).items
    assert (event.involved_object.uid, event.message, event.count) == ("u", "0/1 nodes are available", 4)
    assert (event.component, event.first_seen, event.last_seen) == ("default-scheduler", 1795442400.25, 1795442520.0)


def test_an_event_without_times_has_none() -> None:
    (event,) = parse_event_list(b'{"kind":"EventList","items":[{"reason":"R"}]}').items
    assert (event.first_seen, event.last_seen, event.count) == (None, None, 1)
