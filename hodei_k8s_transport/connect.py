"""From settings to a channel: the one place where access, credentials and a kind of channel come together.

HTTP/1.1 only. HTTP/2 was measured (httpx 0.28 with h2 4.4 against Kubernetes 1.36 on loopback, two cores) and does not
earn its place. 1,000 small calls, 32 at once: 13.4 s and 4.1 s of CPU over HTTP/1.1, 6.0 s and 2.0 s over HTTP/2. But
all is then on one connection, on which the API server allows 100 streams: of 200 watches 100 opened, the others and
every call beside them waited for ever (httpx opens no second connection), where HTTP/1.1 opened 200 in 2 s and answered
a call beside them in 16 ms. Watches and followed logs are what we have many of, and a lost packet would hold up all.
What HTTP/2 saves httpx, the h11 channel saves without it: of CPU for a GET of a Pod, 16 at once, it takes 0.2 ms, httpx
1.1 ms over HTTP/2 and 2.2 ms over HTTP/1.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hodei_k8s_core.access.cluster_access import ClusterAccess
from hodei_k8s_core.access.proxy import choose_proxy
from hodei_k8s_core.access.target import Target, target_of
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_transport.access.connect import (
    async_credentials,
    build_endpoint,
    endpoint_of_own_client,
    load_access,
    sync_credentials,
)
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.access.own_client import trust_of_the_host
from hodei_k8s_transport.access.refreshes import RefreshObserver
from hodei_k8s_transport.channels.certificates import ConnectionCertificates, ShowsCertificate
from hodei_k8s_transport.channels.channel import AsyncChannel, Channel
from hodei_k8s_transport.channels.h11_route import speaks_socks

if TYPE_CHECKING:
    import httpx


def open_channel(
    config: KubernetesConfig,
    environ: Mapping[str, str],
    client: httpx.Client | None = None,
    *,
    observer: RefreshObserver | None = None,
) -> tuple[Channel, Target]:
    """A channel for threads to the cluster that the settings and the environment name; nothing is sent yet.

    Raises: ConfigurationError with every fault of the kubeconfig, or where `client` cannot do what it asks for.
    """
    return channel_to(_read_access(config, environ), config, environ, client, observer=observer)


def channel_to(
    access: ClusterAccess,
    config: KubernetesConfig,
    environ: Mapping[str, str],
    client: httpx.Client | None = None,
    *,
    observer: RefreshObserver | None = None,
) -> tuple[Channel, Target]:
    """The same with an access that was read (or made) before. Raises: as `open_channel`."""
    access, endpoint = _ours(access, environ) if client is None else _of_the_host(access)
    credentials, limit = sync_credentials(access, environ, observer=observer), config.max_response_bytes
    target = _target(access, environ, endpoint, credentials, client)
    # Only the kind that is used is loaded: httpx takes longer than all of ours.
    if needs_httpx(config, endpoint, client):
        from hodei_k8s_transport.channels.httpx_channel import HttpxChannel

        return HttpxChannel(endpoint, credentials, response_limit=limit, client=client), target
    from hodei_k8s_transport.channels.h11_channel import H11Channel

    return H11Channel(endpoint, credentials, response_limit=limit), target


def open_async_channel(
    config: KubernetesConfig,
    environ: Mapping[str, str],
    client: httpx.AsyncClient | None = None,
    *,
    observer: RefreshObserver | None = None,
) -> tuple[AsyncChannel, Target]:
    """As `open_channel`, for asyncio and trio; the channel is an async context manager, to be entered before use."""
    return async_channel_to(_read_access(config, environ), config, environ, client, observer=observer)


def async_channel_to(
    access: ClusterAccess,
    config: KubernetesConfig,
    environ: Mapping[str, str],
    client: httpx.AsyncClient | None = None,
    *,
    observer: RefreshObserver | None = None,
) -> tuple[AsyncChannel, Target]:
    """As `channel_to`, for asyncio and trio."""
    access, endpoint = _ours(access, environ) if client is None else _of_the_host(access)
    credentials, limit = async_credentials(access, environ, observer=observer), config.max_response_bytes
    target = _target(access, environ, endpoint, credentials, client)
    if needs_httpx(config, endpoint, client):
        from hodei_k8s_transport.channels.async_httpx_channel import AsyncHttpxChannel

        return AsyncHttpxChannel(endpoint, credentials, response_limit=limit, client=client), target
    from hodei_k8s_transport.channels.async_h11_channel import AsyncH11Channel

    return AsyncH11Channel(endpoint, credentials, response_limit=limit), target


def needs_httpx(config: KubernetesConfig, endpoint: Endpoint, client: object = None) -> bool:
    """It was chosen, brought by the host, or is the only one that can speak to the proxy."""
    return config.http == "httpx" or client is not None or speaks_socks(endpoint)


def _read_access(config: KubernetesConfig, environ: Mapping[str, str]) -> ClusterAccess:
    return load_access(kubeconfig_path=config.kubeconfig_path, context=config.context, environ=environ)


def _ours(access: ClusterAccess, environ: Mapping[str, str]) -> tuple[ClusterAccess, Endpoint]:
    return access, build_endpoint(access, environ)


def _of_the_host(access: ClusterAccess) -> tuple[ClusterAccess, Endpoint]:
    plain = trust_of_the_host(access)
    return plain, endpoint_of_own_client(plain)


def _target(
    access: ClusterAccess,
    environ: Mapping[str, str],
    endpoint: Endpoint,
    credentials: ShowsCertificate,
    client: object,
) -> Target:
    """Of the connections of a host's own client nothing is known."""
    if client is not None:
        return target_of(access, None)
    return target_of(access, choose_proxy(access, environ), ConnectionCertificates(endpoint, credentials))
