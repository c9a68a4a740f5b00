"""What every channel must do, as scenarios: async functions of a channel and a server that can misbehave.

Each raises AssertionError with what was wrong. `channel_conformance` runs them for sync and async channels.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Awaitable
from typing import Any

from hodei_k8s_core.effects import SILENCE
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_transport.testing.loopback import (
    NEVER,
    LiveBody,
    LoopbackServer,
    ReceivedRequest,
    Reply,
    chunked_reply,
    cut_after,
    reply,
)

_GET = Request("GET", "/x")
_SOON = 5.0
_BRIEFLY = 0.05


def require(condition: object, otherwise: str) -> None:
    """Raises: AssertionError: with `otherwise`."""
    if not condition:
        raise AssertionError(otherwise)


async def failure_of(call: Awaitable[object], otherwise: str) -> TransportError:
    """The `TransportError` that a call must end with."""
    try:
        result = await call
    except TransportError as error:
        return error
    raise AssertionError(f"{otherwise}; it gave {result!r}")


async def a_whole_exchange(channel: Any, server: LoopbackServer) -> None:
    server.route("/x", reply(201, b"done", (("X-Thing", "1"),)))
    response = await channel.send(Request("POST", "/x", (("a", "b c"),), (("x-more", "2"),), b"body"), _SOON)
    require((response.status, response.body) == (201, b"done"), "status or body of the reply are wrong")
    require(("x-thing", "1") in response.headers, "header names are in lower case")
    seen = server.requests[0]
    require((seen.method, seen.target, seen.body) == ("POST", "/x?a=b%20c", b"body"), "the request did not arrive")
    require(seen.headers.get("x-more") == "2", "the request's own headers are sent")


async def every_status_is_a_reply(channel: Any, server: LoopbackServer) -> None:
    for status in (204, 301, 404, 429, 500):
        server.route("/x", Reply(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status))
        response = await channel.send(_GET, _SOON)
        require(response.status == status, f"status {status} is a reply like any other")
    require(len(server.requests) == 5, "a channel repeats no request, and follows no redirect")


async def no_content_coding_is_left(channel: Any, server: LoopbackServer) -> None:
    def answer(request: ReceivedRequest) -> Reply:
        if "gzip" in request.headers.get("accept-encoding", ""):
            return reply(200, gzip.compress(b"plain"), (("content-encoding", "gzip"),))
        return reply(200, b"plain")

    server.route("/x", answer)
    response = await channel.send(_GET, _SOON)
    require(response.body == b"plain", "the body of a reply is decoded")


async def a_cut_reply_is_never_a_reply(channel: Any, server: LoopbackServer) -> None:
    for whole in (reply(200, b"0123456789"), chunked_reply((b"01234", b"56789"))):
        for size in range(len(whole.wire)):
            server.route("/x", cut_after(whole, size))
            error = await failure_of(channel.send(_GET, _SOON), f"a reply cut after {size} bytes")
            require(error.may_have_happened, f"a reply cut after {size} bytes: the server had the request")


async def no_answer_is_a_timeout(channel: Any, server: LoopbackServer) -> None:
    server.route("/x", NEVER)
    for call in (channel.send, channel.open):
        started = time.monotonic()
        error = await failure_of(call(_GET, 0.2), "a server that never answers")
        require(error.fault is TransportFault.TIMEOUT, f"no answer in time is TIMEOUT, not {error.fault}")
        require(error.may_have_happened, "no answer in time: the server had the request")
        require(time.monotonic() - started < 2, "the time limit of a call holds")


async def nothing_listens(channel: Any, server: LoopbackServer) -> None:
    server.stop()
    for call in (channel.send, channel.open):
        error = await failure_of(call(_GET, _SOON), "a server that is not there")
        require(error.delivery is Delivery.NOT_SENT, "what could not connect was not sent")


async def bytes_arrive_while_a_body_is_open(channel: Any, server: LoopbackServer) -> None:
    live = LiveBody()
    server.route("/x", live)
    body = await channel.open(_GET, _SOON)
    require(body.status == 200, "the status of an open body is wrong")
    for line in (b"one\n", b"two\n"):
        live.send(line)
        require(await body.read(_SOON) == line, "bytes are given as they arrive")
    live.end()
    for _ in range(3):
        require(await body.read(_SOON) == b"", 'the clean end is b"", again and again')
    await body.close()


async def silence_is_not_the_end(channel: Any, server: LoopbackServer) -> None:
    live = LiveBody()
    server.route("/x", live)
    body = await channel.open(_GET, _SOON)
    for _ in range(3):
        require(await body.read(_BRIEFLY) is SILENCE, "nothing in time is SILENCE")
    live.send(b"late")
    try:
        require(await body.read(_SOON) == b"late", "after SILENCE come the next bytes, or a TransportError")
    except TransportError:
        return
    require(await body.read(_BRIEFLY) is SILENCE, "nothing in time is SILENCE")
    live.cut()
    await failure_of(body.read(_SOON), "a body cut after silence")


async def a_cut_body_is_never_a_clean_end(channel: Any, server: LoopbackServer) -> None:
    for whole in (reply(200, b"0123456789"), chunked_reply((b"01234", b"56789"))):
        for size in range(len(whole.wire)):
            server.route("/x", cut_after(whole, size))
            await failure_of(_read_to_the_end(channel), f"a body cut after {size} bytes")
        server.route("/x", whole)
        require(await _read_to_the_end(channel) == b"0123456789", "a whole body arrives whole")


async def closing_ends_this_connection_only(channel: Any, server: LoopbackServer) -> None:
    live = LiveBody()
    server.route("/x", live)
    first = await channel.open(_GET, _SOON)
    second = await channel.open(_GET, _SOON)
    await first.close()
    await first.close()
    require(server.wait_until(lambda: server.open_connections == 1, 2), "closing a body closes its connection")
    live.send(b"x")
    require(await second.read(_SOON) == b"x", "closing a body leaves the others alone")
    await second.close()


async def streams_do_not_starve_a_call(channel: Any, server: LoopbackServer) -> None:
    server.route("/x", LiveBody())
    server.route("/y", reply(200, b"y"))
    bodies = [await channel.open(_GET, _SOON) for _ in range(50)]
    response = await channel.send(Request("GET", "/y"), _SOON)
    require(response.body == b"y", "a call works while many bodies are open")
    for body in bodies:
        await body.close()


async def _read_to_the_end(channel: Any) -> bytes:
    body = await channel.open(_GET, _SOON)
    data = b""
    while piece := await body.read(_SOON):
        require(piece is not SILENCE, "the server does not keep anyone waiting")
        data += piece
    await body.close()
    return data
