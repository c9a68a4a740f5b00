"""This library, in threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.cluster.site import MARK, PROVIDER_ID, config_of
from benchmarks.peers.hodei import worker_spec
from benchmarks.worker import Worker
from hodei_k8s_core.log_entry import LogEntry
from hodei_k8s_core.worker import WorkerHandle
from hodei_k8s_core.worker_change import WorkerChange
from hodei_k8s_transport import KubernetesProvider


@contextmanager
def connect(namespace: str) -> Iterator[Client]:
    with KubernetesProvider.connect(config_of(namespace)) as provider:
        yield Client(provider, namespace)


class Client:
    def __init__(self, provider: KubernetesProvider, namespace: str) -> None:
        self._provider = provider
        self._namespace = namespace

    def create(self, worker: Worker) -> str:
        return self._provider.create_worker(worker_spec(worker)).pod_name

    def get(self, name: str) -> str:
        self._provider.get_worker_status(self._handle(name))
        return name

    def delete(self, name: str) -> None:
        self._provider.begin_destroy_worker(self._handle(name))

    def count(self, _: object) -> int:
        return len(self._provider.list_workers())

    def changes(self) -> Iterator[tuple[str, str]]:
        with self._provider.watch_workers() as items:
            for item in items:
                if isinstance(item, WorkerChange):
                    yield item.info.handle.pod_name, item.info.labels.get(MARK, "")

    def lines(self, name: str) -> Iterator[str]:
        with self._provider.follow_worker_logs(self._handle(name)) as items:
            for item in items:
                if isinstance(item, LogEntry):
                    yield item.message

    def _handle(self, name: str) -> WorkerHandle:
        return WorkerHandle(
            worker_id=name.removeprefix("hodei-worker-"),
            provider_resource_id=name,
            provider_id=PROVIDER_ID,
            created_at=0.0,
            metadata={"namespace": self._namespace},
        )
