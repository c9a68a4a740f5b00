"""What of a reply counts: the status, what is parsed of a Status, and the fields that the provider reads."""

from __future__ import annotations

import re
from typing import Any

import msgspec

Json = dict[str, Any]
_META = ("namespace", "labels", "annotations", "finalizers", "generation", "deletionGracePeriodSeconds")
_TOP = ("data", "type", "value")
_SPEC = ("restartPolicy", "schedulingGates", "activeDeadlineSeconds", "holderIdentity", "hard", "limits", "finalizers")
_STATUS = ("phase", "qosClass", "hard", "used", "allowed")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_VERSION = re.compile(r"(record \(|version: |\()\d+\)")
_DIFF = re.compile(r"\n.*", re.DOTALL)
_POSITION = re.compile(
    r"(invalid continue token: continue key is not valid|strconv\.ParseUint|unable to parse).*", re.DOTALL
)


def shown(status: int, body: bytes, namespace: str) -> Json:
    """A whole reply."""
    text = body.decode().replace(namespace, "NS")
    if not text.startswith("{"):
        return {"status": status, "text": text}
    value = msgspec.json.decode(text)
    return {"status": status, **(_status(value) if value["kind"] == "Status" else _object(value))}


def shown_events(status: int, body: bytes, namespace: str) -> Json:
    """The events of a watch that has ended."""
    lines = body.decode().replace(namespace, "NS").splitlines()
    events = [msgspec.json.decode(line) for line in lines]
    return {"status": status, "events": [[one["type"], _object(one["object"])] for one in events]}


def _status(value: Json) -> Json:
    details = value.get("details") or {}
    causes = [[one.get("reason"), one.get("field"), _plain(one["message"])] for one in details.get("causes", ())]
    told = {key: value.get(key) for key in ("code", "reason")} | {"message": _plain(value.get("message", ""))}
    named = {key: details.get(key) for key in ("name", "group", "kind") if key in details}
    return {**told, **named, "causes": causes}


def _plain(message: str) -> str:
    for pattern, other in ((_UID, "UID"), (_VERSION, r"\1VERSION)"), (_DIFF, ""), (_POSITION, r"\1")):
        message = pattern.sub(other, message)
    return message


def _object(value: Json) -> Json:
    told: Json = {"kind": value["kind"], "apiVersion": value["apiVersion"]}
    if "items" in value:
        meta = value["metadata"]
        items = [_name(item["metadata"]) for item in value["items"]]
        if value["kind"] == "EventList":
            items = [[item["type"], item["reason"], item["message"]] for item in value["items"]]
        return {**told, "items": items, "continues": bool(meta.get("continue"))}
    meta, spec, status = value["metadata"], value.get("spec") or {}, value.get("status") or {}
    told["name"] = _name(meta)
    told |= {key: meta[key] for key in _META if key in meta}
    told["leaves"] = "deletionTimestamp" in meta
    told |= {key: value[key] for key in _TOP if key in value}
    told["spec"] = {key: spec[key] for key in _SPEC if spec.get(key)}
    if "containers" in spec:
        told["spec"]["containers"] = [[one["name"], one["image"], one.get("resources")] for one in spec["containers"]]
        told["spec"]["initContainers"] = [[one["name"], one.get("resources")] for one in spec.get("initContainers", ())]
        told["spec"]["resources"] = spec.get("resources")
    told["state"] = {key: status[key] for key in _STATUS if key in status}
    conditions = status.get("conditions") or []
    told["conditions"] = [[one["type"], one["status"], one.get("reason"), one.get("message")] for one in conditions]
    return told


def _name(meta: Json) -> Any:
    generated = meta.get("generateName")
    if generated is None:
        return meta.get("name")
    suffix = meta["name"].removeprefix(generated)
    return [generated, len(suffix)]
