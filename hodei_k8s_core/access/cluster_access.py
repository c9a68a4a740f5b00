"""How to reach one cluster, as values: what a kubeconfig or a Pod's own service account comes down to.

Nothing here was read but the kubeconfig itself: certificates and tokens in files are paths still, since they rotate.
"""

from __future__ import annotations

import msgspec

from hodei_k8s_core.http import Headers
from hodei_k8s_core.secret import Secret


class Material(msgspec.Struct, frozen=True):
    """A certificate, key or token: in a file (`path`) or given right there (`data`). `field` names it in errors."""

    field: str
    path: str = ""
    data: Secret | None = None


class TlsTrust(msgspec.Struct, frozen=True):
    """Which servers are believed.

    `ca`: the bundle that is trusted, and nothing else; None for the system's. `insecure`: any certificate will do.
    `server_name`: what the certificate must name when it is not the host of the URL.
    """

    ca: Material | None = None
    insecure: bool = False
    server_name: str | None = None


class ClientCertificate(msgspec.Struct, frozen=True):
    """A certificate and its private key, in PEM."""

    certificate: Material
    key: Material


class TokenFile(msgspec.Struct, frozen=True):
    """A bearer token in a file that rotates. `fallback`: what counts while nothing could be read from it."""

    file: Material
    fallback: Secret | None = None


class BasicAuth(msgspec.Struct, frozen=True):
    """A name and a password, for a proxy in front of the API server: Kubernetes itself takes none since 1.19."""

    username: str
    password: Secret


class ExecPlugin(msgspec.Struct, frozen=True):
    """A program that hands out credentials.

    `command`: absolute, or a bare name to look up on PATH. `environment`: what is added to our own (not shown: it may
    hold secrets). `interactive_mode`: Never, IfAvailable or Always. `cluster_config`: what the cluster's extension
    `client.authentication.k8s.io/exec` says, for the plugin. `field` names the stanza in errors.
    """

    field: str
    command: str
    api_version: str
    interactive_mode: str
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, Secret], ...] = ()
    provides_cluster_info: bool = False
    install_hint: str = ""
    cluster_config: msgspec.Raw | None = None

    def __repr__(self) -> str:
        return f"<ExecPlugin {self.field}>"


class Identity(msgspec.Struct, frozen=True):
    """Who we say we are; all None is anonymous. A certificate and a token may come together."""

    token: Secret | TokenFile | None = None
    basic: BasicAuth | None = None
    certificate: ClientCertificate | None = None
    plugin: ExecPlugin | None = None


ANONYMOUS = Identity()


class AccessOrigin(msgspec.Struct, frozen=True):
    """Where the settings came from, for messages. Files are "" and names too for an access from inside a cluster."""

    context: str = ""
    cluster: str = ""
    user: str = ""
    context_file: str = ""
    cluster_file: str = ""
    user_file: str = ""
    in_cluster: bool = False

    def __str__(self) -> str:
        if self.in_cluster:
            return "the Pod's own service account"
        return f'context "{self.context}" ({self.context_file})'


class ClusterAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is needed to reach one cluster.

    `server`: scheme, host, port and a path prefix to keep, without a trailing slash; `server_as_written`: the same as
    the kubeconfig has it. `namespace`: the context's, for display only. `proxy`: the kubeconfig's `proxy-url` (it may
    hold a password), or None for what the environment says (`proxy.choose_proxy`). `impersonation`: headers that every
    request carries. `compression`: whether to accept gzip. `credentials_withheld`: there
    are some, and they are not used, since the server is plain http.
    """

    server: str
    server_as_written: str
    trust: TlsTrust = TlsTrust()
    identity: Identity = ANONYMOUS
    impersonation: Headers = ()
    namespace: str = "default"
    proxy: Secret | None = None
    compression: bool = True
    credentials_withheld: bool = False
    origin: AccessOrigin = AccessOrigin()

    @property
    def is_encrypted(self) -> bool:
        return self.server.startswith("https://")
