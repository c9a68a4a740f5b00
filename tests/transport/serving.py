"""`serve` in a task beside the test, and a client for its pages."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anyio
import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.reconcile_policy import ReconcilePolicy
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.lease import LeasePolicy
from hodei_k8s_transport.service.serve import ServeOptions, serve

LIMIT = 20.0
QUICK = LeasePolicy(duration=10, renew_deadline=8.0, retry_period=0.1)


def config_for(kubeconfig: Any, **settings: Any) -> KubernetesConfig:
    policy = ReconcilePolicy(min_age=0, interval=0.5, free_removals=1000)
    retry = RetryPolicy(max_attempts=1)
    return KubernetesConfig(
        **{"provider_id": "ci", "kubeconfig_path": str(kubeconfig), "reconcile": policy, "retry": retry, **settings}
    )


class Served:
    """One `serve` that runs. `over`: it has returned."""

    def __init__(self, port: int, stops: Any) -> None:
        self.port = port
        self.over = anyio.Event()
        self._stops = stops

    def stop(self) -> None:
        self._stops.send_nowait("stop")

    async def get(self, path: str) -> tuple[int, bytes]:
        return await get(self.port, path)

    async def fleet(self) -> dict[str, Any]:
        """The document of its only cluster."""
        (document,) = msgspec.json.decode((await self.get("/fleet"))[1])["clusters"]
        told: dict[str, Any] = document
        return told

    async def until(self, path: str, status: int) -> None:
        """The page has that status before the limit."""
        with anyio.fail_after(LIMIT):
            while (await self.get(path))[0] != status:
                await anyio.sleep(0.02)

    async def until_leading(self) -> None:
        with anyio.fail_after(LIMIT):
            while not (await self.fleet())["leads"]:
                await anyio.sleep(0.02)


@contextlib.asynccontextmanager
async def serving(*configs: KubernetesConfig, **options: Any) -> AsyncIterator[Served]:
    """`serve` on loopback; it is asked to stop at the end, and must."""
    chosen = ServeOptions(**{"host": "127.0.0.1", "port": 0, "lease": QUICK, **options})
    send, receive = anyio.create_memory_object_stream[str](10)

    async def run(*, task_status: Any) -> None:
        await serve(configs, chosen, environ={}, stops=receive, task_status=task_status)
        served.over.set()

    async with anyio.create_task_group() as tasks:
        served = Served(0, send)
        served.port = await tasks.start(run)
        yield served
        if not served.over.is_set():
            served.stop()
        with anyio.fail_after(LIMIT):
            await served.over.wait()
    send.close()
    receive.close()


async def get(port: int, path: str) -> tuple[int, bytes]:
    status, _, body = await ask(port, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return status, body


async def ask(port: int, request: bytes) -> tuple[int, bytes, bytes]:
    """Status, headers and body of what is answered to these bytes, until the server closes."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(request)
        reply = bytearray()
        with contextlib.suppress(anyio.EndOfStream):
            while True:
                reply += await stream.receive()
    head, _, body = bytes(reply).partition(b"\r\n\r\n")
    return (int(head.split()[1]) if head else 0), head, body
