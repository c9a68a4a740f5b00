"""From settings to what a channel needs: where to connect, what to trust, and who we are.

access = load_access(kubeconfig_path=None, context=None, environ=os.environ)
channel = HttpxChannel(build_endpoint(access, os.environ), sync_credentials(access))
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from hodei_k8s_core.access.cluster_access import ClusterAccess
from hodei_k8s_core.access.kubeconfig import load_kubeconfig
from hodei_k8s_core.access.proxy import choose_proxy
from hodei_k8s_transport.access.async_credentials import RefreshingAsyncCredentials
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.access.exec_runner import EXEC_TIMEOUT
from hodei_k8s_transport.access.files import (
    SERVICE_ACCOUNT_DIRECTORY,
    check_files,
    find_kubeconfigs,
    find_service_account,
    read_kubeconfigs,
)
from hodei_k8s_transport.access.keeper import CredentialKeeper
from hodei_k8s_transport.access.refreshes import RefreshObserver
from hodei_k8s_transport.access.sync_credentials import RefreshingCredentials
from hodei_k8s_transport.access.tls import make_context, read_tls_material

logger = logging.getLogger("hodei_k8s")


def load_access(
    *,
    kubeconfig_path: str | os.PathLike[str] | None = None,
    context: str | None = None,
    environ: Mapping[str, str],
    service_account_directory: str = SERVICE_ACCOUNT_DIRECTORY,
) -> ClusterAccess:
    """Read the kubeconfigs as `kubectl` would: explicit path, KUBECONFIG, `~/.kube/config`; then the Pod's own account.

    Raises: `ConfigurationError` with every fault, each named by file, stanza and field.
    """
    found = find_kubeconfigs(kubeconfig_path, environ)
    access = load_kubeconfig(
        read_kubeconfigs(found),
        environ,
        context=context or None,
        service_account=find_service_account(service_account_directory),
        searched=found.paths,
    )
    check_files(access)
    return access


def build_endpoint(access: ClusterAccess, environ: Mapping[str, str], *, user_agent: str = "hodei-k8s") -> Endpoint:
    """What all connections share; reads certificates, and warns once when nothing is verified.

    `environ`: names the proxy where the kubeconfig does not. Raises: `ConfigurationError`.
    """
    proxy = choose_proxy(access, environ)
    _warn(access)
    return Endpoint(
        server=access.server,
        tls=make_context(read_tls_material(access)) if access.is_encrypted else None,
        proxy=proxy.reveal() if proxy else None,
        server_name=access.trust.server_name,
        headers=(("user-agent", user_agent), *access.impersonation),
        compression=access.compression,
    )


def endpoint_of_own_client(access: ClusterAccess, *, user_agent: str = "hodei-k8s") -> Endpoint:
    """The same for a host's own client, which makes its connections as it likes (see `own_client`)."""
    _warn(access)
    headers = (("user-agent", user_agent), *access.impersonation)
    return Endpoint(server=access.server, headers=headers, compression=access.compression)


def _warn(access: ClusterAccess) -> None:
    if access.trust.insecure:
        logger.warning("the certificate of %s is not verified, as %s says", access.server, access.origin)
    if access.credentials_withheld:
        logger.warning("no credentials are sent to %s: it is plain http (%s)", access.server, access.origin)


def sync_credentials(
    access: ClusterAccess,
    environ: Mapping[str, str] | None = None,
    *,
    exec_timeout: float = EXEC_TIMEOUT,
    observer: RefreshObserver | None = None,
) -> RefreshingCredentials:
    """The credentials for threads. `environ`: a plugin's (default: our own); `exec_timeout`: seconds for one run.
    `observer` is told of each refresh.

    Raises: `ConfigurationError`.
    """
    return RefreshingCredentials(CredentialKeeper(access, _environment(environ), observer=observer), exec_timeout)


def async_credentials(
    access: ClusterAccess,
    environ: Mapping[str, str] | None = None,
    *,
    exec_timeout: float = EXEC_TIMEOUT,
    observer: RefreshObserver | None = None,
) -> RefreshingAsyncCredentials:
    """The same for tasks of one event loop (asyncio or trio)."""
    return RefreshingAsyncCredentials(CredentialKeeper(access, _environment(environ), observer=observer), exec_timeout)


def _environment(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if environ is None else environ
