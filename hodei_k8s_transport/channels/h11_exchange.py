"""One request and its reply on a connection that is ready: as steps, which threads and tasks perform alike."""

from __future__ import annotations

from collections.abc import Generator

from hodei_k8s_core.http import Request, Response
from hodei_k8s_transport.channels.decoding import Decoder
from hodei_k8s_transport.channels.h11_connection import H11Connection
from hodei_k8s_transport.channels.h11_heads import Head
from hodei_k8s_transport.channels.phase import Phase, Progress
from hodei_k8s_transport.channels.reply import Collector
from hodei_k8s_transport.channels.wire import Steps, Wait, Wire


class Link:
    """A connection and its HTTP. `era`: a pool's count of the TLS contexts; those of an older one are not reused."""

    __slots__ = ("era", "http", "is_broken", "wire")

    def __init__(self, wire: Wire, era: int) -> None:
        self.wire = wire
        self.http = H11Connection()
        self.era = era
        self.is_broken = False

    @property
    def is_reusable(self) -> bool:
        """It can carry another request."""
        return not self.is_broken and self.http.can_ask_again()


def ask(link: Link, progress: Progress, request: Request, prefix: str, block: bytes) -> Steps[Head]:
    """Send a request and read the head of its reply. Raises: TransportError, OSError."""
    data = link.http.ask(progress, request.method, prefix + request.target, block, request.body)
    link.http.sending()
    try:
        yield from link.wire.send(data)
    except OSError:
        if not link.wire.has_sent:
            progress.phase = Phase.CONNECTING
            raise
        # A server may refuse a request that is too large and hang up before it has all of it: its reply counts.
        link.is_broken = True
    while (head := link.http.head()) is None:
        link.http.feed((yield from link.wire.receive()))
    return head


def ask_whole(
    link: Link, progress: Progress, request: Request, prefix: str, block: bytes, limit: int
) -> Steps[Response]:
    """A whole exchange; `limit`: decoded bytes of the reply. Raises: TransportError, OSError."""
    head = yield from ask(link, progress, request, prefix, block)
    collector = Collector(head.status, head.headers, limit)
    while (piece := link.http.piece()) != b"":
        if piece is None:
            link.http.feed((yield from link.wire.receive()))
        else:
            collector.add(piece)
    return collector.response()


def pieces(link: Link, decoder: Decoder) -> Generator[Wait | bytes, None, None]:
    """The body of a reply as it comes: yields its bytes, and what it waits for in between. Returns at its clean end.

    Raises:
        TransportError, OSError: it broke, after the bytes that came before.
    """
    while (piece := link.http.piece()) != b"":
        if piece is None:
            link.http.feed((yield from link.wire.receive()))
        else:
            yield from decoder.feed(piece)
    decoder.finish()
