"""The channel for asyncio and trio, over httpx."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import anyio.abc
import httpx

from hodei_k8s_core.errors import Delivery, TransportError
from hodei_k8s_core.http import Request, Response
from hodei_k8s_transport.access.credential import AsyncCredentialSource, Credential, Endpoint
from hodei_k8s_transport.channels import pools as pooling
from hodei_k8s_transport.channels.async_read_ahead import CLOSE_LIMIT, TaskBody, let_go, raw_chunks
from hodei_k8s_transport.channels.attempt import Attempt, reply_headers, request_extensions, request_headers
from hodei_k8s_transport.channels.channel import DEFAULT_RESPONSE_LIMIT
from hodei_k8s_transport.channels.connection_limits import DEFAULT_MAX_CONNECTIONS
from hodei_k8s_transport.channels.decoding import decoder_for, without_coding
from hodei_k8s_transport.channels.httpx_failures import translate_httpx
from hodei_k8s_transport.channels.phase import Phase
from hodei_k8s_transport.channels.pools import Pools
from hodei_k8s_transport.channels.reply import UNAUTHORIZED, Collector, closed_body, closed_channel

Reply = TypeVar("Reply")


class AsyncHttpxChannel:
    """Carries requests to one API server; shared by the tasks of one event loop, between enter and exit.

    `response_limit`: bytes (decoded) of a whole reply. `max_connections`: calls at once; streams have a pool of their
    own without a limit. `client`: a host's own client, which stays open and is used for both; only for endpoints that
    name no TLS context, proxy or server name.

    Raises:
        ConfigurationError: the endpoint needs what (such) a client cannot do.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: AsyncCredentialSource,
        *,
        response_limit: int = DEFAULT_RESPONSE_LIMIT,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        pooling.refuse_unsuitable(endpoint, own_client=client is not None)
        self._endpoint = endpoint
        self._credentials = credentials
        self._response_limit = response_limit
        self._max_connections = max_connections
        self._own_client = client
        self._generation = -1
        self._pools: Pools[httpx.AsyncClient] = (
            pooling.async_pools(endpoint, endpoint.tls, max_connections)
            if client is None
            else Pools(None, client, client)
        )
        self._bodies: set[TaskBody] = set()
        self._pending: set[anyio.CancelScope] = set()
        self._closed = True
        self._free: anyio.Semaphore
        self._readers: anyio.abc.TaskGroup

    async def __aenter__(self) -> AsyncHttpxChannel:
        self._free = anyio.Semaphore(self._max_connections)
        self._readers = anyio.create_task_group()
        await self._readers.__aenter__()
        self._closed = False
        return self

    async def __aexit__(self, *exc_info: object) -> bool | None:
        self._closed = True
        for scope in tuple(self._pending):
            scope.cancel()
        for body in tuple(self._bodies):
            body.abandon(closed_body("the channel is closed"))
        for body in tuple(self._bodies):
            with anyio.move_on_after(CLOSE_LIMIT, shield=True):
                await body.wait_closed()
        # An exception of the caller's block is not shown to the task group: it would wrap it into an exception group.
        await self._readers.__aexit__(None, None, None)
        if self._own_client is None:
            await _close_clients(self._pools)
        return None

    async def send(self, request: Request, timeout: float) -> Response:
        """One whole exchange within `timeout` seconds. Raises: TransportError."""
        return await self._within(timeout, self._send, request)

    async def open(self, request: Request, timeout: float) -> TaskBody:
        """The head of a reply within `timeout` seconds; the body stays open. Raises: TransportError."""
        return await self._within(timeout, self._open, request)

    async def _within(
        self, limit: float, attempt_by: Callable[[Request, Attempt], Awaitable[Reply]], request: Request
    ) -> Reply:
        if self._closed:
            raise closed_channel()
        attempt = Attempt()
        try:
            with anyio.fail_after(limit) as scope:
                self._pending.add(scope)
                try:
                    return await attempt_by(request, attempt)
                finally:
                    self._pending.discard(scope)
        except Exception as error:
            raise self._failure(error, attempt) from error
        raise self._failure(closed_channel(), attempt)

    def _failure(self, error: Exception, attempt: Attempt) -> TransportError:
        if self._closed:
            return closed_channel(translate_httpx(TimeoutError(), attempt.phase).delivery)
        return translate_httpx(error, attempt.phase, proxied=self._endpoint.proxy is not None)

    async def _send(self, request: Request, attempt: Attempt) -> Response:
        credential = await self._credentials.current()
        attempt.phase = Phase.QUEUED
        async with self._free:
            response = await self._call(request, credential, attempt)
            if response.status != UNAUTHORIZED:
                return response
            attempt.phase = Phase.CREDENTIALS
            renewed = await self._credentials.renew(credential.generation)
            return response if renewed is None else await self._call(request, renewed, attempt)

    async def _call(self, request: Request, credential: Credential, attempt: Attempt) -> Response:
        pools = await self._lease(credential)
        try:
            coding = "gzip" if self._endpoint.compression else "identity"
            reply = await self._receive(pools.calls, request, credential, attempt, coding)
            chunks = raw_chunks(reply)
            try:
                collector = Collector(reply.status_code, reply_headers(reply), self._response_limit)
                async for chunk in chunks:
                    collector.add(chunk)
            finally:
                await let_go(reply, chunks)
            return collector.response()
        finally:
            await self._give_back(pools)

    async def _open(self, request: Request, attempt: Attempt) -> TaskBody:
        credential = await self._credentials.current()
        body = await self._start_body(request, credential, attempt)
        if body.status != UNAUTHORIZED:
            return body
        attempt.phase = Phase.CREDENTIALS
        try:
            renewed = await self._credentials.renew(credential.generation)
        except BaseException:
            await body.close()
            raise
        if renewed is None:
            return body
        await body.close()
        return await self._start_body(request, renewed, attempt)

    async def _start_body(self, request: Request, credential: Credential, attempt: Attempt) -> TaskBody:
        pools = await self._lease(credential)
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(self._give_back, pools)
            reply = await self._receive(pools.streams, request, credential, attempt, "identity")
            undo.push_async_callback(let_go, reply)
            headers = reply_headers(reply)
            on_end = functools.partial(self._body_ended, pools)
            body = TaskBody(reply, without_coding(headers), decoder_for(headers), on_end)
            if self._closed:
                raise closed_channel(Delivery.ANSWERED)
            self._bodies.add(body)
            undo.pop_all()
            self._readers.start_soon(body.read_ahead)
        return body

    async def _body_ended(self, pools: Pools[httpx.AsyncClient], body: TaskBody) -> None:
        self._bodies.discard(body)
        await self._give_back(pools)

    async def _receive(
        self, client: httpx.AsyncClient, request: Request, credential: Credential, attempt: Attempt, coding: str
    ) -> httpx.Response:
        attempt.restart(Phase.CONNECTING if self._own_client is None else Phase.UNTRACED)
        message = client.build_request(
            request.method,
            self._endpoint.server + request.target,
            headers=request_headers(self._endpoint, credential, request, coding=coding),
            content=request.body or None,
            extensions=request_extensions(self._endpoint, attempt, attempt.async_trace),
        )
        try:
            reply = await client.send(message, stream=True, auth=None, follow_redirects=False)
        except BaseException:
            if attempt.connecting is not None:
                with anyio.move_on_after(CLOSE_LIMIT, shield=True), contextlib.suppress(Exception):
                    await attempt.connecting.aclose()
            raise
        attempt.phase = Phase.ANSWERED
        return reply

    async def _lease(self, credential: Credential) -> Pools[httpx.AsyncClient]:
        if credential.tls is not None and self._own_client is not None:
            raise pooling.no_client_certificate()
        old, wanted = self._pools, credential.tls or self._endpoint.tls
        if wanted is not old.tls and credential.generation > self._generation:
            self._pools = pooling.async_pools(self._endpoint, wanted, self._max_connections)
            old.is_retired = True
        self._generation = max(self._generation, credential.generation)
        self._pools.users += 1
        leased = self._pools
        await self._close_if_done(old)
        return leased

    async def _give_back(self, pools: Pools[httpx.AsyncClient]) -> None:
        pools.users -= 1
        await self._close_if_done(pools)

    async def _close_if_done(self, pools: Pools[httpx.AsyncClient]) -> None:
        if pools.is_done:
            await _close_clients(pools)


async def _close_clients(pools: Pools[httpx.AsyncClient]) -> None:
    for client in (pools.calls, pools.streams):
        with anyio.move_on_after(CLOSE_LIMIT, shield=True), contextlib.suppress(Exception):
            await client.aclose()
