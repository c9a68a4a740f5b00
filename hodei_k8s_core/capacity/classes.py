"""PriorityClasses, RuntimeClasses and StorageClasses: JSON -> what is read of them."""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.capacity.node_match import PodToleration
from hodei_k8s_core.kubernetes_json import Integer, decode_object, refuse_kind


class ClassMeta(msgspec.Struct, frozen=True):
    """What is read of their metadata."""

    name: str = ""


class PriorityClass(msgspec.Struct, frozen=True, rename="camel"):
    """How important Pods are; the default one is of those that name none."""

    metadata: ClassMeta = ClassMeta()
    value: Integer = 0
    global_default: bool = False
    preemption_policy: str = ""

    @property
    def name(self) -> str:
        return self.metadata.name


class Overhead(msgspec.Struct, frozen=True, rename="camel"):
    """What a runtime takes beside the containers."""

    pod_fixed: dict[str, str | float] = {}


class RuntimeScheduling(msgspec.Struct, frozen=True, rename="camel"):
    """Which nodes have a runtime."""

    node_selector: dict[str, str] = {}
    tolerations: tuple[PodToleration, ...] = ()


class RuntimeClass(msgspec.Struct, frozen=True):
    """A way to run containers; its admission adds overhead, a node selector and tolerations to a Pod."""

    metadata: ClassMeta = ClassMeta()
    handler: str = ""
    overhead: Overhead = Overhead()
    scheduling: RuntimeScheduling = RuntimeScheduling()

    @property
    def name(self) -> str:
        return self.metadata.name


class StorageClass(msgspec.Struct, frozen=True):
    """A kind of persistent volume that is made on demand."""

    metadata: ClassMeta = ClassMeta()
    provisioner: str = ""

    @property
    def name(self) -> str:
        return self.metadata.name


class _Priorities(msgspec.Struct, frozen=True):
    kind: str = ""
    items: tuple[PriorityClass, ...] | None = None


class _Runtimes(msgspec.Struct, frozen=True):
    kind: str = ""
    items: tuple[RuntimeClass, ...] | None = None


class _Storages(msgspec.Struct, frozen=True):
    kind: str = ""
    items: tuple[StorageClass, ...] | None = None


_PRIORITIES: Final = msgspec.json.Decoder(_Priorities)
_RUNTIMES: Final = msgspec.json.Decoder(_Runtimes)
_STORAGES: Final = msgspec.json.Decoder(_Storages)


def parse_priority_classes(data: bytes | msgspec.Raw) -> tuple[PriorityClass, ...]:
    """The PriorityClasses that a reply holds. Raises: Internal."""
    body = decode_object(_PRIORITIES, data, ("PriorityClassList",))
    return body.items or () if body.kind == "PriorityClassList" else _refuse(body.kind, "PriorityClassList")


def parse_runtime_classes(data: bytes | msgspec.Raw) -> tuple[RuntimeClass, ...]:
    """The RuntimeClasses that a reply holds. Raises: Internal."""
    body = decode_object(_RUNTIMES, data, ("RuntimeClassList",))
    return body.items or () if body.kind == "RuntimeClassList" else _refuse(body.kind, "RuntimeClassList")


def parse_storage_classes(data: bytes | msgspec.Raw) -> tuple[StorageClass, ...]:
    """The StorageClasses that a reply holds. Raises: Internal."""
    body = decode_object(_STORAGES, data, ("StorageClassList",))
    return body.items or () if body.kind == "StorageClassList" else _refuse(body.kind, "StorageClassList")


def _refuse(kind: str, wanted: str) -> tuple[()]:
    raise refuse_kind(kind, (wanted,))
