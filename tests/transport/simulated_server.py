"""The simulated cluster behind a real socket, in real time: what the command line and the facades are tried on.

with SimulatedServer(Cluster(behaviours={"job:1": JOB})) as server:
    kubeconfig = server.write_kubeconfig(tmp_path / "config")

Connections are counted, so a test can tell that none was left open. Of the faults of a plan those apply that end an
exchange.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation import Answer, Cluster, FaultPlan, LoseReply, LoseRequest, ReplyCut, Rule, Stall
from hodei_k8s_core.simulation.cluster import OpenStream
from hodei_k8s_core.simulation.wire import Json
from tests.transport.leases import Leases

POLL = 0.01


class SimulatedServer:
    """Serves `cluster` on loopback while it is entered. `requests`: what was asked, in order."""

    def __init__(self, cluster: Cluster | None = None, faults: Iterable[Rule] = ()) -> None:
        self.cluster = Cluster() if cluster is None else cluster
        self.plan = FaultPlan(faults)
        self.requests: list[Request] = []
        self.open_connections = 0
        self.is_stopping = False
        self.lock = threading.RLock()
        self.leases = Leases()
        self._began = time.monotonic()
        self._server = _Listener(("127.0.0.1", 0), _Handler)
        self._server.simulated = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL,), daemon=True)

    @property
    def now(self) -> float:
        return time.monotonic() - self._began

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> SimulatedServer:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.is_stopping = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def handle(self, request: Request) -> Response | OpenStream:
        """The reply of the cluster, or of its Leases."""
        if self.leases.is_theirs(request):
            return self.leases.handle(request)
        return self.cluster.handle(request, self.now)

    def write_kubeconfig(self, path: Path) -> Path:
        """A kubeconfig that names this server."""
        cluster = {"name": "c", "cluster": {"server": self.url}}
        context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
        config = {"clusters": [cluster], "users": [], "contexts": [context], "current-context": "x"}
        path.write_text(json.dumps({**config, "users": [{"name": "u", "user": {}}]}))
        return path

    def pods(self, namespace: str = "hodei-workers") -> dict[str, Json]:
        """The Pods there, by name, as they are now."""
        with self.lock:
            self.cluster.advance(self.now)
            return self.cluster.pods(namespace)

    def wait_until(self, condition: Any, limit: float = 5.0) -> bool:
        """Whether `condition()` came true within `limit` seconds."""
        until = time.monotonic() + limit
        while not condition():
            if time.monotonic() > until:
                return False
            time.sleep(POLL)
        return True


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    simulated: SimulatedServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def handle(self) -> None:
        ours = self.server.simulated
        with ours.lock:
            ours.open_connections += 1
        try:
            super().handle()
        finally:
            with ours.lock:
                ours.open_connections -= 1

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        pass

    def _answer(self) -> None:
        ours = self.server.simulated
        request = self._request()
        with ours.lock:
            ours.requests.append(request)
            faults = ours.plan.faults_for(request)
            fault = faults[0] if faults else None
            acts = fault is None or bool(getattr(fault, "acting", True))
            reply = ours.handle(request) if acts else Response(0)
        if isinstance(fault, Stall):
            while not self._is_over():
                time.sleep(POLL)
        if isinstance(fault, Stall | LoseReply | LoseRequest | ReplyCut):
            self.close_connection = True
            return
        if isinstance(fault, Answer):
            reply = Response(fault.status, fault.headers, fault.body)
        if isinstance(reply, Response):
            self._whole(reply)
        else:
            self._stream(reply)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the base's names

    def _request(self) -> Request:
        target = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        return Request(self.command, target.path, tuple(parse_qsl(target.query)), headers, body)

    def _head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _whole(self, reply: Response) -> None:
        length = [] if reply.status == 204 else [("content-length", str(len(reply.body)))]
        self._head(reply.status, [*reply.headers, *length])
        self.wfile.write(reply.body)

    def _stream(self, reply: OpenStream) -> None:
        ours = self.server.simulated
        self._head(reply.status, [*reply.headers, ("transfer-encoding", "chunked")])
        try:
            while not self._is_over():
                with ours.lock:
                    ours.cluster.advance(ours.now)
                    chunk = reply.read(ours.now)
                if chunk is None:
                    time.sleep(POLL)
                    continue
                self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                if not chunk:
                    return
            self.close_connection = True
        finally:
            with ours.lock:
                reply.close()

    def _is_over(self) -> bool:
        """The client has gone, or this server ends."""
        if self.server.simulated.is_stopping:
            return True
        readable, _, _ = select.select([self.connection], [], [], 0)
        if not readable:
            return False
        with contextlib.suppress(OSError):
            return not self.connection.recv(1, socket.MSG_PEEK)
        return True
