"""A TCP proxy on loopback that cuts connections after random numbers of bytes, a bounded number of times."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import yaml

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


class CuttingProxy:
    """Passes bytes to `target`; after `between` bytes of replies, chosen anew each time, a connection is reset."""

    def __init__(self, target: tuple[str, int], *, cuts: int, between: tuple[int, int], seed: int = 0) -> None:
        self.cut = 0
        self._target = target
        self._cuts_left = cuts
        self._between = between
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def cut_all(self) -> None:
        """Reset what is open now."""
        for side in list(self._open):
            _reset(side)

    def close(self) -> None:
        self._listener.close()
        self.cut_all()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._target)
                except OSError:
                    client.close()
                    continue
                self._open |= {client, server}
                threading.Thread(target=self._pump, args=(client, server, None), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, self._next_cut()), daemon=True).start()

    def _next_cut(self) -> int | None:
        with self._lock:
            return self._random.randint(*self._between) if self._cuts_left > 0 else None

    def _pump(self, source: socket.socket, sink: socket.socket, left: int | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if left is not None:
                    left -= len(data)
                    if left <= 0 and self._may_cut():
                        sink.sendall(data[:left] if left else data)
                        _reset(sink)
                        _reset(source)
                        break
                sink.sendall(data)
        for side in (source, sink):
            self._open.discard(side)
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()

    def _may_cut(self) -> bool:
        with self._lock:
            if self._cuts_left <= 0:
                return False
            self._cuts_left -= 1
            self.cut += 1
            return True


def _reset(side: socket.socket) -> None:
    with contextlib.suppress(OSError):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        side.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def through_cutting_proxy(kubeconfig: Path, folder: Path, **options: object) -> Iterator[tuple[CuttingProxy, Path]]:
    """A proxy before the server of `kubeconfig`, and a kubeconfig that goes through it."""
    document = yaml.safe_load(kubeconfig.read_text())
    cluster = document["clusters"][0]["cluster"]
    host, _, port = cluster["server"].removeprefix("https://").rpartition(":")
    proxy = CuttingProxy((host, int(port)), **options)  # type: ignore[arg-type]
    cluster["server"] = f"https://{host}:{proxy.port}"
    copy = folder / "through-proxy.kubeconfig"
    copy.write_text(yaml.safe_dump(document))
    try:
        yield proxy, copy
    finally:
        proxy.close()
