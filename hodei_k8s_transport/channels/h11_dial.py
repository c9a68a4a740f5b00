"""From a route to a connection that is ready for requests: TCP, the proxy's TLS, its tunnel, the server's TLS."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from typing import TypeAlias

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_transport.channels.connection_limits import keep_alive_options
from hodei_k8s_transport.channels.h11_connection import H11Connection
from hodei_k8s_transport.channels.h11_heads import checked_block
from hodei_k8s_transport.channels.h11_route import Route
from hodei_k8s_transport.channels.phase import Progress
from hodei_k8s_transport.channels.wire import SocketWire, Steps, TlsWire, Wait, Wire, is_ready

Address: TypeAlias = tuple[int, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
"""A socket's family and address."""
NEXT_ADDRESS_AFTER = 0.25
"""Seconds that an address may be silent before the next one is tried beside it (RFC 8305, section 8)."""
_UNDER_WAY = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})


def literal_address(route: Route) -> tuple[Address, ...]:
    """The address, where a route names its host by one; otherwise nothing."""
    with contextlib.suppress(socket.gaierror):
        found = socket.getaddrinfo(route.host, route.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return tuple((family, address) for family, _, _, _, address in found)
    return ()


def interleaved(addresses: Sequence[Address]) -> list[Address]:
    """The addresses, one of each family in turn, beginning with the family that the system put first."""
    families: dict[int, list[Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    return [address for row in itertools.zip_longest(*families.values()) for address in row if address is not None]


def connect(
    route: Route, addresses: Sequence[Address], proxy_tls: ssl.SSLContext | None, tls: ssl.SSLContext | None
) -> Steps[Wire]:
    """A connection to the server. What fails leaves none open. Raises: OSError, ssl.SSLError, TransportError."""
    wire: Wire = SocketWire((yield from _connect_first(addresses)))
    try:
        if route.proxy_name is not None and proxy_tls is not None:
            wire = yield from _secure(wire, proxy_tls, route.proxy_name)
        if route.tunnel is not None:
            yield from _open_tunnel(wire, route)
        if route.server_name is not None and tls is not None:
            wire = yield from _secure(wire, tls, route.server_name)
    except BaseException:
        wire.close()
        raise
    return wire


def _connect_first(addresses: Sequence[Address]) -> Steps[socket.socket]:
    """The first address that answers; the others are tried beside it when it is slow."""
    left = deque(interleaved(addresses))
    trying: list[socket.socket] = []
    failures: list[OSError] = []
    try:
        while left or trying:
            if left:
                _begin(left.popleft(), trying, failures)
            if trying:
                yield Wait(tuple(trying), writing=True, limit=NEXT_ADDRESS_AFTER if left else None)
            for connection in [each for each in trying if is_ready(each, writing=True)]:
                trying.remove(connection)
                number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if number == 0:
                    return connection
                connection.close()
                failures.append(OSError(number, os.strerror(number)))
    finally:
        for connection in trying:
            connection.close()
    raise failures[0] if len(failures) == 1 else ExceptionGroup("no address answers", failures)


def _begin(address: Address, trying: list[socket.socket], failures: list[OSError]) -> None:
    family, where = address
    try:
        connection = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:  # a family that this host does not have
        failures.append(error)
        return
    try:
        connection.settimeout(0)
        _set_options(connection)
        number = connection.connect_ex(where)
    except OSError as error:
        connection.close()
        failures.append(error)
        return
    if number == 0 or number in _UNDER_WAY:
        trying.append(connection)
    else:
        connection.close()
        failures.append(OSError(number, os.strerror(number)))


def _set_options(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for level, option, value in keep_alive_options():
        connection.setsockopt(level, option, value)


def _secure(wire: Wire, context: ssl.SSLContext, name: str) -> Steps[Wire]:
    secured = TlsWire(wire, context, name)
    yield from secured.shake_hands()
    return secured


def _open_tunnel(wire: Wire, route: Route) -> Steps[None]:
    connection = H11Connection()
    target = route.tunnel or ""
    block = checked_block([(b"host", target.encode()), *route.authorization])
    try:
        yield from wire.send(connection.ask(Progress(), "CONNECT", target, block))
        while (head := connection.head()) is None:
            connection.feed((yield from wire.receive()))
    except TransportError as error:
        raise _refused(f"the tunnel: {error.detail.partition(': ')[2]}") from None
    if not 200 <= head.status < 300:
        raise _refused(f"with status {head.status}")
    if connection.rest:
        raise _refused("by speaking first")


def _refused(how: str) -> TransportError:
    return TransportError(TransportFault.PROXY, Delivery.NOT_SENT, f"connecting: the proxy refused {how}")
