"""The header fields of requests as bytes, made and checked once for each credential and not for each request."""

from __future__ import annotations

from hodei_k8s_core.http import Headers, Request
from hodei_k8s_transport.access.credential import Credential, Endpoint
from hodei_k8s_transport.channels.h11_heads import checked_block
from hodei_k8s_transport.channels.h11_route import Route

_KEPT = 64
_HAVE_A_BODY = frozenset({"POST", "PUT", "PATCH"})
"""A server may refuse these without a length."""


class HeaderBook:
    """The fields that requests of one channel carry."""

    def __init__(self, endpoint: Endpoint, route: Route) -> None:
        self._endpoint = endpoint
        self._first = ((b"host", route.authority.encode()), *(() if route.tunnel else route.authorization))
        self._whole_coding = "gzip" if endpoint.compression else "identity"
        self._credential: Headers | None = None
        self._made: dict[tuple[Headers, str], bytes] = {}

    def for_whole(self, request: Request, credential: Credential) -> bytes:
        """For a reply that is read as a whole. Raises: TransportError: a field is not valid."""
        return self._fields(request, credential, self._whole_coding)

    def for_stream(self, request: Request, credential: Credential) -> bytes:
        """For a body that is read as it comes: compression would hold lines back."""
        return self._fields(request, credential, "identity")

    def _fields(self, request: Request, credential: Credential, coding: str) -> bytes:
        block = self._common(request.headers, credential, coding)
        if request.body or request.method in _HAVE_A_BODY:
            return b"%bcontent-length: %d\r\n" % (block, len(request.body))
        return block

    def _common(self, own: Headers, credential: Credential, coding: str) -> bytes:
        made = self._made
        if credential.headers != self._credential or len(made) >= _KEPT:
            # Replaced, not emptied: other threads may be reading it.
            made = self._made = {}
            self._credential = credential.headers
        known = made.get((own, coding))
        if known is None:
            texts = (*self._endpoint.headers, *credential.headers, *own, ("accept-encoding", coding))
            encoded = [(name.encode(), value.encode()) for name, value in texts]
            known = made[own, coding] = checked_block([*self._first, *encoded])
        return known
