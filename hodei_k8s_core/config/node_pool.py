"""`NodePool`: the kind of node that an autoscaler would add, declared since no API of Kubernetes tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.labels import NODE_ARCHITECTURE, selector_faults
from hodei_k8s_core.names import label_key_problem, label_value_problem
from hodei_k8s_core.quantity import parse_quantity
from hodei_k8s_core.validation import (
    MAX_INT32,
    fault_of,
    instance,
    item,
    optional,
    raise_faults,
    sequence_faults,
    text_problem,
    text_that,
    type_problem,
    whole_number,
)

TAINT_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_QUANTITIES: Final = ("cpu", "memory", "disk")


class PoolTaint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A taint that every node of a pool has."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"


class NodePool(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What one node of the pool offers to Pods (allocatable), as quantities: what its system takes is not counted.

    `devices`: other resources, such as `{"nvidia.com/gpu": "4"}`. `labels` tell its nodes from others'; with
    `max_nodes`, nodes that carry them all are counted, and a pool that is full adds none.

    Raises: ConfigurationError with every fault.
    """

    name: str
    cpu: str
    memory: str
    disk: str = "20Gi"
    devices: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    taints: tuple[PoolTaint, ...] = ()
    architecture: str = "amd64"
    pods: int = 110
    max_nodes: int | None = None

    def __post_init__(self) -> None:
        raise_faults("the node pool is not valid", _faults(self))
        for name in ("devices", "labels"):
            msgspec.structs.force_setattr(self, name, dict(getattr(self, name)))
        msgspec.structs.force_setattr(self, "taints", tuple(self.taints))

    @property
    def node_labels(self) -> dict[str, str]:
        """Of a node of it: those that the kubelet sets, and the pool's own."""
        return {NODE_ARCHITECTURE: self.architecture, "kubernetes.io/os": "linux", **self.labels}

    def to_dict(self) -> dict[str, Any]:
        """As the setting has it in JSON; what is as by default is left out."""
        written = {field.encode_name: field for field in msgspec.structs.fields(self)}
        return {
            name: msgspec.to_builtins(getattr(self, field.name))
            for name, field in written.items()
            if getattr(self, field.name) not in (field.default, {})
        }


def _faults(pool: NodePool) -> list[Fault]:
    found = fault_of("name", text_problem(pool.name) or (None if pool.name.strip() else "must not be empty"))
    found += [f for name in _QUANTITIES for f in fault_of(name, _quantity_problem(getattr(pool, name)))]
    found += fault_of("architecture", text_that(label_value_problem)(pool.architecture))
    found += fault_of("pods", whole_number(1, MAX_INT32)(pool.pods))
    found += fault_of("max_nodes", optional(whole_number(1, MAX_INT32))(pool.max_nodes))
    found += selector_faults("labels", pool.labels)
    found += _device_faults(pool.devices)
    return found + _taint_faults(pool.taints)


def _quantity_problem(value: object) -> str | None:
    problem = text_problem(value)
    if problem is not None:
        return problem
    try:
        amount = parse_quantity(str(value))
    except ValueError as error:
        return str(error)
    return None if amount.nanos >= 0 else "must not be negative"


def _device_faults(devices: object) -> list[Fault]:
    if not isinstance(devices, Mapping):
        return [Fault("devices", type_problem(devices, "a mapping of resources to amounts"))]
    found = []
    for name, amount in devices.items():
        problem = text_problem(name) or label_key_problem(name) or _quantity_problem(amount)
        found += fault_of(item("devices", name), problem)
    return found


def _taint_faults(taints: object) -> list[Fault]:
    found = sequence_faults("taints", taints, instance(PoolTaint, "a PoolTaint"))
    if found or not isinstance(taints, (list, tuple)):
        return found
    for index, taint in enumerate(taints):
        problems = {
            "key": text_problem(taint.key) or label_key_problem(taint.key),
            "value": text_problem(taint.value) or label_value_problem(taint.value),
            "effect": None if taint.effect in TAINT_EFFECTS else f"must be one of {', '.join(TAINT_EFFECTS)}",
        }
        found += [Fault(f"{item('taints', index)}.{name}", problem) for name, problem in problems.items() if problem]
    return found
