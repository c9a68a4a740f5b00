"""Which proxy leads to a server: the kubeconfig's `proxy-url`, else the environment's, as Go's HTTP client decides it.

Source: golang.org/x/net, http/httpproxy/proxy.go; k8s.io/apimachinery, pkg/util/net/http.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from hodei_k8s_core.access.cluster_access import ClusterAccess
from hodei_k8s_core.access.server_url import split_url
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.secret import Secret

KUBECONFIG_SCHEMES = ("http", "https", "socks5")
ENVIRONMENT_SCHEMES = (*KUBECONFIG_SCHEMES, "socks5h")
_DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080}
_VARIABLES = {"https": ("HTTPS_PROXY", "https_proxy"), "http": ("HTTP_PROXY", "http_proxy")}

Address = IPv4Address | IPv6Address
Matcher = Callable[[str, int, Address | None], bool]


def choose_proxy(access: ClusterAccess, environ: Mapping[str, str]) -> Secret | None:
    """The URL of the proxy, with scheme (http, https or socks5), host and port, or None for a direct connection.

    Raises: `ConfigurationError` for a variable that applies and names no usable proxy.
    """
    if access.proxy is not None:
        return Secret(parse_proxy(access.proxy.reveal(), KUBECONFIG_SCHEMES))
    server = urlsplit(access.server)
    variable, value = _first_set(_VARIABLES[server.scheme], environ)
    port = server.port or _DEFAULT_PORTS[server.scheme]
    if not value or not _needs_proxy(server.hostname or "", port, environ):
        return None
    try:
        if variable.upper() == "HTTP_PROXY" and environ.get("REQUEST_METHOD"):
            raise ValueError("is not believed in a CGI program, where a client can set it")
        return Secret(parse_proxy(value if "://" in value else f"http://{value}", ENVIRONMENT_SCHEMES))
    except ValueError as error:
        raise ConfigurationError("the environment's proxy is not usable", [Fault(variable, str(error))]) from None


def parse_proxy(text: str, schemes: tuple[str, ...]) -> str:
    """The proxy's URL with its port. Raises: `ValueError` that does not quote it: it may hold a password."""
    parts = split_url(text)
    if parts.scheme not in schemes:
        raise ValueError(f'has the scheme "{parts.scheme}", and must have one of {", ".join(schemes)}')
    if not parts.hostname:
        raise ValueError("names no host")
    scheme = parts.scheme.removesuffix("h") if parts.scheme == "socks5h" else parts.scheme
    port = "" if parts.port else f":{_DEFAULT_PORTS[scheme]}"
    return f"{scheme}://{parts.netloc.rstrip(':')}{port}"


def _needs_proxy(host: str, port: int, environ: Mapping[str, str]) -> bool:
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return False
    _, excluded = _first_set(("NO_PROXY", "no_proxy"), environ)
    name = host if address else _ascii(host)
    return not any(matches(name, port, address) for matches in _matchers(excluded))


def _matchers(excluded: str) -> Iterator[Matcher]:
    for entry in excluded.lower().split(","):
        if matcher := _matcher(entry.strip()):
            yield matcher


def _matcher(entry: str) -> Matcher | None:
    """`*`, an address, a range, a name (with what is below it) or `.name` (only what is below); maybe with a port."""
    if entry == "*":
        return lambda _host, _port, _address: True
    if (within := _range_matcher(entry)) is not None:
        return within
    host, port = _split_port(entry)
    if not host:
        return None
    if (wanted := _address(host)) is not None:
        return lambda _host, at, address: address == wanted and port in ("", str(at))
    suffix = _ascii(host[1:] if host.startswith("*.") else host)
    if suffix.startswith("."):
        return lambda name, at, address: address is None and name.endswith(suffix) and port in ("", str(at))
    return lambda name, at, address: address is None and f".{name}".endswith(f".{suffix}") and port in ("", str(at))


def _range_matcher(entry: str) -> Matcher | None:
    base, slash, bits = entry.partition("/")
    if not (slash and bits.isascii() and bits.isdigit()):
        return None
    try:
        network = ip_network(f"{base}/{bits}", strict=False)
    except ValueError:
        return None
    return lambda _host, _port, address: address is not None and address in network


def _split_port(entry: str) -> tuple[str, str]:
    """As Go's `net.SplitHostPort`: what is not host and port with one colon between is a host."""
    if entry.startswith("["):
        host, _, port = entry[1:].partition("]:")
        return (host, port) if "]:" in entry else (entry, "")
    host, colon, port = entry.partition(":")
    return (entry, "") if not colon or ":" in port else (host, port)


def _address(host: str) -> Address | None:
    """An address, a mapped one as its IPv4 self; None for a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


def _first_set(names: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, str]:
    return next(((name, value) for name in names if (value := environ.get(name))), ("", ""))
