"""A host's own HTTP client: what the kubeconfig says of connections is the client's business, or cannot be had.

Which servers the client trusts and which proxies of the environment it uses are the host's to decide. What the
kubeconfig asks for by name, and nobody can see the client do, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from hodei_k8s_core.access.cluster_access import ClusterAccess, TlsTrust
from hodei_k8s_core.errors import ConfigurationError, Fault

_PROBLEM = "asks for connections that a client of your own cannot be seen to make; leave `client` out, or this"


def trust_of_the_host(access: ClusterAccess) -> ClusterAccess:
    """The access as such a client can carry it: without a trust of its own.

    Raises: ConfigurationError that names every field that the client cannot be trusted with.
    """
    faults = [Fault(field, _PROBLEM) for field in _fields_beyond_a_client(access)]
    if faults:
        raise ConfigurationError("this cluster cannot be used with a client of your own", faults)
    return msgspec.structs.replace(access, trust=TlsTrust())


def _fields_beyond_a_client(access: ClusterAccess) -> Iterator[str]:
    identity, origin = access.identity, access.origin
    if identity.certificate is not None:
        yield identity.certificate.certificate.field
    if identity.plugin is not None:  # it may hand out a client certificate, today or with the next answer
        yield identity.plugin.field
    cluster = f'{origin.cluster_file}: clusters["{origin.cluster}"].cluster'
    if access.proxy is not None:
        yield f"{cluster}.proxy-url"
    if access.trust.server_name is not None:
        yield f"{cluster}.tls-server-name"
    if access.trust.insecure:
        yield f"{cluster}.insecure-skip-tls-verify"
