"""Non-blocking sockets and TLS on them, for threads and for tasks alike.

What would block *yields* what it waits for, and is resumed when that has come (or is closed, when it does not): a loop
over `poll` for threads, `anyio.wait_readable` for tasks. So a wait that times out, is woken or is cancelled loses
nothing: no byte was taken from the socket. TLS is OpenSSL on memory, which is also what TLS inside of a proxy's TLS
needs.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
from collections.abc import Generator
from typing import NoReturn, Protocol, TypeAlias, TypeVar

import msgspec

T = TypeVar("T")
RECEIVE_SIZE = 64 * 1024


class Watch(Protocol):
    """What tasks keep between two waits to read from the same socket."""

    async def readable(self) -> None:
        """Return when there is something to read; now and then also when there is not."""
        ...

    def stop(self) -> None:
        """The socket is about to be closed."""
        ...


class Wait(msgspec.Struct):
    """Go on when one of `connections` is ready to be read (or written), or after `limit` seconds.

    `repeats`: the same value is waited for again and again, until its one connection is closed; `watch` is for whoever
    performs that.
    """

    connections: tuple[socket.socket, ...]
    writing: bool = False
    limit: float | None = None
    repeats: bool = False
    watch: Watch | None = None


Steps: TypeAlias = Generator[Wait, None, T]
"""Yields what it waits for, returns T."""


class Wire(Protocol):
    """Bytes in both directions."""

    @property
    def has_sent(self) -> bool:
        """Some bytes of the last `send` left this host."""
        ...

    @property
    def readable(self) -> Wait: ...
    @property
    def may_have_more(self) -> bool:
        """Bytes may be there without the socket being readable, or surely are with it."""
        ...

    def send(self, data: bytes) -> Steps[None]: ...
    def receive(self) -> Steps[bytes]:
        """The next bytes; b"" when the other side ended them in order. Raises: OSError."""
        ...

    def take(self) -> bytes | None:
        """What `receive` would give without waiting, or None."""
        ...

    def is_quiet(self) -> bool:
        """Idle and still open: nothing came, not even an end."""
        ...

    def close(self) -> None: ...


class SocketWire:
    """A connected socket that does not block."""

    def __init__(self, connection: socket.socket) -> None:
        self.has_sent = False
        self.readable = Wait((connection,), repeats=True)
        self._writable = Wait((connection,), writing=True)
        self._connection = connection
        self.may_have_more = False

    def send(self, data: bytes) -> Steps[None]:
        self.has_sent = False
        sent = 0
        while sent < len(data):
            try:
                sent += self._connection.send(memoryview(data)[sent:])
                self.has_sent = True
            except BlockingIOError:
                yield self._writable

    def receive(self) -> Steps[bytes]:
        # A reply is hardly ever there already: waiting first saves a system call that fails.
        if not self.may_have_more:
            yield self.readable
        while (data := self.take()) is None:
            yield self.readable
        return data

    def take(self) -> bytes | None:
        try:
            data = self._connection.recv(RECEIVE_SIZE)
        except BlockingIOError:
            data = None
        self.may_have_more = data is not None and len(data) == RECEIVE_SIZE
        return data

    def is_quiet(self) -> bool:
        return not is_ready(self._connection, writing=False)

    def close(self) -> None:
        if self.readable.watch is not None:
            self.readable.watch.stop()
        self._connection.close()


class TlsWire:
    """TLS on another wire. It has to be shaken hands on before use."""

    def __init__(self, inner: Wire, context: ssl.SSLContext, server_name: str) -> None:
        self.readable = inner.readable
        self._inner = inner
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    @property
    def has_sent(self) -> bool:
        return self._inner.has_sent

    @property
    def may_have_more(self) -> bool:
        return bool(self._incoming.pending or self._tls.pending()) or self._inner.may_have_more

    def shake_hands(self) -> Steps[None]:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                yield from self._flush()
                self._incoming.write((yield from self._inner.receive()) or _cut_off())
            except ssl.SSLError:
                # The alert that says what was wrong; the other side may be gone.
                with contextlib.suppress(OSError):
                    yield from self._flush()
                raise
            else:
                return (yield from self._flush())

    def peer_certificate(self) -> bytes | None:
        """What the other side has shown, in DER, verified or not."""
        return self._tls.getpeercert(binary_form=True)

    def send(self, data: bytes) -> Steps[None]:
        self._tls.write(data)
        yield from self._flush()

    def receive(self) -> Steps[bytes]:
        if not self.may_have_more:
            yield self.readable
        while (data := self.take()) is None:
            yield from self._flush()
            yield self.readable
        return data

    def take(self) -> bytes | None:
        while True:
            try:
                return self._tls.read(RECEIVE_SIZE)
            except ssl.SSLWantReadError:
                data = self._inner.take()
            if data is None:
                return None
            self._incoming.write(data or _cut_off())

    def is_quiet(self) -> bool:
        # What comes on an idle connection may be TLS's own (a session ticket), which is no reason to drop it.
        try:
            return self._inner.is_quiet() or self.take() is None
        except OSError:
            return False

    def close(self) -> None:
        self._inner.close()

    def _flush(self) -> Steps[None]:
        if self._outgoing.pending:
            yield from self._inner.send(self._outgoing.read())


def _cut_off() -> NoReturn:
    # By its version Python takes an end without TLS's own goodbye for an orderly one (OP_IGNORE_UNEXPECTED_EOF): a body
    # that lasts until the end of the connection could be cut short by anybody on the way.
    raise ssl.SSLEOFError(ssl.SSLErrorNumber.SSL_ERROR_EOF, "the connection ended without a goodbye")


def is_ready(connection: socket.socket, *, writing: bool) -> bool:
    """Whether a read (or write) would not block, or fail."""
    if not hasattr(select, "poll"):
        wanted = (connection,)
        return any(select.select(() if writing else wanted, wanted if writing else (), wanted, 0))
    poller = select.poll()
    poller.register(connection, select.POLLOUT if writing else select.POLLIN)
    return bool(poller.poll(0))
