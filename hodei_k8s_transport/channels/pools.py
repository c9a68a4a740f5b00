"""Connection pools: one for calls and one for streams, made for one TLS context and replaced when that changes.

A pool that was replaced is closed once nothing uses it any more; streams that are open keep going.
"""

from __future__ import annotations

import ssl
from typing import Generic, TypeVar

import httpx

from hodei_k8s_core.errors import ConfigurationError, Delivery, Fault, TransportError, TransportFault
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.channels.connection_limits import (
    IDLE_STREAM_CONNECTIONS,
    KEEP_ALIVE_EXPIRY,
    keep_alive_options,
)

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)


def _transport_options(endpoint: Endpoint, tls: ssl.SSLContext | None, idle: int) -> dict[str, object]:
    plain = endpoint.server.startswith("http://")
    return {
        "verify": tls if tls is not None else not plain,
        "trust_env": False,
        "http1": True,
        "http2": False,
        "limits": httpx.Limits(
            max_connections=None, max_keepalive_connections=idle, keepalive_expiry=KEEP_ALIVE_EXPIRY
        ),
        "proxy": endpoint.proxy,
        "socket_options": keep_alive_options(),
    }


def sync_client(endpoint: Endpoint, tls: ssl.SSLContext | None, idle: int) -> httpx.Client:
    transport = httpx.HTTPTransport(**_transport_options(endpoint, tls, idle))  # type: ignore[arg-type]
    return httpx.Client(transport=transport, trust_env=False, follow_redirects=False)


def async_client(endpoint: Endpoint, tls: ssl.SSLContext | None, idle: int) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(**_transport_options(endpoint, tls, idle))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False)


class Pools(Generic[Client]):
    """The clients for one TLS context; `users` counts the exchanges and bodies that need them."""

    def __init__(self, tls: ssl.SSLContext | None, calls: Client, streams: Client) -> None:
        self.tls = tls
        self.calls: Client = calls
        self.streams: Client = streams
        self.users = 0
        self.is_retired = False

    @property
    def is_done(self) -> bool:
        return self.is_retired and self.users == 0


def sync_pools(endpoint: Endpoint, tls: ssl.SSLContext | None, max_connections: int) -> Pools[httpx.Client]:
    calls = sync_client(endpoint, tls, max_connections)
    return Pools(tls, calls, sync_client(endpoint, tls, IDLE_STREAM_CONNECTIONS))


def async_pools(endpoint: Endpoint, tls: ssl.SSLContext | None, max_connections: int) -> Pools[httpx.AsyncClient]:
    calls = async_client(endpoint, tls, max_connections)
    return Pools(tls, calls, async_client(endpoint, tls, IDLE_STREAM_CONNECTIONS))


def refuse_unsuitable(endpoint: Endpoint, *, own_client: bool) -> None:
    """Raises: ConfigurationError: what the endpoint needs cannot be done (by a client that the host made)."""
    faults = []
    if own_client:
        needs = (("tls", endpoint.tls), ("proxy", endpoint.proxy), ("server_name", endpoint.server_name))
        problem = (
            "needs connections that a client of your own cannot be checked to make; set it on the client, not here"
        )
        faults += [Fault(name, problem) for name, value in needs if value is not None]
    elif endpoint.server_name is not None and endpoint.proxy is not None and endpoint.server.startswith("https://"):
        faults.append(
            Fault("server_name", "cannot be used through a proxy: the HTTP client would check the host's name")
        )
    if faults:
        raise ConfigurationError("the HTTP channel cannot be made", faults)


def no_client_certificate() -> TransportError:
    """A plugin gave a client certificate, and the connections are a host's own client's."""
    detail = "the credential is a client certificate, which a client of the host's own cannot be given"
    return TransportError(TransportFault.CREDENTIALS, Delivery.NOT_SENT, detail)
