"""What proves to the API server who we are, and where it comes from: the contract between channels and `access`.

A credential has a generation: however many callers meet a 401 with generation g, the source renews once and all repeat
their request with generation g + 1.
"""

from __future__ import annotations

import ssl
from typing import Protocol

import msgspec

from hodei_k8s_core.http import Headers


class Credential(msgspec.Struct, frozen=True):
    """One generation of a proof of identity.

    `headers`: what every request carries (`authorization`; lower-case names). `tls`: the context that connections must
    be made with from this generation on (a client certificate from a plugin), or None for the endpoint's own.
    """

    generation: int
    headers: Headers = ()
    tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"<Credential generation {self.generation}>"


class CredentialSource(Protocol):
    """Gives the current credential to threads. Both methods raise `TransportError` (CREDENTIALS, NOT_SENT)."""

    def current(self) -> Credential:
        """The credential to use now; may read a file or run a plugin when the last one is no longer good."""
        ...

    def renew(self, refused: int) -> Credential | None:
        """The server answered 401 to generation `refused`. The next generation, or None when there can be none."""
        ...


class AsyncCredentialSource(Protocol):
    """The same for tasks; never blocks the event loop."""

    async def current(self) -> Credential: ...
    async def renew(self, refused: int) -> Credential | None: ...


class Endpoint(msgspec.Struct, frozen=True):
    """Where requests go and what all connections share.

    `server`: scheme, host, port and a path prefix to keep, without a trailing slash. `tls`: None for plain http.
    `proxy`: a URL (http, https, socks5), or None for a direct connection; the environment's proxies are decided
    by then.
    `server_name`: what the certificate must name, and SNI, when it is not the host. `headers`: what every request
    carries besides the credential (impersonation, user agent). `compression`: whether to accept gzip.
    """

    server: str
    tls: ssl.SSLContext | None = None
    proxy: str | None = None
    server_name: str | None = None
    headers: Headers = ()
    compression: bool = True

    def __repr__(self) -> str:
        return f"<Endpoint {self.server}>"
