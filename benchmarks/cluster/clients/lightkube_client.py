"""`lightkube`, its `AsyncClient`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from lightkube import AsyncClient
from lightkube.resources.core_v1 import Pod

from benchmarks.cluster.site import LABELS, MARK
from benchmarks.peers.lightkube_client import pod_of
from benchmarks.worker import Worker


@asynccontextmanager
async def connect(namespace: str) -> AsyncIterator[Client]:
    client = AsyncClient(namespace=namespace)
    try:
        yield Client(client, namespace)
    finally:
        await client.close()


class Client:
    def __init__(self, client: Any, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def create(self, worker: Worker) -> str:
        pod = pod_of(worker)
        pod.metadata.namespace = self._namespace
        return str((await self._client.create(pod)).metadata.name)

    async def get(self, name: str) -> str:
        return str((await self._client.get(Pod, name)).metadata.name)

    async def delete(self, name: str) -> None:
        await self._client.delete(Pod, name)

    async def count(self, _: object) -> int:
        return len([pod async for pod in self._client.list(Pod, labels=LABELS)])

    async def changes(self) -> AsyncIterator[tuple[str, str]]:
        async for _, pod in self._client.watch(Pod, labels=LABELS):
            yield pod.metadata.name, pod.metadata.labels.get(MARK, "")

    async def lines(self, name: str) -> AsyncIterator[str]:
        async for line in self._client.log(name, follow=True, timestamps=True):
            yield line
