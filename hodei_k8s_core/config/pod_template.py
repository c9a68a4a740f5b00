"""The setting `pod_template`: an operator's base Pod, and what a worker's Pod cannot leave to it.

A template is a Pod as in a manifest: labels, annotations and whatever else `metadata` may have in a new Pod, and
`spec`. Workers are merged onto it (`hodei_k8s_core.manifest.onto_template` says what wins). What the protocol needs is
in `PROTECTED`: a template that says something else there is in conflict with it, which is a fault that names the path.
Fields that are not known here are left to the API server; of those that are, the type is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.labels import annotation_faults, label_faults
from hodei_k8s_core.spec.affinity import affinity_faults
from hodei_k8s_core.spec.environment_source import PROVIDED_ENVIRONMENT
from hodei_k8s_core.validation import fault_of, item, json_problem, type_problem
from hodei_k8s_core.worker import WORKER_CONTAINER


class Protected(msgspec.Struct, frozen=True):
    """Why a field is not the template's; `ours` is what it always is, which a template may repeat."""

    reason: str
    ours: str | None = None


_SERVERS: Final = Protected("the API server sets it")
_POD_FIELDS: Final = {
    "apiVersion": Protected("it is a Pod of v1", "v1"),
    "kind": Protected("it is a Pod", "Pod"),
    "status": _SERVERS,
}
_METADATA_FIELDS: Final = {
    "name": Protected("the worker's id makes the name, by which the worker is found again"),
    "generateName": Protected("the worker's id makes the name, by which the worker is found again"),
    "namespace": Protected("workers are where the setting namespace says, and are looked for there"),
} | dict.fromkeys(
    (
        *("uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"),
        *("deletionGracePeriodSeconds", "managedFields", "selfLink"),
    ),
    _SERVERS,
)
_SPEC_FIELDS: Final = {
    "restartPolicy": Protected("a worker runs once: what ends is TERMINATED, and its exit code is told", "Never"),
    "activeDeadlineSeconds": Protected("it is each worker's max_lifetime"),
    "terminationGracePeriodSeconds": Protected("it is the setting grace_period, which is sent when one is destroyed"),
    "serviceAccount": Protected("it is the old name of serviceAccountName"),
    "ephemeralContainers": Protected("the API server allows none in a new Pod"),
}
_WORKER_FIELDS: Final = {
    "image": Protected("it is the worker's, or the setting image"),
    "restartPolicy": Protected("a worker runs once", "Never"),
    "restartPolicyRules": Protected("a worker runs once"),
}
PROTECTED: Final[Mapping[str, Mapping[str, Protected]]] = {
    "": _POD_FIELDS,
    "metadata": _METADATA_FIELDS,
    "spec": _SPEC_FIELDS,
    f'spec.containers["{WORKER_CONTAINER}"]': _WORKER_FIELDS,
}
"""By what they are fields of. Beside these: labels and annotations that are Hodei's, the environment that a worker is
given by its provider, and the name of the worker's container."""

_LIST: Final = "a list"


class _Items(msgspec.Struct, frozen=True):
    """A list of mappings, each with a key of its own."""

    key: str
    shape: _Shape = {}


_Shape: TypeAlias = "Mapping[str, _Shape] | _Items | str"
_MAPPING: Final[_Shape] = {}
_SECURITY: Final[_Shape] = {"capabilities": {"add": _LIST, "drop": _LIST}, "seccompProfile": {}}
_RESOURCES: Final[_Shape] = {"requests": {}, "limits": {}}
_CONTAINER: Final = _Items(
    "name",
    {
        **dict.fromkeys(("command", "args", "envFrom"), _LIST),
        **dict.fromkeys(("readinessProbe", "livenessProbe", "startupProbe", "lifecycle"), _MAPPING),
        "env": _Items("name"),
        "ports": _Items("containerPort"),
        "volumeMounts": _Items("mountPath"),
        "volumeDevices": _Items("devicePath"),
        "resources": _RESOURCES,
        "securityContext": _SECURITY,
    },
)
_POD: Final[_Shape] = {
    "metadata": {"labels": {}, "annotations": {}, "finalizers": _LIST, "ownerReferences": _Items("uid")},
    "spec": {
        **dict.fromkeys(("nodeSelector", "affinity", "dnsConfig", "overhead"), _MAPPING),
        **dict.fromkeys(("tolerations", "readinessGates"), _LIST),
        **dict.fromkeys(("volumes", "imagePullSecrets", "schedulingGates", "resourceClaims"), _Items("name")),
        "containers": _CONTAINER,
        "initContainers": _CONTAINER,
        "hostAliases": _Items("ip"),
        "topologySpreadConstraints": _Items("topologyKey"),
        "resources": _RESOURCES,
        "securityContext": _SECURITY,
    },
}


