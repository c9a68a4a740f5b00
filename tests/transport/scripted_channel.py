"""A channel in memory that does what it is told, the channel that recordings are made of in tests; and a plan of calls
that is carried out on any channel, on threads, asyncio and trio, with the same outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
import msgspec

from hodei_k8s_core.effects import SILENCE, Silence
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Headers, Request, Response
from hodei_k8s_transport.channels.channel import AsyncBodyStream, AsyncChannel, BodyStream, Channel

BACKENDS = ("threads", "asyncio", "trio")
END = b""


class Reply(msgspec.Struct, frozen=True):
    """The reply to one request: its head, and what each read gives or raises."""

    status: int = 200
    headers: Headers = ()
    pieces: tuple[bytes | Silence | TransportError, ...] = (END,)

    @property
    def response(self) -> Response:
        return Response(self.status, self.headers, b"".join(piece for piece in self.pieces if isinstance(piece, bytes)))


class Call(msgspec.Struct, frozen=True):
    """One call of a plan: a send (`reads` None), or an open with the silence limits of its reads."""

    request: Request
    reads: tuple[float, ...] | None = None
    closes: bool = True


class ScriptedChannel:
    """Gives the replies of a script in order; an exception in it is raised."""

    def __init__(self, script: Sequence[Reply | BaseException]) -> None:
        self._script = iter(script)
        self.seen: list[Request] = []
        self.closed = False

    def send(self, request: Request, timeout: float) -> Response:
        return self._next(request).response

    def open(self, request: Request, timeout: float) -> ScriptedBody:
        return ScriptedBody(self._next(request))

    def close(self) -> None:
        self.closed = True

    def _next(self, request: Request) -> Reply:
        self.seen.append(request)
        reply = next(self._script)
        if isinstance(reply, BaseException):
            raise reply
        return reply


class ScriptedBody:
    def __init__(self, reply: Reply) -> None:
        self.status = reply.status
        self.headers = reply.headers
        self._pieces = list(reply.pieces)

    def read(self, silence_limit: float) -> bytes | Silence:
        piece = self._pieces[0] if self._pieces else END
        self._pieces = self._pieces[1:]
        if isinstance(piece, TransportError):
            raise piece
        return piece

    def wake(self) -> None:
        pass

    def close(self) -> None:
        pass


class AsyncScriptedChannel:
    def __init__(self, script: Sequence[Reply | BaseException]) -> None:
        self._channel = ScriptedChannel(script)

    async def __aenter__(self) -> AsyncScriptedChannel:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._channel.close()

    async def send(self, request: Request, timeout: float) -> Response:
        return self._channel.send(request, timeout)

    async def open(self, request: Request, timeout: float) -> AsyncBodyStream:
        return AsyncScriptedBody(self._channel.open(request, timeout))


class AsyncScriptedBody:
    def __init__(self, body: ScriptedBody) -> None:
        self._body = body
        self.status = body.status
        self.headers = body.headers

    async def read(self, silence_limit: float) -> bytes | Silence:
        return self._body.read(silence_limit)

    async def close(self) -> None:
        self._body.close()


def outcomes(channel: Channel, plan: Sequence[Call]) -> list[Any]:
    """What every call and every read of the plan gave, on this thread."""
    seen: list[Any] = []
    for call in plan:
        try:
            if call.reads is None:
                seen.append(channel.send(call.request, 30.0))
                continue
            body = channel.open(call.request, 30.0)
        except TransportError as error:
            seen.append(told(error))
            continue
        seen.append((body.status, body.headers))
        seen += [_read(body, limit) for limit in call.reads]
        if call.closes:
            body.close()
    return seen


def _read(body: BodyStream, limit: float) -> Any:
    try:
        return body.read(limit)
    except TransportError as error:
        return told(error)


async def async_outcomes(channel: AsyncChannel, plan: Sequence[Call]) -> list[Any]:
    """The same in a task; enters and leaves the channel."""
    seen: list[Any] = []
    async with channel:
        for call in plan:
            try:
                if call.reads is None:
                    seen.append(await channel.send(call.request, 30.0))
                    continue
                body = await channel.open(call.request, 30.0)
            except TransportError as error:
                seen.append(told(error))
                continue
            seen.append((body.status, body.headers))
            for limit in call.reads:
                try:
                    seen.append(await body.read(limit))
                except TransportError as error:
                    seen.append(told(error))
            if call.closes:
                await body.close()
    return seen


def told(error: TransportError) -> tuple[str, str, str]:
    return error.fault.value, error.delivery.value, error.detail


def in_tasks(backend: str, channel: AsyncChannel, plan: Sequence[Call]) -> list[Any]:
    return anyio.run(async_outcomes, channel, plan, backend=backend)


__all__ = [
    "BACKENDS",
    "END",
    "SILENCE",
    "AsyncScriptedChannel",
    "Call",
    "Reply",
    "ScriptedChannel",
    "in_tasks",
    "outcomes",
]
