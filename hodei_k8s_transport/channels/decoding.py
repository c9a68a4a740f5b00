"""Content decoding, in one place for whole replies and for open bodies: identity and gzip."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Headers, find_header

PIECE = 64 * 1024
"""Bytes that decoding gives out at most at once, so that a small input cannot ask for much memory."""
_GZIP = 16 + zlib.MAX_WBITS


def malformed(detail: str) -> TransportError:
    return TransportError(TransportFault.MALFORMED, Delivery.ANSWERED, detail)


class Identity:
    """No content coding."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        if data:
            yield data

    def finish(self) -> None:
        """The body is complete."""


class Gzip:
    """RFC 1952, several members one after the other included."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._inside = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode, in pieces of at most `PIECE` bytes. Raises: TransportError: MALFORMED."""
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                piece = self._member.decompress(data, PIECE)
            except zlib.error:
                raise malformed("the reply is not valid gzip") from None
            self._inside = not self._member.eof
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if piece:
                yield piece

    def finish(self) -> None:
        """The body is complete. Raises: TransportError: MALFORMED: it ends inside its coding."""
        if self._inside:
            raise malformed("the reply ends inside its gzip coding")


Decoder = Identity | Gzip


def decoder_for(headers: Headers) -> Decoder:
    """The decoder for a reply. Raises: TransportError: MALFORMED: a coding that was not asked for."""
    coding = (find_header(headers, "content-encoding") or "identity").strip().lower()
    if coding in ("identity", ""):
        return Identity()
    if coding in ("gzip", "x-gzip"):
        return Gzip()
    raise malformed("the reply has a content coding that was not asked for")


def without_coding(headers: Headers) -> Headers:
    """The fields as they are after decoding: without the coding, and the length of the coded bytes."""
    if find_header(headers, "content-encoding") is None:
        return headers
    return tuple(pair for pair in headers if pair[0] not in ("content-encoding", "content-length"))
