"""The requests that read what a cluster offers: lists, each in pages where it can be long."""

from __future__ import annotations

from typing import Final

from hodei_k8s_core.api_path import namespace_path
from hodei_k8s_core.capacity.placed_pods import PLACED
from hodei_k8s_core.http import Headers, Request

PAGE_SIZE: Final = 500
_ACCEPTS_JSON: Final[Headers] = (("accept", "application/json"),)
_PAGED: Final = (("limit", str(PAGE_SIZE)),)


def list_nodes() -> Request:
    """The first page of all nodes."""
    return _list("/api/v1/nodes", _PAGED)


def list_placed_pods() -> Request:
    """The first page of the Pods of all namespaces that take up room on a node."""
    return _list("/api/v1/pods", (("fieldSelector", PLACED), *_PAGED))


def list_quotas(namespace: str) -> Request:
    """The ResourceQuotas of a namespace. Raises: ConfigurationError."""
    return _list(f"{namespace_path(namespace)}/resourcequotas")


def list_limit_ranges(namespace: str) -> Request:
    """The LimitRanges of a namespace. Raises: ConfigurationError."""
    return _list(f"{namespace_path(namespace)}/limitranges")


def list_priority_classes() -> Request:
    """All PriorityClasses."""
    return _list("/apis/scheduling.k8s.io/v1/priorityclasses")


def list_runtime_classes() -> Request:
    """All RuntimeClasses."""
    return _list("/apis/node.k8s.io/v1/runtimeclasses")


def list_storage_classes() -> Request:
    """All StorageClasses."""
    return _list("/apis/storage.k8s.io/v1/storageclasses")


def _list(path: str, query: tuple[tuple[str, str], ...] = ()) -> Request:
    return Request("GET", path, query, _ACCEPTS_JSON)
