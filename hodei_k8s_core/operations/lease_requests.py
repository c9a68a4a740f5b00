"""The requests about a Lease."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from hodei_k8s_core.api_path import refuse, unusable_name
from hodei_k8s_core.http import Request
from hodei_k8s_core.requests import ACCEPTS_JSON, SENDS_JSON


def get_lease(namespace: str, name: str) -> Request:
    """Read a Lease."""
    return Request("GET", _lease_path(namespace, name), (), ACCEPTS_JSON)


def create_lease(namespace: str, name: str, spec: Mapping[str, Any]) -> Request:
    """Create a Lease; refused (409) where there is one of that name."""
    return Request("POST", _leases_path(namespace), (), SENDS_JSON, _lease(namespace, name, spec))


def update_lease(namespace: str, name: str, spec: Mapping[str, Any], *, resource_version: str) -> Request:
    """Write a Lease anew; refused (409) if it has changed since `resource_version`."""
    body = _lease(namespace, name, spec, resourceVersion=resource_version)
    return Request("PUT", _lease_path(namespace, name), (), SENDS_JSON, body)


def _leases_path(namespace: str) -> str:
    refuse(unusable_name("namespace", namespace))
    return f"/apis/coordination.k8s.io/v1/namespaces/{quote(namespace, safe='')}/leases"


def _lease_path(namespace: str, name: str) -> str:
    refuse(unusable_name("name", name))
    return f"{_leases_path(namespace)}/{quote(name, safe='')}"


def _lease(namespace: str, name: str, spec: Mapping[str, Any], **metadata: str) -> bytes:
    meta = {"name": name, "namespace": namespace, **metadata}
    body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": dict(spec)}
    return msgspec.json.encode(body)
