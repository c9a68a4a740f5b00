"""What most likely mends a connection that failed, for each way to fail."""

from __future__ import annotations

from typing import Final

from hodei_k8s_core.errors import TransportFault

MENDS: Final[dict[TransportFault, str]] = {
    TransportFault.NAME_NOT_FOUND: "check the host in the cluster's `server`, and this machine's DNS or VPN",
    TransportFault.REFUSED: "nothing listens there: check the port in the cluster's `server`, and that the API server "
    "runs",
    TransportFault.UNREACHABLE: "there is no way to that address: check the network, the VPN and the firewall",
    TransportFault.PROXY: "check the cluster's `proxy-url`, or HTTPS_PROXY and NO_PROXY in the environment",
    TransportFault.TLS_UNTRUSTED: "the cluster's `certificate-authority` did not sign the server's certificate: get "
    "the kubeconfig again, and see that no proxy in between inspects TLS",
    TransportFault.TLS_NAME: "put a name that the certificate has into the cluster's `server`, or into "
    "`tls-server-name`",
    TransportFault.TLS_EXPIRED: "renew the API server's certificate (`hodei-k8s doctor` says when it expired); if that "
    "is valid, set this machine's clock right",
    TransportFault.TLS: "the handshake failed: see that the client certificate is the one that the server asks for, "
    "and that both speak TLS 1.2 or later",
    TransportFault.NOT_TLS: "make scheme and port of the cluster's `server` fit: https for a TLS port, http for a "
    "plain one",
    TransportFault.TIMEOUT: "nothing answered in time: check address, firewall and VPN, or raise `request_timeout`",
    TransportFault.NO_CONNECTION_FREE: "make fewer calls at once",
    TransportFault.CLOSED: "the connection was cut: an API server or load balancer that restarts, so try again; if it "
    "stays, check what listens at the cluster's `server`",
    TransportFault.MALFORMED: "what listens there does not speak HTTP: check the port in the cluster's `server`",
    TransportFault.TOO_LARGE: "raise `max_response_bytes`",
    TransportFault.CREDENTIALS: "look at the user of the kubeconfig's context: run its plugin by hand, or see that its "
    "files can be read",
    TransportFault.INTERRUPTED: "",
}
