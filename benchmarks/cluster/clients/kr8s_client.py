"""`kr8s`, its asyncio side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import kr8s.asyncio
from kr8s.asyncio.objects import Pod

from benchmarks.cluster.site import LABELS, MARK
from benchmarks.peers import plain_python
from benchmarks.worker import Worker


@asynccontextmanager
async def connect(namespace: str) -> AsyncIterator[Client]:
    yield Client(await kr8s.asyncio.api(namespace=namespace), namespace)


class Client:
    def __init__(self, api: Any, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    async def create(self, worker: Worker) -> str:
        pod = await Pod(plain_python.pod_of(worker), namespace=self._namespace, api=self._api)
        await pod.create()
        return str(pod.name)

    async def get(self, name: str) -> str:
        return str((await Pod.get(name, namespace=self._namespace, api=self._api)).name)

    async def delete(self, name: str) -> None:
        pod = await Pod({"metadata": {"name": name}}, namespace=self._namespace, api=self._api)
        await pod.delete()

    async def count(self, _: object) -> int:
        pods = self._api.get("pods", namespace=self._namespace, label_selector=LABELS)
        return len([pod async for pod in pods])

    async def changes(self) -> AsyncIterator[tuple[str, str]]:
        async for _, pod in self._api.watch("pods", namespace=self._namespace, label_selector=LABELS):
            yield pod.name, pod.labels.get(MARK, "")

    async def lines(self, name: str) -> AsyncIterator[str]:
        pod = await Pod({"metadata": {"name": name}}, namespace=self._namespace, api=self._api)
        async for line in pod.logs(follow=True, timestamps=True):
            yield line
