"""Whole replies: collected, decoded and bounded, the same for both channels."""

from __future__ import annotations

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Headers, Response
from hodei_k8s_transport.channels.decoding import decoder_for, without_coding

UNAUTHORIZED = 401
# net/http answers this on a TLS port; it is no reply of the API server.
_PLAIN_HTTP_REFUSED = (400, b"Client sent an HTTP request to an HTTPS server.")


class Collector:
    """Takes the raw bytes of one reply and gives the decoded whole.

    Raises:
        TransportError: TOO_LARGE: more than `limit` bytes; MALFORMED: the coding is broken.
    """

    def __init__(self, status: int, headers: Headers, limit: int) -> None:
        self._status = status
        self._headers = headers
        self._limit = limit
        self._decoder = decoder_for(headers)
        self._pieces: list[bytes] = []
        self._size = 0
        self._check(declared_length(headers))

    def add(self, data: bytes) -> None:
        for piece in self._decoder.feed(data):
            self._size += len(piece)
            self._check(self._size)
            self._pieces.append(piece)

    def response(self) -> Response:
        """The reply, now that all its bytes were added."""
        self._decoder.finish()
        body = b"".join(self._pieces)
        status, text = _PLAIN_HTTP_REFUSED
        if self._status == status and body.startswith(text):
            detail = "the server speaks TLS on this port; the address should begin with https"
            raise TransportError(TransportFault.NOT_TLS, Delivery.ANSWERED, detail)
        return Response(self._status, without_coding(self._headers), body)

    def _check(self, size: int) -> None:
        if size > self._limit:
            detail = f"the reply has more than {self._limit} bytes"
            raise TransportError(TransportFault.TOO_LARGE, Delivery.ANSWERED, detail)


def closed_body(detail: str = "this body is closed") -> TransportError:
    """What reads meet after `close`."""
    return TransportError(TransportFault.CLOSED, Delivery.ANSWERED, detail)


def again(failure: TransportError) -> TransportError:
    """The same failure for another raise, which must not grow the traceback of the first."""
    return TransportError(failure.fault, failure.delivery, failure.detail)


def closed_channel(delivery: Delivery = Delivery.NOT_SENT) -> TransportError:
    """What calls meet that come after `close`, or that it interrupted."""
    return TransportError(TransportFault.CLOSED, delivery, "the channel is closed")


def declared_length(headers: Headers) -> int:
    """The bytes that the reply says it has, or 0 when it does not say."""
    declared = next((value for name, value in headers if name == "content-length"), "0")
    return int(declared) if declared.isascii() and declared.isdigit() else 0
