"""`lightkube`, its `Client`, in threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightkube import Client as LightkubeClient
from lightkube.resources.core_v1 import Pod

from benchmarks.cluster.site import LABELS, MARK
from benchmarks.peers.lightkube_client import pod_of
from benchmarks.worker import Worker


@contextmanager
def connect(namespace: str) -> Iterator[Client]:
    yield Client(LightkubeClient(namespace=namespace), namespace)


class Client:
    def __init__(self, client: Any, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def create(self, worker: Worker) -> str:
        pod = pod_of(worker)
        pod.metadata.namespace = self._namespace
        return str(self._client.create(pod).metadata.name)

    def get(self, name: str) -> str:
        return str(self._client.get(Pod, name).metadata.name)

    def delete(self, name: str) -> None:
        self._client.delete(Pod, name)

    def count(self, _: object) -> int:
        return len(list(self._client.list(Pod, labels=LABELS)))

    def changes(self) -> Iterator[tuple[str, str]]:
        for _, pod in self._client.watch(Pod, labels=LABELS):
            yield pod.metadata.name, pod.metadata.labels.get(MARK, "")

    def lines(self, name: str) -> Iterator[str]:
        yield from self._client.log(name, follow=True, timestamps=True)
