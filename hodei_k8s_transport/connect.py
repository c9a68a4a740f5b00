"""From settings to a channel: the one place where access, credentials and a kind of channel come together."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_transport.access.connect import async_credentials, build_endpoint, load_access, sync_credentials
from hodei_k8s_transport.channels.async_httpx_channel import AsyncHttpxChannel
from hodei_k8s_transport.channels.channel import AsyncChannel, Channel
from hodei_k8s_transport.channels.httpx_channel import HttpxChannel


def open_channel(config: KubernetesConfig, environ: Mapping[str, str], client: httpx.Client | None = None) -> Channel:
    """A channel for threads to the cluster that the settings and the environment name; nothing is sent yet.

    Raises: ConfigurationError with every fault of the kubeconfig, or where `client` cannot do what it asks for.
    """
    access = load_access(kubeconfig_path=config.kubeconfig_path, context=config.context, environ=environ)
    return HttpxChannel(
        build_endpoint(access, environ),
        sync_credentials(access, environ),
        response_limit=config.max_response_bytes,
        client=client,
    )


def open_async_channel(
    config: KubernetesConfig, environ: Mapping[str, str], client: httpx.AsyncClient | None = None
) -> AsyncChannel:
    """The same for asyncio and trio; the channel is an async context manager, to be entered before use."""
    access = load_access(kubeconfig_path=config.kubeconfig_path, context=config.context, environ=environ)
    return AsyncHttpxChannel(
        build_endpoint(access, environ),
        async_credentials(access, environ),
        response_limit=config.max_response_bytes,
        client=client,
    )
