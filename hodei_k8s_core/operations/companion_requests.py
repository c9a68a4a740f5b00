"""The requests about what a worker has beside its Pod, and about the gate that waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from hodei_k8s_core.api_path import namespace_path, pod_path, refuse, unusable_name
from hodei_k8s_core.companions import GATE, Companion
from hodei_k8s_core.http import Headers, Request
from hodei_k8s_core.requests import SENDS_JSON

_SENDS_STRATEGIC_PATCH: Final[Headers] = (
    ("accept", "application/json"),
    ("content-type", "application/strategic-merge-patch+json"),
)


def create_companion(namespace: str, companion: Companion, manifest: Mapping[str, Any]) -> Request:
    """Create the object that `manifest` describes."""
    body = msgspec.json.encode(manifest)
    return Request("POST", f"{namespace_path(namespace)}/{companion.resource}", (), SENDS_JSON, body)


def delete_companion(namespace: str, companion: Companion) -> Request:
    """Delete it, whichever it is: its name is of one creation alone."""
    refuse(unusable_name("name", companion.name))
    path = f"{namespace_path(namespace)}/{companion.resource}/{quote(companion.name, safe='')}"
    return Request("DELETE", path, (), SENDS_JSON)


def lift_gate(namespace: str, pod_name: str, *, uid: str) -> Request:
    """Take our gate, and no other's, from the Pod with that uid; where it is gone already this changes nothing.

    A strategic merge patch, since in a merge patch a list is whole: it would undo what others do to theirs meanwhile.
    """
    patch = {"metadata": {"uid": uid}, "spec": {"schedulingGates": [{"$patch": "delete", "name": GATE}]}}
    return Request("PATCH", pod_path(namespace, pod_name), (), _SENDS_STRATEGIC_PATCH, msgspec.json.encode(patch))
