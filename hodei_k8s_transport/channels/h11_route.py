"""The way to a server, decided once: where to connect, through which proxy, which names certificates must have."""

from __future__ import annotations

import base64
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_transport.access.credential import Endpoint

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Route(msgspec.Struct, frozen=True):
    """`host` and `port`: of the proxy, where there is one.

    `proxy_name`: what the proxy's certificate must name, where it is spoken to over TLS. `tunnel`: what a proxy is
    asked to connect to. `server_name`: what the server's certificate must name, or None for plain http.
    `authority`: the Host field. `prefix`: what request targets begin with. `authorization`: for the proxy.
    """

    host: str
    port: int
    authority: str
    prefix: str
    server_name: str | None = None
    is_proxied: bool = False
    proxy_name: str | None = None
    tunnel: str | None = None
    authorization: tuple[tuple[bytes, bytes], ...] = ()

    def __repr__(self) -> str:
        return f"<Route to {self.authority}>"


def plan_route(endpoint: Endpoint) -> Route:
    """The way to an endpoint. Raises: ConfigurationError: it needs a proxy that this channel does not speak to."""
    server = urlsplit(endpoint.server)
    host, port = _host(server), server.port or _DEFAULT_PORTS[server.scheme]
    authority = _authority(host, None if port == _DEFAULT_PORTS[server.scheme] else port)
    direct = Route(host, port, authority, server.path)
    if server.scheme == "https":
        direct = msgspec.structs.replace(direct, server_name=endpoint.server_name or host)
    return direct if endpoint.proxy is None else _through(urlsplit(endpoint.proxy), direct)


def speaks_socks(endpoint: Endpoint) -> bool:
    """The endpoint's proxy needs httpx."""
    return endpoint.proxy is not None and urlsplit(endpoint.proxy).scheme not in _DEFAULT_PORTS


def _through(proxy: SplitResult, direct: Route) -> Route:
    if proxy.scheme not in _DEFAULT_PORTS:
        fault = Fault("proxy", f'has the scheme "{proxy.scheme}", which the h11 channel does not speak; httpx does')
        raise ConfigurationError("the HTTP channel cannot be made", [fault])
    route = msgspec.structs.replace(
        direct,
        host=_host(proxy),
        port=proxy.port or _DEFAULT_PORTS[proxy.scheme],
        is_proxied=True,
        proxy_name=_host(proxy) if proxy.scheme == "https" else None,
        authorization=_basic(proxy),
    )
    if direct.server_name is not None:
        return msgspec.structs.replace(route, tunnel=_authority(direct.host, direct.port))
    return msgspec.structs.replace(route, prefix=f"http://{direct.authority}{direct.prefix}")


def _host(url: SplitResult) -> str:
    host = url.hostname or ""
    return host if host.isascii() else host.encode("idna").decode()


def _authority(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def _basic(url: SplitResult) -> tuple[tuple[bytes, bytes], ...]:
    if url.username is None and url.password is None:
        return ()
    pair = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
    return ((b"proxy-authorization", b"Basic " + base64.b64encode(pair.encode())),)
