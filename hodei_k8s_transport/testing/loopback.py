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
import enum
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import msgspec

_POLL = 0.01
_HEAD_END = b"\r\n\r\n"


class Afterwards(enum.Enum):
    """What a connection does after the bytes of a reply."""

    KEEP = "wait for the next request"
    CLOSE = "close"
    RESET = "close with a reset"
    STALL = "say nothing until the client goes or the server ends"


class Reply(msgspec.Struct, frozen=True):
    """Bytes on the wire, and what comes after them. `pause`: seconds before each byte, for a slow server."""

    wire: bytes
    afterwards: Afterwards = Afterwards.KEEP
    pause: float = 0.0


class ReceivedRequest(msgspec.Struct, frozen=True):
    """A request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


class LiveBody:
    """A chunked reply that a test writes while it is open; every connection gets it from its beginning."""

    def __init__(self, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self._changed = threading.Condition()
        self._pieces: list[bytes] = [_head(200, (("transfer-encoding", "chunked"), *headers))]
        self._afterwards: Afterwards | None = None

    def send(self, data: bytes) -> None:
        self._add(f"{len(data):x}\r\n".encode() + data + b"\r\n", None)

    def end(self) -> None:
        """Complete the body; the connection is kept."""
        self._add(b"0\r\n\r\n", Afterwards.KEEP)

    def cut(self, afterwards: Afterwards = Afterwards.CLOSE) -> None:
        """Close the connection with the body incomplete."""
        self._add(b"", afterwards)

    def _add(self, piece: bytes, afterwards: Afterwards | None) -> None:
        with self._changed:
            self._pieces.append(piece)
            self._afterwards = self._afterwards or afterwards
            self._changed.notify_all()

    def piece(self, index: int, limit: float) -> bytes | Afterwards | None:
        """For the server: the piece `index`, what comes after the last, or None when there is none yet."""
        with self._changed:
            self._changed.wait_for(lambda: index < len(self._pieces) or self._afterwards is not None, limit)
            return self._pieces[index] if index < len(self._pieces) else self._afterwards


Answer = Reply | LiveBody
Route = Answer | Callable[[ReceivedRequest], Answer]


def reply(status: int = 200, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A reply that is right."""
    return Reply(_head(status, (("content-length", str(len(body))), *headers)) + body)


def chunked_reply(pieces: tuple[bytes, ...], headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A complete reply with its body in chunks."""
    body = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    return Reply(_head(200, (("transfer-encoding", "chunked"), *headers)) + body + b"0\r\n\r\n")


def cut_after(whole: Reply, size: int) -> Reply:
    """The first `size` bytes of a reply, then the connection closes."""
    return Reply(whole.wire[:size], Afterwards.CLOSE)


def stalled_after(whole: Reply, size: int) -> Reply:
    """The first `size` bytes of a reply, then nothing."""
    return Reply(whole.wire[:size], Afterwards.STALL)


def then_closed(whole: Reply) -> Reply:
    """A whole reply that promises keep-alive; then the connection closes."""
    return Reply(whole.wire, Afterwards.CLOSE)


NEVER = Reply(b"", Afterwards.STALL)
"""Takes the request and says nothing."""
HANG_UP = Reply(b"", Afterwards.CLOSE)
"""Takes the request and closes."""


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


def _head(status: int, headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode() + _HEAD_END


def _requests(connection: socket.socket) -> Iterator[ReceivedRequest]:
    buffer = b""
    while True:
        while _HEAD_END not in buffer:
            data = connection.recv(65536)
            if not data:
                return
            buffer += data
        head, _, buffer = buffer.partition(_HEAD_END)
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
