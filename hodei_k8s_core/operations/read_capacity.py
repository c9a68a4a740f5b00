"""What a cluster offers, read page by page. What may not be read is left out, and said so.

Of a Pod only its sum is kept, so memory grows with the nodes. A list whose version expires between two pages goes on
at a newer one (the continuation that the 410 offers): no Pod is counted twice, since lists are in the order of their
keys, and one that came meanwhile can be missed, as it can be in any answer that is a moment old.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hodei_k8s_core.capacity.classes import parse_priority_classes, parse_runtime_classes, parse_storage_classes
from hodei_k8s_core.capacity.limit_range import parse_limit_ranges
from hodei_k8s_core.capacity.node import Node, parse_node_list
from hodei_k8s_core.capacity.placed_pods import UsageFold, parse_placed_pods
from hodei_k8s_core.capacity.quota import parse_quotas
from hodei_k8s_core.capacity.snapshot import (
    LIMIT_RANGES,
    NODES,
    PLACED_PODS,
    PRIORITY_CLASSES,
    QUOTAS,
    RUNTIME_CLASSES,
    STORAGE_CLASSES,
    Snapshot,
    Unread,
)
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation, WallClock
from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.http import Request
from hodei_k8s_core.operations import capacity_requests as requests
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.operations.deadline import step, with_deadline
from hodei_k8s_core.requests import next_page

T = TypeVar("T")
_NODES_FIRST = Unread(PLACED_PODS, "not asked for, since the nodes cannot be read")


def read_capacity(config: KubernetesConfig) -> Operation[Snapshot]:
    """Nodes, what is taken on them, and the rules of the namespace, within `config.operation_timeout` seconds.

    Raises: ConnectionFailed, AuthenticationFailed, Timeout, Internal; not for a permission that is missing.
    """
    return (yield from with_deadline(_read(config), config.operation_timeout, what="read the cluster's capacity"))


def _read(config: KubernetesConfig) -> Operation[Snapshot]:
    reader = _Reader(config)
    read_at = yield from WallClock()
    nodes: list[Node] = []
    usage = UsageFold()

    def take_nodes(body: bytes) -> str:
        page = parse_node_list(body)
        nodes.extend(page.items)
        return page.continue_token

    def take_pods(body: bytes) -> str:
        page = parse_placed_pods(body)
        usage.add(page.items)
        return page.continue_token

    yield from step("read_capacity", "list the nodes")
    if (yield from reader.pages(NODES, requests.list_nodes(), take_nodes)):
        yield from step("read_capacity", "list the Pods on them")
        yield from reader.pages(PLACED_PODS, requests.list_placed_pods(), take_pods)
    else:
        reader.unread.append(_NODES_FIRST)
    yield from step("read_capacity", "list the rules of the namespace")
    namespace = config.namespace
    quotas = yield from reader.whole(QUOTAS, requests.list_quotas(namespace), parse_quotas)
    limit_ranges = yield from reader.whole(LIMIT_RANGES, requests.list_limit_ranges(namespace), parse_limit_ranges)
    yield from step("read_capacity", "list the classes")
    priorities = yield from reader.whole(PRIORITY_CLASSES, requests.list_priority_classes(), parse_priority_classes)
    runtimes = yield from reader.whole(RUNTIME_CLASSES, requests.list_runtime_classes(), parse_runtime_classes)
    storages = yield from reader.whole(STORAGE_CLASSES, requests.list_storage_classes(), parse_storage_classes)
    return Snapshot(
        nodes=tuple(nodes),
        usage=usage.by_node(),
        quotas=quotas,
        limit_ranges=limit_ranges,
        priority_classes=priorities,
        runtime_classes=runtimes,
        storage_classes=storages,
        unread=tuple(reader.unread),
        read_at=read_at,
    )


class _Reader:
    """Reads lists; what it may not read it notes in `unread`."""

    def __init__(self, config: KubernetesConfig) -> None:
        self._config = config
        self.unread: list[Unread] = []

    def pages(self, resource: str, first: Request, take: Callable[[bytes], str]) -> Operation[bool]:
        """Give every page to `take`, which says how to go on; whether the list may be read."""
        request = first
        while True:
            try:
                reply = yield from call(request, self._config, f"list {resource}")
            except ProviderError as error:
                if error.status is not None and error.status.is_expired and error.status.continue_token:
                    request = next_page(first, error.status.continue_token)
                    continue
                self._note(resource, error)
                return False
            token = take(reply.body)
            if not token:
                return True
            request = next_page(first, token)

    def whole(
        self, resource: str, request: Request, parse: Callable[[bytes], tuple[T, ...]]
    ) -> Operation[tuple[T, ...]]:
        """A short list, in one reply; empty where it may not be read."""
        try:
            reply = yield from call(request, self._config, f"list {resource}")
        except ProviderError as error:
            self._note(resource, error)
            return ()
        return parse(reply.body)

    def _note(self, resource: str, error: ProviderError) -> None:
        """Raises the error again unless it says that this list is not for us."""
        status = error.status
        if status is not None and status.is_forbidden:
            self.unread.append(Unread(resource, f"not permitted: {status.message or 'list'}"))
        elif status is not None and status.is_not_found:
            self.unread.append(Unread(resource, "the API server does not have this resource"))
        else:
            raise error
