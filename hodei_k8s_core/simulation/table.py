"""Tables, as `kubectl get` asks for them: the columns of every kind, and a row for each object.

Columns and cells as those of Kubernetes 1.36 (pkg/printers/internalversion).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from hodei_k8s_core.http import Request, find_header
from hodei_k8s_core.simulation.wire import Json, ServerClock

_NONE = "<none>"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_DURATIONS: tuple[tuple[int, int, str, tuple[int, str] | None], ...] = (
    (2 * _MINUTE, 1, "s", None),
    (10 * _MINUTE, _MINUTE, "m", (1, "s")),
    (3 * _HOUR, _MINUTE, "m", None),
    (8 * _HOUR, _HOUR, "h", (_MINUTE, "m")),
    (2 * _DAY, _HOUR, "h", None),
    (8 * _DAY, _DAY, "d", (_HOUR, "h")),
    (2 * 365 * _DAY, _DAY, "d", None),
)
"""Below so many seconds: the unit, and the smaller one that is told with it."""


def wants_table(request: Request) -> bool:
    """The first thing that the client takes is a Table."""
    return "as=Table" in (find_header(request.headers, "accept") or "").split(",")[0]


class Column(msgspec.Struct, frozen=True):
    """`wide`: shown only by `--output wide`. `cell`: of an object, and how long ago a timestamp was."""

    name: str
    cell: Callable[[Json, Callable[[Any], str]], Any]
    wide: bool = False


class Tables:
    """Objects → Tables."""

    def __init__(self, clock: ServerClock) -> None:
        self._clock = clock

    def table(self, resource: str, items: Sequence[Json], meta: Json, now: float) -> Json:
        """One Table of all."""
        columns = COLUMNS.get(resource, _PLAIN)

        def age(timestamp: Any) -> str:
            if not timestamp:
                return "<unknown>"
            seconds = self._clock.nanoseconds(now) / 1e9 - datetime.fromisoformat(timestamp).timestamp()
            return human_duration(int(max(seconds, 0)))

        rows = [{"cells": [column.cell(item, age) for column in columns], "object": _partial(item)} for item in items]
        head: Json = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta}
        return {**head, "columnDefinitions": [_definition(column) for column in columns], "rows": rows}

    def watched(self, resource: str) -> Callable[[str, Json, float], Json]:
        """How a watch shows its objects; only the first has the columns' definitions."""
        told: list[bool] = []

        def shown(kind: str, item: Json, now: float) -> Json:
            meta = {"resourceVersion": item["metadata"]["resourceVersion"]}
            table = self.table(resource, [] if kind == "BOOKMARK" else [item], meta, now)
            if told:
                table["columnDefinitions"] = None
            told.append(True)
            return table

        return shown


def human_duration(seconds: int) -> str:
    """As k8s.io/apimachinery, util/duration.HumanDuration: the smaller unit too while the number is small."""
    for below, size, unit, part in _DURATIONS:
        if seconds < below:
            rest = seconds % size // part[0] if part else 0
            return f"{seconds // size}{unit}" + (f"{rest}{part[1]}" if part and rest else "")
    return f"{seconds // 86400 // 365}y"


def _definition(column: Column) -> Json:
    kind = {"type": "string", "format": "name" if column.name == "Name" else "", "description": column.name}
    return {"name": column.name, **kind, "priority": int(column.wide)}


def _partial(item: Json) -> Json:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}


def _ready(pod: Json, _age: Callable[[Any], str]) -> str:
    statuses = pod["status"].get("containerStatuses", ())
    return f"{sum(one['ready'] for one in statuses)}/{len(pod['spec']['containers'])}"


def _pod_status(pod: Json, _age: Callable[[Any], str]) -> str:
    """printPod: the last container that waits or has ended says why; then what is about the whole Pod."""
    status = pod["status"]
    told: str = status.get("reason") or status["phase"]
    gated = [one for one in status.get("conditions", ()) if one.get("reason") == "SchedulingGated"]
    told = "SchedulingGated" if gated else told
    for container in status.get("containerStatuses", ()):
        state = container["state"]
        told = state.get("waiting", state.get("terminated", {})).get("reason", told)
    if "deletionTimestamp" in pod["metadata"] and status["phase"] not in ("Succeeded", "Failed"):
        return "Terminating"
    return told


