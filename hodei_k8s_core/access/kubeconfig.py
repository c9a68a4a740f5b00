"""Kubeconfig files and an environment to `ClusterAccess`, by the rules of client-go.

Where client-go would go on quietly and we do not: a chosen context whose cluster is missing is an error also inside a
cluster (client-go would take the Pod's own service account instead), a server with a password in its URL is refused,
and so are `auth-provider` and half of a name and password. Source: k8s.io/client-go, tools/clientcmd/client_config.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from hodei_k8s_core.access.cluster_access import (
    ANONYMOUS,
    AccessOrigin,
    ClusterAccess,
    Identity,
    Material,
    TlsTrust,
    TokenFile,
)
from hodei_k8s_core.access.impersonation import impersonation_headers
from hodei_k8s_core.access.kubeconfig_cluster import cluster_faults, trust_of
from hodei_k8s_core.access.kubeconfig_document import ContextStanza, Kubeconfig, KubeconfigDocument, Placed, UserStanza
from hodei_k8s_core.access.kubeconfig_merge import merge_documents
from hodei_k8s_core.access.kubeconfig_user import identity_of, unsupported_faults, user_faults
from hodei_k8s_core.access.server_url import join_host_port, parse_server, without_query
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.secret import Secret


class ServiceAccountMount(msgspec.Struct, frozen=True):
    """What is mounted into a Pod for its service account; it exists only where the token does."""

    directory: str
    has_ca: bool = True
    namespace: str = ""


def load_kubeconfig(
    documents: Iterable[KubeconfigDocument],
    environ: Mapping[str, str],
    *,
    context: str | None = None,
    service_account: ServiceAccountMount | None = None,
    searched: Iterable[str] = (),
) -> ClusterAccess:
    """What the chosen context says, or the Pod's own service account when no context is chosen and we are in a Pod.

    `documents`: in order of precedence. `context`: its name, or None for the current one.
    `searched`: the files that were looked for, to be told when there was nothing in them.
    Raises: `ConfigurationError` with every fault, each named by file, stanza and field.
    """
    merged = merge_documents(documents)
    name = context or merged.current_context
    if not name:
        if service_account is not None and is_in_cluster(environ, service_account):
            return in_cluster_access(environ, service_account)
        raise _no_context(merged, searched)
    chosen = merged.contexts.get(name)
    if chosen is None:
        raise _no_such_context(merged, name, is_asked_for=bool(context))
    return _access(merged, name, chosen)


def is_in_cluster(environ: Mapping[str, str], service_account: ServiceAccountMount | None) -> bool:
    """We run in a Pod that has a service account."""
    return bool(service_account and environ.get("KUBERNETES_SERVICE_HOST") and environ.get("KUBERNETES_SERVICE_PORT"))


def in_cluster_access(environ: Mapping[str, str], service_account: ServiceAccountMount) -> ClusterAccess:
    """The access of a Pod by its own service account. Raises: `ConfigurationError`."""
    server = "https://" + join_host_port(environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"])
    try:
        parse_server(server)
    except ValueError as error:
        fault = Fault("KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT", f"the address of the API server {error}")
        raise ConfigurationError("the Pod's environment names no usable API server", [fault]) from None

    def mounted(name: str) -> Material:
        path = f"{service_account.directory}/{name}"
        return Material(field=path, path=path)

    return ClusterAccess(
        server=server,
        server_as_written=server,
        trust=TlsTrust(ca=mounted("ca.crt") if service_account.has_ca else None),
        identity=Identity(token=TokenFile(mounted("token"))),
        namespace=environ.get("POD_NAMESPACE") or service_account.namespace.strip() or "default",
        origin=AccessOrigin(in_cluster=True),
    )


def _no_context(merged: Kubeconfig, searched: Iterable[str]) -> ConfigurationError:
    if merged.contexts:
        fault = Fault("context", f"none is chosen and there is no current-context; known: {_known(merged)}")
    else:
        files = ", ".join(searched) or "no file"
        fault = Fault("kubeconfig", f"there is none, or it is empty ({files}), and this is not inside a cluster")
    return ConfigurationError(
        "no cluster to connect to",
        [fault],
        mend="set KUBECONFIG or the kubeconfig's path, and a context; `kubectl config get-contexts` lists them",
    )


def _no_such_context(merged: Kubeconfig, name: str, *, is_asked_for: bool) -> ConfigurationError:
    field = "context" if is_asked_for else f"{merged.current_context_path}: current-context"
    return ConfigurationError(
        f'the context "{name}" does not exist', [Fault(field, f'there is no context "{name}"; known: {_known(merged)}')]
    )


def _known(merged: Kubeconfig) -> str:
    return ", ".join(sorted(merged.contexts)) or "none"


def _access(merged: Kubeconfig, name: str, chosen: Placed[ContextStanza]) -> ClusterAccess:
    cluster_name, user_name = chosen.stanza.cluster or "", chosen.stanza.user or ""
    cluster = merged.clusters.get(cluster_name)
    if cluster is None:
        problem = f'there is no cluster "{cluster_name}"' if cluster_name else "names no cluster"
        raise _unusable(name, [Fault(chosen.field("cluster"), problem)])
    user = merged.users.get(user_name) or Placed(UserStanza(), chosen.path, chosen.where)
    faults = [*cluster_faults(cluster), *user_faults(user)]
    if faults:
        raise _unusable(name, faults)
    server = parse_server(cluster.stanza.server or "")
    access = ClusterAccess(
        server=server,
        server_as_written=without_query(cluster.stanza.server or ""),
        impersonation=impersonation_headers(
            user.stanza.impersonate or "",
            user.stanza.impersonate_uid or "",
            user.stanza.impersonate_groups or (),
            {key: values or () for key, values in (user.stanza.impersonate_extra or {}).items()},
        ),
        namespace=chosen.stanza.namespace or "default",
        proxy=Secret(cluster.stanza.proxy_url) if cluster.stanza.proxy_url else None,
        compression=not cluster.stanza.disable_compression,
        origin=AccessOrigin(name, cluster_name, user_name, chosen.path, cluster.path, user.path),
    )
    if not access.is_encrypted:  # client-go reads neither identity nor trust then, and checks less
        return msgspec.structs.replace(access, credentials_withheld=identity_of(user, cluster) != ANONYMOUS)
    if faults := [*unsupported_faults(cluster, user)]:
        raise _unusable(name, faults)
    return msgspec.structs.replace(access, trust=trust_of(cluster), identity=identity_of(user, cluster))


def _unusable(name: str, faults: list[Fault]) -> ConfigurationError:
    return ConfigurationError(f'the context "{name}" is not usable', faults)
