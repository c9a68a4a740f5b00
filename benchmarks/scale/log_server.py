"""A server in another process with one finished Pod, whose log is as long as it is told."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.data import CHUNK, busy_log
from tests.recordings import load

_BLOCK = 100_000
_DAY = b"2026-11-23T"
_PROGRAM = f"from {__name__} import main; main()"
KUBECONFIG = """
{{apiVersion: v1, kind: Config, current-context: bench, users: [{{name: bench, user: {{}}}}],
 clusters: [{{name: bench, cluster: {{server: "http://127.0.0.1:{port}"}}}}],
 contexts: [{{name: bench, context: {{cluster: bench, user: bench}}}}]}}
"""


@contextmanager
def log_server(blocks: int) -> Iterator[dict[str, str]]:
    """The environment in which it is the cluster."""
    server = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(blocks)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        with server, tempfile.TemporaryDirectory() as folder:
            if server.stdin is None or server.stdout is None:
                raise RuntimeError("it has no pipes")
            kubeconfig = Path(folder) / "kubeconfig"
            kubeconfig.write_text(KUBECONFIG.format(port=int(server.stdout.readline())))
            yield {"KUBECONFIG": str(kubeconfig)}
            server.stdin.close()
    finally:
        server.kill()


def pod() -> bytes:
    """The Pod, as the API server told it last."""
    return load("v1.36/succeeds").bodies("get")[-1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    block = b""
    blocks = 1

    def do_GET(self) -> None:
        if "/log" not in self.path:
            self._answer([pod()], "application/json")
        elif "sinceTime" in self.path:
            self._answer([self._last_second()], "text/plain")
        else:
            self._answer(self._log(), "text/plain")

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, parts: list[bytes] | Iterator[bytes], kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in parts:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def _log(self) -> Iterator[bytes]:
        """Each block on a day of its own."""
        for number in range(self.blocks):
            block = self.block.replace(_DAY, b"2026-12-%02dT" % (number + 1))
            for start in range(0, len(block), CHUNK):
                yield block[start : start + CHUNK]

    def _last_second(self) -> bytes:
        last = self.block.splitlines(keepends=True)[-1][:19]
        lines = re.findall(rb"^" + last + rb".*\n", self.block, re.MULTILINE)
        return b"".join(lines).replace(_DAY, b"2026-12-%02dT" % self.blocks)


def main() -> None:
    """Serves until its standard input ends; says its port first. The argument: how many blocks of 100,000 lines."""
    _Handler.blocks = int(sys.argv[1])
    _Handler.block = b"".join(busy_log(_BLOCK))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        server.shutdown()