def template_faults(field: str, template: object) -> list[Fault]:
    """What is wrong with a template, each with its path (`pod_template.spec.restartPolicy`)."""
    if template is None:
        return []
    if not isinstance(template, Mapping):
        return [Fault(field, type_problem(template, "a Pod as a mapping"))]
    found = fault_of(field, json_problem(template)) or _directive_faults(field, template)
    found = found or list(_shape_faults(field, template, _POD))
    if found:
        return found
    unknown = [key for key in template if key not in ("metadata", "spec", *_POD_FIELDS)]
    found = [Fault(f"{field}.{key}", "is no field of a Pod; it has metadata and spec") for key in unknown]
    return found + _conflicts(field, template)


def item_named(items: object, name: str) -> Mapping[str, Any]:
    """The one of a list of mappings that has that name; an empty one where there is none."""
    listed = items if isinstance(items, (list, tuple)) else ()
    return next((one for one in listed if one["name"] == name), {})


def _shape_faults(path: str, value: object, shape: _Shape) -> Iterator[Fault]:
    if value is None:
        return
    if isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            yield Fault(path, type_problem(value, "a mapping"))
            return
        for name, part in shape.items():
            yield from _shape_faults(f"{path}.{name}", value.get(name), part)
    elif not isinstance(value, (list, tuple)):
        yield Fault(path, type_problem(value, _LIST))
    elif isinstance(shape, _Items):
        yield from _item_faults(path, value, shape)


def _item_faults(path: str, items: list[Any] | tuple[Any, ...], shape: _Items) -> Iterator[Fault]:
    names: list[object] = []
    for index, one in enumerate(items):
        if not isinstance(one, Mapping):
            yield Fault(item(path, index), type_problem(one, "a mapping"))
        elif not isinstance(one.get(shape.key), (str, int)):
            yield Fault(f"{item(path, index)}.{shape.key}", "must be there: it tells the items apart")
        else:
            name = one[shape.key]
            # Two ports can have one number, for two protocols.
            if name in names and shape.key != "containerPort":
                yield Fault(item(path, name), "is there more than once")
            names.append(name)
            yield from _shape_faults(item(path, name), one, shape.shape)


def _directive_faults(path: str, value: object) -> list[Fault]:
    if isinstance(value, Mapping):
        own = [
            Fault(f"{path}.{key}", "is a directive of a patch, for templates of profiles")
            for key in value
            if key[:1] == "$"
        ]
        return own + [f for key, part in value.items() for f in _directive_faults(f"{path}.{key}", part)]
    parts = enumerate(value) if isinstance(value, (list, tuple)) else ()
    return [f for index, part in parts for f in _directive_faults(item(path, index), part)]


def _conflicts(field: str, template: Mapping[str, Any]) -> list[Fault]:
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    worker = item_named(spec.get("containers"), WORKER_CONTAINER)
    places = dict(zip(PROTECTED, (template, metadata, spec, worker), strict=True))
    found = [f for place, value in places.items() for f in _protected_faults(field, place, value)]
    found += affinity_faults(f"{field}.spec.affinity", spec.get("affinity"))
    found += label_faults(f"{field}.metadata.labels", metadata.get("labels") or {})
    found += annotation_faults(f"{field}.metadata.annotations", metadata.get("annotations") or {})
    for variable in worker.get("env") or ():
        if variable["name"] in PROVIDED_ENVIRONMENT:
            path = f'{field}.spec.containers["{WORKER_CONTAINER}"].env["{variable["name"]}"]'
            found.append(Fault(path, "this name is set by the provider itself"))
    if item_named(spec.get("initContainers"), WORKER_CONTAINER):
        path = f'{field}.spec.initContainers["{WORKER_CONTAINER}"]'
        found.append(Fault(path, "this name is that of the worker's own container"))
    return found


def _protected_faults(field: str, place: str, value: Mapping[str, Any]) -> Iterator[Fault]:
    prefix = f"{field}.{place}" if place else field
    for name, rule in PROTECTED[place].items():
        # null, {} and [] say nothing: `kubectl create --dry-run=client -o yaml` leaves such fields behind.
        if value.get(name) not in (None, {}, [], rule.ours):
            yield Fault(f"{prefix}.{name}", f"is not for a template: {rule.reason}")
