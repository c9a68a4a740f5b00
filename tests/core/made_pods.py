"""Pods and events to diagnose, made of what a test says; everything else is as of a healthy worker.

Times are seconds after the creation of the Pod (`T0`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from hodei_k8s_core.config.startup_policy import DEFAULT_POLICY
from hodei_k8s_core.diagnosis import diagnose
from hodei_k8s_core.event_list import Event, parse_event_list
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.server_time import format_rfc3339
from hodei_k8s_core.verdict import Verdict

T0 = 1_795_442_400.0
UID = "uid-1"
NEVER = "Never"


def at(seconds: float) -> str:
    return format_rfc3339(T0 + seconds)


def condition(kind: str, status: str = "True", reason: str = "", message: str = "", since: float = 1) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at(since)}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def running(since: float = 5) -> dict[str, Any]:
    return {"running": {"startedAt": at(since)}}


def terminated(code: int, reason: str = "Error", message: str = "", *, start: float | None = 5, end: float = 10) -> Any:
    begun = "1970-01-01T00:00:00Z" if start is None else at(start)
    fields = {"exitCode": code, "reason": reason, "message": message, "startedAt": begun, "finishedAt": at(end)}
    return {"terminated": fields}


def container(
    state: dict[str, Any], name: str = "worker", *, ready: bool = False, restarts: int = 0, last: Any = None
) -> dict[str, Any]:
    return {"name": name, "state": state, "ready": ready, "restartCount": restarts, "lastState": last or {}}


def pod(
    phase: str = "Pending",
    *containers: dict[str, Any],
    conditions: tuple[dict[str, Any], ...] = (condition("PodScheduled"),),
    init: tuple[dict[str, Any], ...] = (),
    sidecars: tuple[str, ...] = (),
    restart: str = NEVER,
    gates: tuple[str, ...] = (),
    deleted: float | None = None,
    grace: int = 30,
    finalizers: tuple[str, ...] = (),
    node: str = "node-1",
    deadline: int | None = None,
    **status: Any,
) -> Pod:
    """`deleted`: when the deletion was asked for."""
    metadata: dict[str, Any] = {"name": "p", "uid": UID, "creationTimestamp": at(0), "finalizers": list(finalizers)}
    if deleted is not None:
        metadata |= {"deletionTimestamp": at(deleted + grace), "deletionGracePeriodSeconds": grace}
    spec = {
        "nodeName": node,
        "restartPolicy": restart,
        "containers": [{"name": "worker", "image": "job:1"}],
        "initContainers": [{"name": name, "restartPolicy": "Always"} for name in sidecars],
        "schedulingGates": [{"name": name} for name in gates],
        "activeDeadlineSeconds": deadline,
    }
    told = {
        "phase": phase,
        "conditions": list(conditions),
        "containerStatuses": list(containers),
        "initContainerStatuses": list(init),
        **status,
    }
    return parse_pod(msgspec.json.encode({"kind": "Pod", "metadata": metadata, "spec": spec, "status": told}))


def unscheduled(reason: str, message: str = "", **more: Any) -> Pod:
    return pod(conditions=(condition("PodScheduled", "False", reason, message),), node="", **more)


def event(
    reason: str, message: str = "", *, last: float = 5, first: float | None = None, count: int = 1, field: str = ""
) -> Event:
    item = {
        "involvedObject": {"kind": "Pod", "name": "p", "uid": UID, "fieldPath": field},
        "reason": reason,
        "message": message,
        "count": count,
        "firstTimestamp": at(last if first is None else first),
        "lastTimestamp": at(last),
    }
    return parse_event_list(msgspec.json.encode({"kind": "EventList", "items": [item]})).items[0]


FULL = (
    "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: "
    "2 No preemption victims found for incoming pod."
)
MISFIT = (
    "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. "
    "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
)
BACK_OFF = 'Back-off pulling image "r/x"'
UNREACHABLE = f"{BACK_OFF}: ErrImagePull: dial tcp: connection refused"
IS_READY = condition("Ready"), condition("ContainersReady")


def ended(code: int, reason: str = "Error", message: str = "", **more: float | None) -> dict[str, Any]:
    return container(terminated(code, reason, message, **more))


def disrupted(reason: str, *containers: dict[str, Any], phase: str = "Failed") -> Pod:
    told = condition("DisruptionTarget", "True", reason, "told", since=8)
    return pod(phase, *containers, conditions=(told,), deleted=8)


def verdict(of: Pod, now: float = 20, events: tuple[Event, ...] = ()) -> Verdict | None:
    """`now`: seconds after the creation of the Pod."""
    return diagnose(of, events, now=T0 + now, policy=DEFAULT_POLICY)
