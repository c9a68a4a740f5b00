"""Is a worker that went out of view gone, or does its Pod live without a label of the selector? Only a look can tell.

A watch shows both as DELETED, with the object as it was before (k8s.io/apiserver, cacher: convertToWatchEvent), and a
list shows neither. So the server is asked, wherever the deletion was not seen to be under way: for the few by their
names, for many by one list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.operations.pod_listing import list_whole
from hodei_k8s_core.operations.reading import read_pod
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.worker import WorkerHandle
from hodei_k8s_core.worker_change import ChangeKind, WorkerChange

FEW: Final = 10
_REMOVED: Final = ChangeKind.REMOVED


def settle_removals(config: KubernetesConfig, changes: Sequence[WorkerChange]) -> Operation[list[WorkerChange]]:
    """The same changes, with `gone` set for every removed worker whose Pod does not exist any more.

    Where the server cannot be asked (a permission is missing, it does not answer) they stay as they are.
    """
    removed = [change for change in changes if change.kind is _REMOVED and not change.gone]
    if not removed:
        return list(changes)
    try:
        if len(removed) <= FEW:
            living = yield from _look_at(config, [change.info.handle for change in removed])
        else:
            living = frozenset((yield from _list(config)))
    except ProviderError:
        return list(changes)
    return [
        WorkerChange(kind=_REMOVED, info=change.seen, gone=True)
        if change.kind is _REMOVED and change.seen.pod_uid not in living
        else change
        for change in changes
    ]


def _look_at(config: KubernetesConfig, handles: Sequence[WorkerHandle]) -> Operation[frozenset[str]]:
    living = set()
    for handle in handles:
        if (yield from read_pod(config, handle)) is not None:
            living.add(handle.pod_uid)
    return frozenset(living)


def _list(config: KubernetesConfig) -> Operation[list[str]]:
    return (yield from list_whole(config, "look for the workers that went out of view", _uid))


def _uid(pod: Pod, date: float | None) -> str:  # noqa: ARG001 - as every reader of a list
    return pod.metadata.uid
