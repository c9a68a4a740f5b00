"""A user's stanza: what is wrong with it, and the identity that it gives.

Source: k8s.io/client-go, tools/clientcmd/validation.go (`validateAuthInfo`), rest/transport.go,
plugin/pkg/client/auth/exec/exec.go (`UpdateTransportConfig`).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from hodei_k8s_core.access.cluster_access import (
    BasicAuth,
    ClientCertificate,
    ExecPlugin,
    Identity,
    Material,
    TokenFile,
)
from hodei_k8s_core.access.credentials import is_header_text
from hodei_k8s_core.access.exec_plugin import API_VERSIONS, CLUSTER_EXTENSION, DEFAULT_INTERACTIVE, INTERACTIVE_MODES
from hodei_k8s_core.access.kubeconfig_cluster import is_path, material, resolve_path
from hodei_k8s_core.access.kubeconfig_document import ClusterStanza, ExecStanza, Placed, UserStanza
from hodei_k8s_core.errors import Fault
from hodei_k8s_core.secret import Secret

_USE_EXEC_INSTEAD = (
    "auth-provider is not supported: Kubernetes removed the cloud ones in 1.26. Use an exec plugin "
    "(gke-gcloud-auth-plugin for gcp, kubelogin for azure and oidc), or a token"
)


def user_faults(user: Placed[UserStanza]) -> Iterator[Fault]:
    """Everything that makes the stanza unusable, whatever the scheme of the server."""
    stanza = user.stanza
    if stanza.token and (stanza.username or stanza.password):
        yield Fault(user.field("token"), "stands beside username or password: only one way to authenticate can be used")
    if stanza.client_certificate or stanza.client_certificate_data:
        yield from _certificate_faults(user)
    if stanza.exec is not None:
        yield from _exec_faults(user, stanza.exec)
    yield from _impersonation_faults(user)


def _impersonation_faults(user: Placed[UserStanza]) -> Iterator[Fault]:
    stanza = user.stanza
    extra = [text for texts in (stanza.impersonate_extra or {}).values() for text in texts or ()]
    named = {
        "as": [stanza.impersonate or ""],
        "as-uid": [stanza.impersonate_uid or ""],
        "as-groups": stanza.impersonate_groups or [],
        "as-user-extra": extra,
    }
    for name, texts in named.items():
        if any(texts) and not stanza.impersonate:
            yield Fault(user.field(name), "needs `as`: nobody to impersonate is named")
        if not all(text.isprintable() for text in texts):
            yield Fault(user.field(name), "holds characters that no header can carry (a line end, perhaps)")


def unsupported_faults(cluster: Placed[ClusterStanza], user: Placed[UserStanza]) -> Iterator[Fault]:
    """What makes the two stanzas unusable with an encrypted server only."""
    stanza = user.stanza
    if cluster.stanza.insecure_skip_tls_verify and (
        cluster.stanza.certificate_authority or cluster.stanza.certificate_authority_data
    ):
        yield Fault(
            cluster.field("insecure-skip-tls-verify"), "stands beside a certificate authority: only one can be used"
        )
    if stanza.auth_provider is not None:
        yield Fault(user.field("auth-provider"), _USE_EXEC_INSTEAD)
    if stanza.token_file and (stanza.username or stanza.password):
        yield Fault(user.field("tokenFile"), "stands beside username or password: only one can be used")
    if stanza.username and not stanza.password:
        yield Fault(user.field("password"), "is missing beside username: use a token, a certificate or an exec plugin")
    if stanza.password and not stanza.username:
        yield Fault(user.field("username"), "is missing beside password: use a token, a certificate or an exec plugin")
    if stanza.token and not is_header_text(stanza.token):
        yield Fault(user.field("token"), "holds characters that no header can carry (a line end, perhaps)")


def _certificate_faults(user: Placed[UserStanza]) -> Iterator[Fault]:
    stanza = user.stanza
    if stanza.client_certificate and stanza.client_certificate_data:
        yield Fault(user.field("client-certificate-data"), "stands beside client-certificate: only one can be used")
    if stanza.client_key and stanza.client_key_data:
        yield Fault(user.field("client-key-data"), "stands beside client-key: only one can be used")
    if not stanza.client_key and not stanza.client_key_data:
        yield Fault(user.field("client-key"), "is missing: a client certificate needs its key")


def _exec_faults(user: Placed[UserStanza], plugin: ExecStanza) -> Iterator[Fault]:
    where = user.field("exec")
    if user.stanza.auth_provider is not None:
        yield Fault(where, "stands beside auth-provider: only one can be used")
    if not plugin.command:
        yield Fault(f"{where}.command", "is missing")
    if not plugin.api_version:
        yield Fault(f"{where}.apiVersion", "is missing")
    elif plugin.api_version not in API_VERSIONS:
        yield Fault(f"{where}.apiVersion", f'is "{plugin.api_version}", and must be one of {", ".join(API_VERSIONS)}')
    for index, variable in enumerate(plugin.env or ()):
        if not variable.name:
            yield Fault(f"{where}.env[{index}].name", "is missing")
    mode = _interactive_mode(plugin)
    if not mode:
        yield Fault(f"{where}.interactiveMode", f"is missing: one of {', '.join(INTERACTIVE_MODES)}")
    elif mode not in INTERACTIVE_MODES:
        yield Fault(f"{where}.interactiveMode", f'is "{mode}", and must be one of {", ".join(INTERACTIVE_MODES)}')


def _interactive_mode(plugin: ExecStanza) -> str:
    return plugin.interactive_mode or DEFAULT_INTERACTIVE.get(plugin.api_version or "", "")


def identity_of(user: Placed[UserStanza], cluster: Placed[ClusterStanza]) -> Identity:
    """The identity of a stanza without faults. A plugin counts only where nothing else identifies the user."""
    stanza = user.stanza
    token = _token(user)
    basic = BasicAuth(stanza.username, Secret(stanza.password or "")) if stanza.username else None
    certificate = _certificate(user)
    if stanza.exec is not None and token is None and basic is None and certificate is None:
        return Identity(plugin=_plugin(user, stanza.exec, cluster))
    return Identity(token=token, basic=basic, certificate=certificate)


def _token(user: Placed[UserStanza]) -> Secret | TokenFile | None:
    token = Secret(user.stanza.token) if user.stanza.token else None
    if user.stanza.token_file:
        path = resolve_path(user.path, user.stanza.token_file)
        return TokenFile(Material(field=user.field("tokenFile"), path=path), fallback=token)
    return token


def _certificate(user: Placed[UserStanza]) -> ClientCertificate | None:
    stanza = user.stanza
    certificate = material(user, "client-certificate", stanza.client_certificate, stanza.client_certificate_data)
    key = material(user, "client-key", stanza.client_key, stanza.client_key_data)
    return ClientCertificate(certificate, key) if certificate and key else None


def _plugin(user: Placed[UserStanza], plugin: ExecStanza, cluster: Placed[ClusterStanza]) -> ExecPlugin:
    command = plugin.command or ""
    config = next((item.extension for item in cluster.stanza.extensions or () if item.name == CLUSTER_EXTENSION), None)
    return ExecPlugin(
        field=user.field("exec"),
        command=resolve_path(user.path, command) if is_path(command) else command,
        api_version=plugin.api_version or "",
        interactive_mode=_interactive_mode(plugin),
        arguments=tuple(plugin.args or ()),
        environment=tuple((item.name or "", Secret(item.value or "")) for item in plugin.env or ()),
        provides_cluster_info=bool(plugin.provide_cluster_info),
        install_hint=plugin.install_hint or "",
        cluster_config=msgspec.Raw(msgspec.json.encode(config)) if config is not None else None,
    )
