"""The channel for asyncio and trio, over sockets and h11."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from hodei_k8s_core.errors import Delivery, TransportError
from hodei_k8s_core.http import Request, Response
from hodei_k8s_transport.access.credential import AsyncCredentialSource, Credential, Endpoint
from hodei_k8s_transport.channels.async_h11_body import AsyncSocketBody
from hodei_k8s_transport.channels.async_waiting import perform, resolve
from hodei_k8s_transport.channels.channel import DEFAULT_RESPONSE_LIMIT
from hodei_k8s_transport.channels.connection_limits import DEFAULT_MAX_CONNECTIONS
from hodei_k8s_transport.channels.failures import translate
from hodei_k8s_transport.channels.h11_core import H11Core, LinkPool
from hodei_k8s_transport.channels.h11_dial import connect
from hodei_k8s_transport.channels.h11_exchange import Link, ask, ask_whole
from hodei_k8s_transport.channels.h11_pool import Turns
from hodei_k8s_transport.channels.phase import Phase, Progress
from hodei_k8s_transport.channels.reply import UNAUTHORIZED, closed_body, closed_channel

Reply = TypeVar("Reply")
_CLOSE_LIMIT = 2.0
"""Seconds that leaving the channel waits for the calls that it ended."""


class AsyncH11Channel:
    """Carries requests to one API server; shared by the tasks of one event loop, between enter and exit.

    `response_limit`: bytes (decoded) of a whole reply. `max_connections`: calls at once; streams have a pool of their
    own without a limit. The time limit of a call holds for all of it.

    Raises:
        ConfigurationError: the endpoint's proxy speaks SOCKS.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: AsyncCredentialSource,
        *,
        response_limit: int = DEFAULT_RESPONSE_LIMIT,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
    ) -> None:
        self._credentials = credentials
        self._response_limit = response_limit
        self._core = H11Core(endpoint, max_connections)
        self._turns: Turns[anyio.Event] = Turns(max_connections)
        self._bodies: set[AsyncSocketBody] = set()
        self._pending: set[anyio.CancelScope] = set()
        self._all_ended: anyio.Event | None = None
        self._closed = True

    async def __aenter__(self) -> AsyncH11Channel:
        self._closed = False
        return self

    async def __aexit__(self, *exc_info: object) -> bool | None:
        self._closed = True
        for scope in tuple(self._pending):
            scope.cancel()
        for body in tuple(self._bodies):
            body.abandon(closed_body("the channel is closed"))
        self._core.close()
        if self._pending:
            self._all_ended = anyio.Event()
            with anyio.move_on_after(_CLOSE_LIMIT, shield=True):
                await self._all_ended.wait()
        return None

    async def send(self, request: Request, timeout: float) -> Response:
        """One whole exchange within `timeout` seconds. Raises: TransportError."""
        return await self._within(timeout, self._send, request)

    async def open(self, request: Request, timeout: float) -> AsyncSocketBody:
        """The head of a reply within `timeout` seconds; the body stays open. Raises: TransportError."""
        return await self._within(timeout, self._open, request)

    async def _within(
        self, limit: float, attempt_by: Callable[[Request, Progress], Awaitable[Reply]], request: Request
    ) -> Reply:
        if self._closed:
            raise closed_channel()
        progress = Progress()
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + limit) as scope:
                self._pending.add(scope)
                try:
                    return await attempt_by(request, progress)
                finally:
                    self._forget(scope)
        except Exception as error:
            raise self._failure(error, progress) from error
        raise self._failure(TimeoutError(), progress)

    def _forget(self, scope: anyio.CancelScope) -> None:
        self._pending.discard(scope)
        if self._all_ended is not None and not self._pending:
            self._all_ended.set()

    def _failure(self, error: Exception, progress: Progress) -> TransportError:
        if self._closed:
            return closed_channel(progress.delivery)
        return translate(error, progress.phase, proxied=self._core.route.is_proxied)

    async def _send(self, request: Request, progress: Progress) -> Response:
        credential = await self._credentials.current()
        progress.phase = Phase.QUEUED
        await self._take_turn()
        try:
            response = await self._call(request, credential, progress)
            if response.status != UNAUTHORIZED:
                return response
            progress.phase = Phase.CREDENTIALS
            renewed = await self._credentials.renew(credential.generation)
            return response if renewed is None else await self._call(request, renewed, progress)
        finally:
            self._give_turn()

    async def _call(self, request: Request, credential: Credential, progress: Progress) -> Response:
        core = self._core
        progress.phase = Phase.CONNECTING
        block = core.headers.for_whole(request, credential)
        link = await self._obtain(core.calls, credential)
        try:
            steps = ask_whole(link, progress, request, core.route.prefix, block, self._response_limit)
            response = await perform(steps)
        except BaseException:
            link.wire.close()
            raise
        core.give_back(core.calls, link, anyio.current_time())
        return response

    async def _open(self, request: Request, progress: Progress) -> AsyncSocketBody:
        credential = await self._credentials.current()
        body = await self._start_body(request, credential, progress)
        if body.status != UNAUTHORIZED:
            return body
        progress.phase = Phase.CREDENTIALS
        try:
            renewed = await self._credentials.renew(credential.generation)
        except BaseException:
            await body.close()
            raise
        if renewed is None:
            return body
        await body.close()
        return await self._start_body(request, renewed, progress)

    async def _start_body(self, request: Request, credential: Credential, progress: Progress) -> AsyncSocketBody:
        core = self._core
        progress.phase = Phase.CONNECTING
        block = core.headers.for_stream(request, credential)
        link = await self._obtain(core.streams, credential)
        try:
            head = await perform(ask(link, progress, request, core.route.prefix, block))
            if self._closed:
                raise closed_channel(Delivery.ANSWERED)
            body = AsyncSocketBody(head, link, functools.partial(self._body_ended, link))
        except BaseException:
            link.wire.close()
            raise
        self._bodies.add(body)
        return body

    def _body_ended(self, link: Link, body: AsyncSocketBody) -> None:
        self._bodies.discard(body)
        self._core.give_back(self._core.streams, link, anyio.current_time())

    async def _obtain(self, pool: LinkPool, credential: Credential) -> Link:
        core = self._core
        core.follow(credential)
        link = core.idle_link(pool, anyio.current_time())
        if link is not None:
            return link
        tls, era = core.tls, core.era
        return Link(await perform(connect(core.route, await resolve(core.route), core.proxy_tls, tls)), era)

    async def _take_turn(self) -> None:
        if self._turns.take():
            return
        waiter = anyio.Event()
        self._turns.line_up(waiter)
        try:
            await waiter.wait()
        except BaseException:
            if not self._turns.leave(waiter):
                self._give_turn()
            raise

    def _give_turn(self) -> None:
        waiter = self._turns.give_back()
        if waiter is not None:
            waiter.set()
