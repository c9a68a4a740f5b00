"""A server in another process: any Pod runs, and its followed log has a line every tenth of a second."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scale.log_server import KUBECONFIG
from tests.recordings import load

_TICK = 0.1
_PROGRAM = f"from {__name__} import main; main()"
_LINE = "2026-11-23T14:%02d:%02d.%09dZ a line of some length, as a build writes them: step %d is done\n"


@dataclass(frozen=True)
class FollowServer:
    """`environ`: in which it is the cluster."""

    port: int
    environ: dict[str, str]

    def most_open(self) -> int:
        """How many logs were open at once."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/most-open", timeout=10) as reply:
            return int(json.load(reply))


@contextlib.contextmanager
def follow_server() -> Iterator[FollowServer]:
    """Ends with the block."""
    server = subprocess.Popen([sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        with server, tempfile.TemporaryDirectory() as folder:
            if server.stdin is None or server.stdout is None:
                raise RuntimeError("it has no pipes")
            port = int(server.stdout.readline())
            kubeconfig = Path(folder) / "kubeconfig"
            kubeconfig.write_text(KUBECONFIG.format(port=port))
            yield FollowServer(port, {"KUBECONFIG": str(kubeconfig)})
            server.stdin.close()
    finally:
        server.kill()


def running_pod() -> bytes:
    """A Pod that runs, as the API server told it."""
    bodies = load("v1.36/ready-then-running").bodies("get")
    return next(body for body in reversed(bodies) if b'"phase":"Running"' in body)


class _Server:
    def __init__(self) -> None:
        self.pod = running_pod()
        self.open = 0
        self.most_open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1]
                if b"/log" in target:
                    await self._log(writer)
                elif target == b"/most-open":
                    self._answer(writer, json.dumps(self.most_open).encode())
                else:
                    self._answer(writer, self.pod)
        writer.close()

    def _answer(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        writer.write(head + body)

    async def _log(self, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number in range(36_000):
                line = (_LINE % (number // 600 % 60, number // 10 % 60, number % 10 * 10**8, number)).encode()
                writer.write(b"%x\r\n%b\r\n" % (len(line), line))
                await writer.drain()
                await asyncio.sleep(_TICK)
        finally:
            self.open -= 1


async def _main() -> None:
    ours = _Server()
    server = await asyncio.start_server(ours.serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


def main() -> None:
    """Serves until its standard input ends; says its port first."""
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_main())