def _restarts(pod: Json, age: Callable[[Any], str]) -> str:
    statuses = pod["status"].get("containerStatuses", ())
    ends = [one["lastState"]["terminated"]["finishedAt"] for one in statuses if one["lastState"]]
    count = sum(one["restartCount"] for one in statuses)
    return f"{count} ({age(max(ends))} ago)" if count and ends else str(count)


def _node_status(node: Json, _age: Callable[[Any], str]) -> str:
    ready = [one["status"] for one in _at(node, "status.conditions") or () if one["type"] == "Ready"]
    told = (
        {"True": "Ready", "Unknown": "NotReady", "False": "NotReady"}.get(ready[0], "Unknown") if ready else "Unknown"
    )
    return f"{told},SchedulingDisabled" if _at(node, "spec.unschedulable") else told


def _involved(event: Json, _age: Callable[[Any], str]) -> str:
    about = event["involvedObject"]
    return f"{about['kind'].lower()}/{about['name']}"


def _seen(event: Json, age: Callable[[Any], str]) -> str:
    return age(event.get("lastTimestamp") or event.get("eventTime"))


def _quota(prefixes: tuple[str, ...]) -> Callable[[Json, Callable[[Any], str]], str]:
    def cell(quota: Json, _age: Callable[[Any], str]) -> str:
        hard, used = _at(quota, "status.hard") or {}, _at(quota, "status.used") or {}
        limits = {name for name in hard if name.startswith("limits.")}
        chosen = limits if prefixes else hard.keys() - limits
        return ", ".join(f"{name}: {used.get(name, '')}/{hard[name]}" for name in sorted(chosen))

    return cell


def _at(item: Json, path: str) -> Any:
    value: Any = item
    for step in path.split("."):
        value = (value or {}).get(step)
    return value


def _field(path: str, otherwise: Any = _NONE) -> Callable[[Json, Callable[[Any], str]], Any]:
    def cell(item: Json, _age: Callable[[Any], str]) -> Any:
        value = _at(item, path)
        return otherwise if value is None else value

    return cell


def _count(path: str) -> Callable[[Json, Callable[[Any], str]], int]:
    return lambda item, _age: len(_at(item, path) or ())


_NAME = Column("Name", _field("metadata.name"))
_AGE = Column("Age", lambda item, age: age(item["metadata"].get("creationTimestamp")))
_PLAIN = (_NAME, _AGE)
COLUMNS: dict[str, tuple[Column, ...]] = {
    "pods": (
        _NAME,
        Column("Ready", _ready),
        Column("Status", _pod_status),
        Column("Restarts", _restarts),
        _AGE,
        Column("IP", _field("status.podIP"), wide=True),
        Column("Node", _field("spec.nodeName"), wide=True),
        Column("Nominated Node", _field("status.nominatedNodeName"), wide=True),
        Column("Readiness Gates", _field("spec.readinessGates"), wide=True),
    ),
    "namespaces": (_NAME, Column("Status", _field("status.phase")), _AGE),
    "nodes": (
        _NAME,
        Column("Status", _node_status),
        Column("Roles", lambda _item, _age: _NONE),
        _AGE,
        Column("Version", _field("status.nodeInfo.kubeletVersion", "")),
    ),
    "events": (
        Column("Last Seen", _seen),
        Column("Type", _field("type")),
        Column("Reason", _field("reason")),
        Column("Object", _involved),
        Column("Subobject", _field("involvedObject.fieldPath", ""), wide=True),
        Column("Source", _field("source.component", ""), wide=True),
        Column("Message", lambda item, _age: item["message"].strip()),
        Column("First Seen", lambda item, age: age(item.get("firstTimestamp") or item.get("eventTime")), wide=True),
        Column("Count", _field("count", 1), wide=True),
        Column("Name", _field("metadata.name"), wide=True),
    ),
    "secrets": (_NAME, Column("Type", _field("type")), Column("Data", _count("data")), _AGE),
    "configmaps": (_NAME, Column("Data", _count("data")), _AGE),
    "leases": (_NAME, Column("Holder", _field("spec.holderIdentity", "")), _AGE),
    "resourcequotas": (_NAME, Column("Request", _quota(())), Column("Limit", _quota(("limits.",))), _AGE),
    "persistentvolumeclaims": (_NAME, Column("Status", _field("status.phase")), _AGE),
    "priorityclasses": (_NAME, Column("Value", _field("value", 0)), _AGE),
}
