"""What the API server refuses in a Pod (a part of it), and the defaults that it fills in (what is read here)."""

from __future__ import annotations

import re
from typing import Any

from hodei_k8s_core.simulation.statuses import bad_request, invalid
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


def check_pod(pod: Json, namespace: str) -> None:
    """Raises: Refused (400 or 422) for what is wrong with a Pod to create."""
    meta, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    if pod.get("kind") != "Pod" or pod.get("apiVersion") != "v1":
        raise bad_request("the object provided is unrecognized (must be of type Pod): couldn't get version/kind")
    if meta.get("namespace", namespace) != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    name = meta.get("name", "")
    faults = [*_name_faults(name), *metadata_faults(meta), *_spec_faults(spec)]
    if faults:
        raise invalid("Pod", name, faults)


def metadata_faults(meta: Json) -> list[Fault]:
    """What is wrong with labels and finalizers; each entry is (field, reason, message)."""
    values = (meta.get("labels") or {}).values()
    wrong = [_invalid("metadata.labels", value, _VALUE_FAULT) for value in values if not _is(_LABEL_VALUE, value, 63)]
    finalizers = enumerate(meta.get("finalizers") or [])
    return wrong + [
        _invalid(f"metadata.finalizers[{n}]", one, _NO_FINALIZER) for n, one in finalizers if "/" not in one
    ]


def _name_faults(name: str) -> list[Fault]:
    if not name:
        return [("metadata.name", "FieldValueRequired", "Required value: name or generateName is required")]
    return [] if _is(_SUBDOMAIN, name, 253) else [_invalid("metadata.name", name, _NAME_FAULT)]


def _spec_faults(spec: Json) -> list[Fault]:
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
    policy = spec.get("restartPolicy", "Always")
    if policy not in _RESTART_POLICIES:
        allowed = ", ".join(f'"{one}"' for one in _RESTART_POLICIES)
        told = f'Unsupported value: "{policy}": supported values: {allowed}'
        faults.append(("spec.restartPolicy", "FieldValueNotSupported", told))
    return faults


def with_defaults(pod: Json) -> Json:
    """The Pod as the API server stores it, without what it alone knows (uid, versions, times)."""
    spec = pod["spec"]
    containers = [
        {**_CONTAINER_DEFAULTS, "imagePullPolicy": _pull_policy(one["image"]), **one} for one in spec["containers"]
    ]
    status: Json = {"phase": "Pending", "qosClass": _qos_class(containers)}
    if spec.get("schedulingGates"):
        status["conditions"] = [_GATED]
    return {"metadata": pod["metadata"], "spec": {**_SPEC_DEFAULTS, **spec, "containers": containers}, "status": status}


_SPEC_DEFAULTS: Json = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "serviceAccountName": "default",
    "serviceAccount": "default",
    "securityContext": {},
    "schedulerName": "default-scheduler",
    "priority": 0,
    "enableServiceLinks": True,
    "preemptionPolicy": "PreemptLowerPriority",
}
_GATED: Json = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}
_CONTAINER_DEFAULTS: Json = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}


def _pull_policy(image: str) -> str:
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in ("", "latest") and "@" not in image else "IfNotPresent"


def _qos_class(containers: list[Json]) -> str:
    resources = [one["resources"] for one in containers]
    if not any(one.get("requests") or one.get("limits") for one in resources):
        return "BestEffort"
    return "Guaranteed" if all(map(_is_guaranteed, resources)) else "Burstable"


def _is_guaranteed(resources: Json) -> bool:
    limits = resources.get("limits") or {}
    return {"cpu", "memory"} <= limits.keys() and {**limits, **(resources.get("requests") or {})} == limits


def _is(pattern: str, value: Any, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and re.fullmatch(pattern, value) is not None


def _invalid(field: str, value: Any, message: str) -> Fault:
    return field, "FieldValueInvalid", f'Invalid value: "{value}": {message}'
