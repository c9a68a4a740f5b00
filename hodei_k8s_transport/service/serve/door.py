"""A small HTTP/1.1 server for a few pages that are read: GET alone, one request a connection, with limits and timeouts.

h11 speaks the protocol: it is ours already, and bounds what a client may send. A web framework would bring more code
than all of `serve` for four pages without parameters.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import anyio
import anyio.abc
import h11
import msgspec

HEAD_LIMIT: Final = 16 * 1024
"""Bytes of a request line and its headers."""
REQUEST_LIMIT: Final = 5.0
"""Seconds in which a client must have asked."""
REPLY_LIMIT: Final = 30.0
"""Seconds in which it must have taken the reply."""
LINGER: Final = 1.0
"""Seconds in which a client must have closed, once it was answered."""
MOST_CONNECTIONS: Final = 64
CHUNK: Final = 16 * 1024
_log = logging.getLogger("hodei_k8s.serve")


class Page(msgspec.Struct, frozen=True):
    """What is answered."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


Pages: TypeAlias = Mapping[str, Callable[[], Page]]
"""By path. A page is made in the event loop, so it must be quick."""


class Door:
    """Serves `pages` at one address until it is cancelled. `port` 0: any that is free."""

    def __init__(self, pages: Pages, *, host: str | None, port: int) -> None:
        self._pages = pages
        self._host = host
        self._port = port
        self._open = 0

    @property
    def connections(self) -> int:
        """How many are open."""
        return self._open

    async def run(self, *, task_status: anyio.abc.TaskStatus[int] = anyio.TASK_STATUS_IGNORED) -> None:
        """Tells the port when it listens. Raises: OSError where it cannot listen there."""
        listener = await anyio.create_tcp_listener(local_host=self._host, local_port=self._port)
        async with listener:
            port: int = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - no Django
            task_status.started(port)
            await listener.serve(self._receive)

    async def _receive(self, stream: anyio.abc.ByteStream) -> None:
        self._open += 1
        try:
            async with stream:
                await self._converse(stream)
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
            return  # the client went away
        finally:
            self._open -= 1

    async def _converse(self, stream: anyio.abc.ByteStream) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)
        page: Page | None = None
        with anyio.move_on_after(REQUEST_LIMIT) as asking:
            try:
                page = self._page_for(await _request(connection, stream))
            except h11.RemoteProtocolError as error:
                page = Page(error.error_status_hint, b"the request cannot be understood\n")
        if asking.cancelled_caught:
            page = Page(408, b"the request took too long\n")
        if page is not None and connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            with anyio.move_on_after(REPLY_LIMIT):
                await stream.send(_reply(connection, page))
            await _linger(stream)

    def _page_for(self, request: h11.Request) -> Page:
        if self._open > MOST_CONNECTIONS:
            return Page(503, b"too many connections\n")
        path = request.target.decode("ascii", "replace").partition("?")[0]
        make = self._pages.get(path)
        if make is None:
            return Page(404, f"there is: {' '.join(self._pages)}\n".encode())
        if request.method != b"GET":
            return Page(405, b"")  # nothing may follow the headers of a reply to HEAD
        return _made(make)


def _made(make: Callable[[], Page]) -> Page:
    try:
        return make()
    except Exception:  # noqa: BLE001 - a fault in a page must not end what the process is for
        _log.exception("a page could not be made")
        return Page(500, b"the page could not be made; the log says why\n")


async def _request(connection: h11.Connection, stream: anyio.abc.ByteStream) -> h11.Request:
    """Raises: h11.RemoteProtocolError; EndOfStream when the client leaves without having asked."""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            raise anyio.EndOfStream
        try:
            data = await stream.receive(CHUNK)
        except anyio.EndOfStream:
            data = b""
        connection.receive_data(data)


async def _linger(stream: anyio.abc.ByteStream) -> None:
    """What is closed with something unread is reset, and the reply with it."""
    with anyio.move_on_after(LINGER):
        await stream.send_eof()
        while True:
            await stream.receive(CHUNK)


def _reply(connection: h11.Connection, page: Page) -> bytes:
    headers = [
        ("content-type", page.content_type),
        ("content-length", str(len(page.body))),
        ("cache-control", "no-store"),
        ("connection", "close"),
        *([("allow", "GET")] if page.status == 405 else []),
    ]
    parts: list[h11.Event] = [h11.Response(status_code=page.status, headers=headers)]
    if page.body:
        parts.append(h11.Data(data=page.body))
    return b"".join(connection.send(part) or b"" for part in (*parts, h11.EndOfMessage()))
