"""The certificates of the connections to one server: what ours and the server's say of their end."""

from __future__ import annotations

import ssl
import time
from typing import Final, Protocol

from hodei_k8s_core.access.certificate import Certificate, expiry_in_der
from hodei_k8s_core.errors import ConfigurationError, TransportError
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.channels.h11_dial import connect
from hodei_k8s_transport.channels.h11_route import plan_route
from hodei_k8s_transport.channels.waiting import Alarm, perform, resolve
from hodei_k8s_transport.channels.wire import TlsWire

_SERVED: Final = "the server's certificate"


class ShowsCertificate(Protocol):
    """A source of credentials that knows which client certificate it gives."""

    @property
    def certificate(self) -> Certificate | None: ...


class ConnectionCertificates:
    """The `Certificates` of the connections to an endpoint with the credentials of a source."""

    def __init__(self, endpoint: Endpoint, credentials: ShowsCertificate) -> None:
        self._endpoint = endpoint
        self._credentials = credentials

    def own(self) -> Certificate | None:
        """The client certificate at hand."""
        return self._credentials.certificate

    def served(self, timeout: float) -> Certificate | None:
        """The server's, by a handshake that verifies nothing and after which nothing is sent; blocks."""
        try:
            data = served_certificate(self._endpoint, timeout)
        except (OSError, ExceptionGroup, TransportError, ConfigurationError):
            return None
        ends = expiry_in_der(data) if data is not None else None
        return None if ends is None else Certificate(_SERVED, ends)


def served_certificate(endpoint: Endpoint, timeout: float) -> bytes | None:
    """What the server shows to anybody, in DER; for telling what is wrong with it, never for trusting it.

    Raises: OSError, ExceptionGroup, TransportError: there is no way to it; ConfigurationError: none that we can go.
    """
    # No client certificate is shown, and the connection is closed before a request could be sent on it.
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    deadline = time.monotonic() + timeout
    route = plan_route(endpoint)
    proxy_tls = ssl.create_default_context() if route.proxy_name is not None else None
    wire = perform(connect(route, resolve(route, deadline), proxy_tls, anybody), deadline, Alarm())
    try:
        return wire.peer_certificate() if isinstance(wire, TlsWire) else None
    finally:
        wire.close()
