"""What the two h11 channels have in common: which connection a request gets, and what becomes of it. Nothing waits."""

from __future__ import annotations

import ssl
from typing import TypeAlias

from hodei_k8s_transport.access.credential import Credential, Endpoint
from hodei_k8s_transport.channels.connection_limits import IDLE_STREAM_CONNECTIONS, KEEP_ALIVE_EXPIRY
from hodei_k8s_transport.channels.h11_exchange import Link
from hodei_k8s_transport.channels.h11_headers import HeaderBook
from hodei_k8s_transport.channels.h11_pool import IdlePool
from hodei_k8s_transport.channels.h11_route import plan_route

LinkPool: TypeAlias = IdlePool[Link]


class H11Core:
    """The pools of one channel; not for two threads at once.

    Raises:
        ConfigurationError: the endpoint needs what this channel cannot do.
    """

    def __init__(self, endpoint: Endpoint, max_connections: int) -> None:
        self.route = plan_route(endpoint)
        self.headers = HeaderBook(endpoint, self.route)
        self.calls: LinkPool = IdlePool(max_connections, KEEP_ALIVE_EXPIRY)
        self.streams: LinkPool = IdlePool(IDLE_STREAM_CONNECTIONS, KEEP_ALIVE_EXPIRY)
        self.proxy_tls = ssl.create_default_context() if self.route.proxy_name is not None else None
        self.tls: ssl.SSLContext | None = None
        self.era = 0
        self._closed = False
        self._generation: int | None = None
        self._own_tls = endpoint.tls
        if self.route.server_name is not None:
            self._use(endpoint.tls or ssl.create_default_context())
            self._own_tls = self.tls

    def follow(self, credential: Credential) -> None:
        """A newer credential may have a client certificate of its own: then older connections carry no more calls."""
        if self._generation is not None and credential.generation <= self._generation:
            return
        self._generation = credential.generation
        wanted = credential.tls or self._own_tls
        if wanted is not self.tls and wanted is not None:
            self._use(wanted)
            self.era += 1
            self._drain()

    def idle_link(self, pool: LinkPool, now: float) -> Link | None:
        """A connection that is still open, as far as can be seen without writing to it; or None."""
        for expired in pool.expired(now):
            expired.wire.close()
        while (link := pool.take()) is not None:
            if link.wire.is_quiet():
                return link
            link.wire.close()
        return None

    def give_back(self, pool: LinkPool, link: Link, now: float) -> None:
        """An exchange is over: keep its connection where it is good for another one."""
        surplus: Link | None = link
        if link.era == self.era and not self._closed and link.is_reusable:
            surplus = pool.put(link, now)
        if surplus is not None:
            surplus.wire.close()

    def close(self) -> None:
        self._closed = True
        self._drain()

    def _use(self, context: ssl.SSLContext) -> None:
        # Some servers and proxies refuse, or choose by, what a client does not say.
        context.set_alpn_protocols(["http/1.1"])
        self.tls = context

    def _drain(self) -> None:
        for pool in (self.calls, self.streams):
            for link in pool.drain():
                link.wire.close()
