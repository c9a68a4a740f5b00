"""A server in a process of its own that gives every request the same answer, as fast as asyncio can."""

from __future__ import annotations

import asyncio
import multiprocessing as mp
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

BODY = b'{"kind":"Pod","metadata":{"name":"hodei-worker-1","uid":"3b1c2f6a-1d2e-4f60-8a1b-0c1d2e3f4a5b"}}'.ljust(1500)
"""As long as a small Pod."""
_UID = b"3b1c2f6a-1d2e-4f60-8a1b-0c1d2e3f4a5b"
# The fields that an API server sends.
_REPLY = b"\r\n".join(
    (
        b"HTTP/1.1 200 OK",
        b"Audit-Id: " + _UID,
        b"Cache-Control: no-cache, private",
        b"Content-Type: application/json",
        b"X-Kubernetes-Pf-Flowschema-Uid: " + _UID,
        b"X-Kubernetes-Pf-Prioritylevel-Uid: " + _UID,
        b"Date: Tue, 24 Nov 2026 08:00:00 GMT",
        b"Content-Length: %d" % len(BODY),
        b"",
        BODY,
    )
)


@contextmanager
def canned_server() -> Iterator[int]:
    """Its port, while it runs."""
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield int(ours.recv())
    finally:
        process.kill()
        process.join()


class _Canned(asyncio.Protocol):
    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        for _ in requests:
            self._transport.write(_REPLY)


def _serve(connection: Connection) -> None:
    asyncio.run(_serve_for_ever(connection))


async def _serve_for_ever(connection: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(_Canned, "127.0.0.1", 0, backlog=256)
    connection.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()
