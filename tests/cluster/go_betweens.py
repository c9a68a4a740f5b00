"""What can stand between us and an API server, on loopback: a proxy for CONNECT, and a reverse proxy with a prefix."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from typing import Self
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"


class GoBetween:
    """Listens while it is entered, with a thread a connection. `seen`: the first line of every request."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._guard, args=(connection,), daemon=True).start()

    def _guard(self, connection: socket.socket) -> None:
        self._open.add(connection)
        try:
            with contextlib.suppress(OSError, ValueError):
                self.serve(connection)
        finally:
            self._open.discard(connection)
            connection.close()

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError


class ConnectProxy(GoBetween):
    """An HTTP proxy that opens tunnels."""

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def serve(self, connection: socket.socket) -> None:
        head, rest = read_head(connection)
        line = head.split(b"\r\n")[0].decode()
        self.seen.append(line)
        host, _, port = line.split(" ")[1].rpartition(":")
        with socket.create_connection((host, int(port))) as server:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            server.sendall(rest)
            pump(connection, server)


class ReverseProxy(GoBetween):
    """Serves an API server below `/prefix`, over TLS, one request a connection."""

    def __init__(self, server: str, prefix: str, tls: ssl.SSLContext, onward: ssl.SSLContext) -> None:
        super().__init__()
        self._server = urlsplit(server)
        self._prefix = prefix
        self._tls = tls
        self._onward = onward

    @property
    def url(self) -> str:
        return f"https://{self.address}{self._prefix}"

    def serve(self, connection: socket.socket) -> None:
        with self._tls.wrap_socket(connection, server_side=True) as client:
            head, rest = read_head(client)
            line, *fields = head.split(b"\r\n")
            self.seen.append(line.decode())
            method, target, version = line.split(b" ")
            if not target.startswith(self._prefix.encode()):
                client.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                return
            target = target.removeprefix(self._prefix.encode())
            fields = [field for field in fields if not field.lower().startswith(b"connection:")]
            onward = [b" ".join((method, target, version)), *fields, b"connection: close"]
            host, port = self._server.hostname or "", self._server.port or 443
            with (
                socket.create_connection((host, port)) as raw,
                self._onward.wrap_socket(raw, server_hostname=host) as server,
            ):
                server.sendall(b"\r\n".join(onward) + HEAD_END + rest)
                pump(client, server)


def read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while HEAD_END not in data:
        piece = connection.recv(65536)
        if not piece:
            raise ValueError("the client went away")
        data += piece
    head, _, rest = data.partition(HEAD_END)
    return head, rest


def pump(client: socket.socket, server: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""
    ways = {client: server, server: client}
    while True:
        pending = [one for one in ways if isinstance(one, ssl.SSLSocket) and one.pending()]
        readable = pending or select.select(list(ways), [], [], 60)[0]
        if not readable:
            return
        for one in readable:
            data = one.recv(65536)
            if not data:
                return
            ways[one].sendall(data)
