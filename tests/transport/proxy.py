"""A proxy on loopback that tunnels: CONNECT to any name leads to one port of this host."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading


class TunnelProxy:
    """Listens while it is entered. `target`: the port that every tunnel leads to. `tls`: to speak TLS itself."""

    def __init__(self, target: int, tls: ssl.SSLContext | None = None) -> None:
        self.heads: list[str] = []
        self.open_tunnels = 0
        self._target = target
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def url(self, user: str = "") -> str:
        return f"http{'s' if self._tls else ''}://{user}{'@' if user else ''}127.0.0.1:{self.port}"

    def __enter__(self) -> TunnelProxy:
        self._start(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, target, *args) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(client.close)
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
                stack.callback(client.close)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = client.recv(1)
                if not byte:
                    return
                head += byte
            self.heads.append(head.decode())
            server = stack.enter_context(socket.create_connection(("127.0.0.1", self._target)))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.open_tunnels += 1
            try:
                self._pump(client, server)
            finally:
                self.open_tunnels -= 1

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        while not self._stopping.is_set():
            pending = isinstance(client, ssl.SSLSocket) and client.pending()
            ready = [client] if pending else select.select([client, server], [], [], 0.01)[0]
            for source, sink in ((client, server), (server, client)):
                if source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    sink.sendall(data)
