"""A TCP proxy on loopback that can let a request through and kill the connection before its reply.

with SeveringProxy(("127.0.0.1", 6443)) as proxy:
    ...                 # connections through proxy.port; TLS passes through it unread
    proxy.sever_next_reply()
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

from tests.cluster.lab import Kubectl

CHUNK = 65536


class SeveringProxy:
    """Listens while it is entered. `severed`: how many connections it has killed."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.severed = 0
        self._target = target
        self._armed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> SeveringProxy:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._listener.close()
        for pair in self._pairs:
            _kill(*pair)

    def sever_next_reply(self) -> None:
        """The next bytes from the server end their connection in place of being passed on."""
        self._armed.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._pairs.append((client, server))
                threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
                threading.Thread(target=self._pass_back, args=(server, client), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(CHUNK):
                server.sendall(data)
        _kill(client, server)

    def _pass_back(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(CHUNK):
                if self._armed.is_set():
                    self._armed.clear()
                    self.severed += 1
                    break
                client.sendall(data)
        _kill(client, server)


def proxied_kubeconfig(kubectl: Kubectl, port: int, path: Path) -> Path:
    """The current kubeconfig, with its server behind the proxy."""
    config = json.loads(kubectl("config", "view", "--minify", "--flatten", "--raw", "--output", "json"))
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
    path.write_text(json.dumps(config))
    return path


def api_server_of(kubectl: Kubectl) -> tuple[str, int]:
    """Where the current kubeconfig's API server listens."""
    config = json.loads(kubectl("config", "view", "--minify", "--output", "json"))
    url = urlsplit(config["clusters"][0]["cluster"]["server"])
    return url.hostname or "", url.port or 443


def _kill(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
