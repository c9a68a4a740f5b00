"""The floor: a reader that checks nothing, has no time limits and trusts that the reply has a length."""

from __future__ import annotations

import asyncio
import queue
import socket

from benchmarks.loopback.load import Answers, Load, in_tasks, in_threads

_REQUEST = (
    b"GET /api/v1/namespaces/hodei-workers/pods/hodei-worker-1 HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bare\r\n"
    b"Authorization: Bearer token\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n\r\n"
)
_END = b"\r\n\r\n"


def streams(load: Load) -> Answers:
    return asyncio.run(_streams(load))


async def _streams(load: Load) -> Answers:
    idle = [await asyncio.open_connection("127.0.0.1", load.port) for _ in range(load.at_once)]
    opened = tuple(idle)

    async def call() -> bytes:
        reader, writer = idle.pop()
        writer.write(_REQUEST)
        head = await reader.readuntil(_END)
        body = await reader.readexactly(_length(head))
        idle.append((reader, writer))
        return body

    try:
        return await in_tasks(load, call)
    finally:
        for _, writer in opened:
            writer.close()


def blocking(load: Load) -> Answers:
    idle: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
    opened = [socket.create_connection(("127.0.0.1", load.port)) for _ in range(load.at_once)]
    for connection in opened:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        idle.put(connection)

    def call() -> bytes:
        connection = idle.get()
        connection.sendall(_REQUEST)
        data = b""
        while _END not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(_END)
        while len(body) < _length(head):
            body += connection.recv(65536)
        idle.put(connection)
        return body

    try:
        return in_threads(load, call)
    finally:
        for connection in opened:
            connection.close()


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
