"""A small HTTP/1.1 server on loopback that can misbehave: plain sockets and threads, so that it fits any host.

    with LoopbackServer() as server:
        server.route("/pods", reply(200, b"{}"))
        server.route("/broken", cut_after(reply(200, b"{}"), 20))
        watch = LiveBody()
        server.route("/watch", watch)
        watch.send(b'{"type":"ADDED"}\n')

It counts connections, so a test can tell that none was left open.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

from hodei_k8s_transport.testing.loopback_answers import (
    HANG_UP,
    HEAD_END,
    NEVER,
    Afterwards,
    LiveBody,
    ReceivedRequest,
    Reply,
    Route,
    chunked_reply,
    cut_after,
    reply,
    stalled_after,
    then_closed,
)

__all__ = [
    "HANG_UP",
    "NEVER",
    "Afterwards",
    "LiveBody",
    "LoopbackServer",
    "ReceivedRequest",
    "Reply",
    "chunked_reply",
    "cut_after",
    "reply",
    "stalled_after",
    "then_closed",
]

_POLL = 0.01


class LoopbackServer:
    """Listens while it is entered. `tls`: the server's context, for https; see `url`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[ReceivedRequest] = []
        self.accepted = 0
        self._tls = tls
        self._routes: dict[str, list[Route]] = {}
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    def route(self, path: str, *answers: Route) -> None:
        """Answer requests for `path` (without query) with these in turn; the last one is repeated."""
        with self._lock:
            self._routes[path] = list(answers)

    def wait_until(self, condition: Callable[[], bool], limit: float = 5.0) -> bool:
        """Whether `condition` came true within `limit` seconds."""
        deadline = time.monotonic() + limit
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL)
        return True

    def __enter__(self) -> LoopbackServer:
        self._start(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close every connection and the port."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.accepted += 1
                self._connections.add(raw)
            self._start(self._serve, raw)

    def _serve(self, raw: socket.socket) -> None:
        connection = raw
        try:
            with contextlib.suppress(OSError, ValueError):
                if self._tls is not None:
                    connection = self._tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
                    with self._lock:
                        self._connections.discard(raw)
                        self._connections.add(connection)
                    connection.do_handshake()
                for request in _requests(connection):
                    if not self._answer(connection, request):
                        return
        finally:
            connection.close()
            with self._lock:
                self._connections -= {raw, connection}

    def _answer(self, connection: socket.socket, request: ReceivedRequest) -> bool:
        with self._lock:
            self.requests.append(request)
            answers = self._routes.get(request.path) or [reply(404)]
            route = answers.pop(0) if len(answers) > 1 else answers[0]
        answer = route(request) if callable(route) else route
        afterwards = (
            self._write_live(connection, answer) if isinstance(answer, LiveBody) else self._write(connection, answer)
        )
        if afterwards is Afterwards.STALL:
            while not self._is_over(connection):
                time.sleep(_POLL)
        if afterwards is Afterwards.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        return afterwards is Afterwards.KEEP

    def _write(self, connection: socket.socket, answer: Reply) -> Afterwards:
        if answer.pause == 0:
            connection.sendall(answer.wire)
            return answer.afterwards
        for byte in answer.wire:
            if self._stopping.wait(answer.pause):
                break
            connection.sendall(bytes((byte,)))
        return answer.afterwards

    def _write_live(self, connection: socket.socket, live: LiveBody) -> Afterwards:
        index = 0
        while not self._is_over(connection):
            piece = live.piece(index, _POLL)
            if isinstance(piece, Afterwards):
                return piece
            if piece is not None:
                connection.sendall(piece)
                index += 1
        return Afterwards.CLOSE

    def _is_over(self, connection: socket.socket) -> bool:
        if self._stopping.is_set():
            return True
        readable, _, _ = select.select([connection], [], [], 0)
        # The plain socket's recv: that of a TLS socket cannot peek.
        return bool(readable) and not socket.socket.recv(connection, 1, socket.MSG_PEEK)


def _requests(connection: socket.socket) -> Iterator[ReceivedRequest]:
    buffer = b""
    while True:
        while HEAD_END not in buffer:
            data = connection.recv(65536)
            if not data:
                return
            buffer += data
        head, _, buffer = buffer.partition(HEAD_END)
        first, *fields = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        length = int(headers.get("content-length", "0"))
        while len(buffer) < length:
            data = connection.recv(65536)
            if not data:
                return
            buffer += data
        body, buffer = buffer[:length], buffer[length:]
        yield ReceivedRequest(method, target, headers, body)
