"""TLS on a non-blocking socket: what comes on an idle connection is looked at before it is called dead."""

from __future__ import annotations

import contextlib
import socket
import ssl

import pytest

from hodei_k8s_transport.channels.wire import SocketWire, TlsWire, is_ready
from tests.transport.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


class Server:
    """The other end of one TLS; what it has to send waits in `outgoing` until the test sends it."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.is_open = False

    def answer(self, data: bytes) -> bytes:
        """One step of the handshake. What comes after it (tickets) is held back."""
        self.incoming.write(data)
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return self.outgoing.read()
        self.is_open = True
        return b""

    def say(self, data: bytes) -> bytes:
        """The bytes that carry `data`, and what waits before them."""
        if data:
            self.tls.write(data)
        return self.outgoing.read()


def received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except BlockingIOError:
        return b""


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for each in (ours, theirs):
            each.settimeout(0)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400_000)
        yield ours, theirs


@pytest.fixture
def ends(authority, pair):
    ours, theirs = pair
    server = Server(authority.server_context())
    wire = TlsWire(SocketWire(ours), authority.client_context(), "localhost")
    for _ in wire.shake_hands():
        theirs.send(server.answer(received(theirs)))
    server.answer(received(theirs))
    assert server.is_open
    return wire, server, theirs


def test_a_session_ticket_that_comes_late_is_no_reason_to_connect_again(ends):
    wire, server, connection = ends
    assert wire.is_quiet()
    assert connection.send(server.say(b"")) > 0
    assert wire.is_quiet()
    assert wire.is_quiet()


def test_data_that_nobody_asked_for_is_one(ends):
    wire, server, connection = ends
    connection.send(server.say(b"HTTP/1.1 200 OK\r\n\r\n"))
    assert not wire.is_quiet()


@pytest.mark.parametrize("how", ["goodbye", "end", "garbage"])
def test_an_end_is_one(ends, how):
    wire, server, connection = ends
    connection.send(server.say(b""))
    if how == "goodbye":
        with contextlib.suppress(ssl.SSLWantReadError):
            server.tls.unwrap()
        connection.send(server.say(b""))
    elif how == "end":
        connection.shutdown(socket.SHUT_WR)
    else:
        connection.send(b"garbage" * 10)
    assert not wire.is_quiet()


def test_tls_inside_of_tls_waits_for_nothing_that_is_there(authority, pair):
    """The socket is empty then, and would not become readable any more."""
    ours, theirs = pair
    proxy, server = Server(authority.server_context()), Server(authority.server_context())
    outside = TlsWire(SocketWire(ours), authority.client_context(), "localhost")
    for _ in outside.shake_hands():
        theirs.send(proxy.answer(received(theirs)))
    proxy.answer(received(theirs))
    wire = TlsWire(outside, authority.client_context(), "localhost")
    for _ in wire.shake_hands():
        proxy.incoming.write(received(theirs))
        theirs.send(proxy.say(server.answer(proxy.tls.read(65536))))
    proxy.incoming.write(received(theirs))
    server.answer(proxy.tls.read(65536))
    assert server.is_open
    # Each in a record of its own, inside of a record of its own: after the first nothing is left but in the outer TLS.
    said = [b"one", b"two", bytes(range(256)) * 400, b"three"]
    theirs.send(b"".join(proxy.say(server.say(data)) for data in said))
    came = b""
    while len(came) < sum(map(len, said)):
        for _ in (steps := kept(wire.receive())):
            assert is_ready(ours, writing=False)
        came += steps.result
    assert came == b"".join(said)


class kept:  # noqa: N801
    """Iterates steps and keeps what they return."""

    result = b""

    def __init__(self, steps):
        self._steps = steps

    def __iter__(self):
        self.result = yield from self._steps
