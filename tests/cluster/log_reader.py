"""A program that follows a worker's log and writes down each number with its cursor, to be killed by a test.

python -m tests.cluster.log_reader HOST CONFIG-JSON HANDLE-JSON FILE [CURSOR]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, TextIO

import anyio

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.worker import WorkerHandle
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.provider import KubernetesProvider


def note(item: Any, file: TextIO) -> None:
    file.write(f"{item.message.partition(' ')[0]} {item.cursor}\n")


def read_in_thread(config: KubernetesConfig, handle: WorkerHandle, file: TextIO, since: str | None) -> None:
    with KubernetesProvider.connect(config) as provider, provider.follow_worker_logs(handle, since=since) as items:
        for item in items:
            note(item, file)


async def read_in_task(config: KubernetesConfig, handle: WorkerHandle, file: TextIO, since: str | None) -> None:
    async with (
        AsyncKubernetesProvider.connect(config) as provider,
        provider.follow_worker_logs(handle, since=since) as items,
    ):
        async for item in items:
            note(item, file)


def main(host: str, config: str, handle: str, path: str, since: str | None = None) -> None:
    settings = KubernetesConfig(**json.loads(config))
    with Path(path).open("a") as file:
        if host == "sync":
            read_in_thread(settings, WorkerHandle.from_json(handle), file, since)
        else:
            anyio.run(read_in_task, settings, WorkerHandle.from_json(handle), file, since, backend=host)


if __name__ == "__main__":
    main(*sys.argv[1:])
