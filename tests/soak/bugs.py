"""Bugs to put in, one at a time: the soak is worth something when it finds each of them within a few seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.operations.handles import handle_for_id
from hodei_k8s_core.operations.reading import read_pod
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.requests import get_pod, watch_pods
from hodei_k8s_core.worker import WorkerHandle


def _without_uid(config: KubernetesConfig, handle: WorkerHandle) -> Operation[Pod | None]:
    return (yield from read_pod(config, handle_for_id(handle.worker_id, config)))


def _too_far(namespace: str, *, resource_version: str, **more: Any) -> Any:
    return watch_pods(namespace, resource_version=str(int(resource_version) + 3), **more)


def _anybodys(creation: Any) -> Operation[Pod | None]:
    try:
        reply = yield from call(get_pod(creation.config.namespace, creation.name), creation.config, "look")
    except ProviderError:
        return None
    return parse_pod(reply.body)


BUGS: dict[str, tuple[str, str, str, Callable[..., Any]]] = {
    "skip-uid": (
        "destroy does not look whose Pod it is",
        "destroy_worker",
        "read_pod",
        _without_uid,
    ),
    "wrong-version": ("a watch goes on from a version that it has not reached", "pod_watch", "watch_pods", _too_far),
    "no-token": ("create takes any Pod of its name for its own", "create_worker", "_find_ours", _anybodys),
}
"""Name → what it is, the module of operations, the function that is replaced, and what it becomes."""


@contextmanager
def injected(name: str) -> Iterator[None]:
    """With that bug; "" for none."""
    if not name:
        yield
        return
    _, module_name, function, other = BUGS[name]
    module = import_module(f"hodei_k8s_core.operations.{module_name}")
    before = getattr(module, function)
    setattr(module, function, other)
    try:
        yield
    finally:
        setattr(module, function, before)
