"""What the API server refuses in an object (a part of it)."""

from __future__ import annotations

import re
from typing import Any

from hodei_k8s_core.capacity.amounts import nanos_of
from hodei_k8s_core.simulation.resources import Resource
from hodei_k8s_core.simulation.statuses import bad_request
from hodei_k8s_core.simulation.wire import Json

Fault = tuple[str, str, str]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_NAME_FAULT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_CONTAINER_FAULT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_VALUE_FAULT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
    f"regex used for validation is '{_LABEL_VALUE}')"
)
_NO_FINALIZER = "name is neither a standard finalizer name nor is it fully qualified"


def check_head(kind: Resource, item: Json, namespace: str) -> None:
    """Raises: Refused (400) for an object of another kind or place; what it does not say is as the path says."""
    if item.get("kind", kind.kind) != kind.kind or item.get("apiVersion", kind.api_version) != kind.api_version:
        told = f"the object provided is unrecognized (must be of type {kind.kind}): couldn't get version/kind"
        raise bad_request(told)
    if kind.namespaced and (item.get("metadata") or {}).get("namespace", namespace) != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")


def label_faults(meta: Json) -> list[Fault]:
    """What is wrong with the labels; each entry is (field, reason, message)."""
    values = (meta.get("labels") or {}).values()
    return [_invalid("metadata.labels", value, _VALUE_FAULT) for value in values if not _is(_LABEL_VALUE, value, 63)]


def finalizer_faults(meta: Json) -> list[Fault]:
    """What is wrong with the finalizers."""
    finalizers = enumerate(meta.get("finalizers") or [])
    return [_invalid(f"metadata.finalizers[{n}]", one, _NO_FINALIZER) for n, one in finalizers if "/" not in one]


def name_faults(name: str) -> list[Fault]:
    """What is wrong with an object's name."""
    if not name:
        return [("metadata.name", "FieldValueRequired", "Required value: name or generateName is required")]
    return [] if _is(_SUBDOMAIN, name, 253) else [_invalid("metadata.name", name, _NAME_FAULT)]


def spec_faults(spec: Json) -> list[Fault]:
    """What is wrong with the spec of a Pod."""
    containers = spec.get("containers") or []
    faults = [] if containers else [("spec.containers", "FieldValueRequired", "Required value")]
    seen: set[str] = set()
    for number, one in enumerate(containers):
        field, name = f"spec.containers[{number}]", one.get("name", "")
        if not name:
            faults.append((f"{field}.name", "FieldValueRequired", "Required value"))
        elif name in seen:
            faults.append((f"{field}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"'))
        elif not _is(_LABEL, name, 63):
            faults.append(_invalid(f"{field}.name", name, _CONTAINER_FAULT))
        if not one.get("image"):
            faults.append((f"{field}.image", "FieldValueRequired", "Required value"))
        seen.add(name)
        faults += _amount_faults(f"{field}.resources.requests", one.get("resources") or {})
    policy = spec.get("restartPolicy", "Always")
    if policy not in _RESTART_POLICIES:
        allowed = ", ".join(f'"{one}"' for one in _RESTART_POLICIES)
        told = f'Unsupported value: "{policy}": supported values: {allowed}'
        faults.append(("spec.restartPolicy", "FieldValueNotSupported", told))
    return faults


def _amount_faults(field: str, resources: Json) -> list[Fault]:
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    return [
        _invalid(field, text, f"must be less than or equal to {name} limit of {limits[name]}")
        for name, text in requests.items()
        if name in limits and nanos_of(text) > nanos_of(limits[name])
    ]


def _is(pattern: str, value: Any, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and re.fullmatch(pattern, value) is not None


def _invalid(field: str, value: Any, message: str) -> Fault:
    return field, "FieldValueInvalid", f'Invalid value: "{value}": {message}'
