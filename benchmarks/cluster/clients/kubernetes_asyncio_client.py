"""`kubernetes_asyncio`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kubernetes_asyncio import client, config, watch

from benchmarks.cluster.site import MARK, SELECTOR
from benchmarks.peers import generated_models
from benchmarks.worker import Worker


@asynccontextmanager
async def connect(namespace: str) -> AsyncIterator[Client]:
    settings = client.Configuration()
    await config.load_kube_config(client_configuration=settings)
    async with client.ApiClient(settings) as api:
        yield Client(client.CoreV1Api(api), namespace)


class Client:
    def __init__(self, api: Any, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    async def create(self, worker: Worker) -> str:
        pod = generated_models.pod(client, worker)
        pod.metadata.namespace = self._namespace
        return str((await self._api.create_namespaced_pod(self._namespace, pod)).metadata.name)

    async def get(self, name: str) -> str:
        return str((await self._api.read_namespaced_pod(name, self._namespace)).metadata.name)

    async def delete(self, name: str) -> None:
        await self._api.delete_namespaced_pod(name, self._namespace)

    async def count(self, _: object) -> int:
        return len((await self._api.list_namespaced_pod(self._namespace, label_selector=SELECTOR)).items)

    async def changes(self) -> AsyncIterator[tuple[str, str]]:
        stream = watch.Watch().stream(self._api.list_namespaced_pod, self._namespace, label_selector=SELECTOR)
        async for event in stream:
            meta = event["object"].metadata
            yield meta.name, meta.labels.get(MARK, "")

    async def lines(self, name: str) -> AsyncIterator[str]:
        stream = watch.Watch().stream(self._api.read_namespaced_pod_log, name, self._namespace, timestamps=True)
        async for line in stream:
            yield line
