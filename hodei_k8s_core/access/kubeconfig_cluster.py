"""A cluster's stanza: what is wrong with it, and which servers it trusts.

Source: k8s.io/client-go, tools/clientcmd/validation.go (`validateClusterInfo`),
transport/transport.go (`TLSConfigFor`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import TypeVar

from hodei_k8s_core.access.cluster_access import Material, TlsTrust
from hodei_k8s_core.access.kubeconfig_document import ClusterStanza, Placed, decode_material
from hodei_k8s_core.access.proxy import parse_proxy
from hodei_k8s_core.access.server_url import parse_server
from hodei_k8s_core.errors import Fault

S = TypeVar("S")


def cluster_faults(cluster: Placed[ClusterStanza]) -> Iterator[Fault]:
    """Everything that makes the stanza unusable, whatever the scheme of its server."""
    stanza = cluster.stanza
    try:
        if not stanza.server:
            raise ValueError("is missing")
        parse_server(stanza.server)
    except ValueError as error:
        yield Fault(cluster.field("server"), str(error))
    try:
        parse_proxy(stanza.proxy_url or "http://none", ("http", "https", "socks5"))
    except ValueError as error:
        yield Fault(cluster.field("proxy-url"), str(error))
    if stanza.certificate_authority and stanza.certificate_authority_data:
        yield Fault(
            cluster.field("certificate-authority-data"), "stands beside certificate-authority: only one can be used"
        )


def trust_of(cluster: Placed[ClusterStanza]) -> TlsTrust:
    """Which servers are believed; for a stanza without faults."""
    stanza = cluster.stanza
    return TlsTrust(
        ca=material(cluster, "certificate-authority", stanza.certificate_authority, stanza.certificate_authority_data),
        insecure=bool(stanza.insecure_skip_tls_verify),
        server_name=stanza.tls_server_name or None,
    )


def material(placed: Placed[S], field: str, path: str | None, data: str | None) -> Material | None:
    """The file or the data of a field, or None when it has neither."""
    if data:
        return Material(field=placed.field(f"{field}-data"), data=decode_material(data))
    return Material(field=placed.field(field), path=resolve_path(placed.path, path)) if path else None


def resolve_path(kubeconfig: str, path: str) -> str:
    """`path` from the directory of the file that it stands in; `..` is taken by the letter, as in Go."""
    joined = PurePath(kubeconfig).parent / path
    parts: list[str] = []
    for part in joined.parts[1:]:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return str(PurePath(joined.anchor, *parts))


def is_path(command: str) -> bool:
    """It has a directory, so it is no name to look up on PATH."""
    return PurePath(command).name != command
