"""Our four channels, each with a GET of one Pod."""

from __future__ import annotations

import asyncio
from typing import Any

from benchmarks.loopback.load import Answers, Load, in_tasks, in_threads
from hodei_k8s_core.http import Request
from hodei_k8s_transport.access.credential import AsyncCredentialSource, Credential, CredentialSource, Endpoint
from hodei_k8s_transport.channels.channel import AsyncChannel, Channel

GET = Request("GET", "/api/v1/namespaces/hodei-workers/pods/hodei-worker-1", (), (("accept", "application/json"),))
_CREDENTIAL = Credential(0, (("authorization", "Bearer token"),))
_TIMEOUT = 30.0


class _Token(CredentialSource):
    def current(self) -> Credential:
        return _CREDENTIAL

    def renew(self, refused: int) -> None:  # noqa: ARG002
        return None


class _AsyncToken(AsyncCredentialSource):
    async def current(self) -> Credential:
        return _CREDENTIAL

    async def renew(self, refused: int) -> None:  # noqa: ARG002
        return None


def h11_in_tasks(load: Load) -> Answers:
    from hodei_k8s_transport.channels.async_h11_channel import AsyncH11Channel

    return _in_tasks(AsyncH11Channel, load)


def httpx_in_tasks(load: Load) -> Answers:
    from hodei_k8s_transport.channels.async_httpx_channel import AsyncHttpxChannel

    return _in_tasks(AsyncHttpxChannel, load)


def h11_in_threads(load: Load) -> Answers:
    from hodei_k8s_transport.channels.h11_channel import H11Channel

    return _in_threads(H11Channel, load)


def httpx_in_threads(load: Load) -> Answers:
    from hodei_k8s_transport.channels.httpx_channel import HttpxChannel

    return _in_threads(HttpxChannel, load)


def _endpoint(load: Load) -> Endpoint:
    return Endpoint(f"http://127.0.0.1:{load.port}", headers=(("user-agent", "hodei-k8s"),))


def _in_tasks(kind: Any, load: Load) -> Answers:
    async def main() -> Answers:
        channel: AsyncChannel = kind(_endpoint(load), _AsyncToken(), max_connections=load.at_once)
        async with channel:

            async def call() -> bytes:
                return (await channel.send(GET, _TIMEOUT)).body

            return await in_tasks(load, call)

    return asyncio.run(main())


def _in_threads(kind: Any, load: Load) -> Answers:
    channel: Channel = kind(_endpoint(load), _Token(), max_connections=load.at_once)
    try:
        return in_threads(load, lambda: channel.send(GET, _TIMEOUT).body)
    finally:
        channel.close()
