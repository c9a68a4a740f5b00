"""The channel for threads, over httpx."""

from __future__ import annotations

import contextlib
import functools
import threading
import time

import httpx

from hodei_k8s_core.errors import Delivery, TransportError
from hodei_k8s_core.http import Request, Response
from hodei_k8s_transport.access.credential import Credential, CredentialSource, Endpoint
from hodei_k8s_transport.channels import pools as pooling
from hodei_k8s_transport.channels.attempt import (
    Attempt,
    reply_headers,
    request_extensions,
    request_headers,
)
from hodei_k8s_transport.channels.channel import DEFAULT_RESPONSE_LIMIT
from hodei_k8s_transport.channels.connection_limits import DEFAULT_MAX_CONNECTIONS
from hodei_k8s_transport.channels.decoding import decoder_for, without_coding
from hodei_k8s_transport.channels.httpx_failures import translate_httpx
from hodei_k8s_transport.channels.phase import Phase
from hodei_k8s_transport.channels.pools import Pools
from hodei_k8s_transport.channels.read_ahead import ThreadedBody
from hodei_k8s_transport.channels.reply import UNAUTHORIZED, Collector, closed_body, closed_channel


class HttpxChannel:
    """Carries requests to one API server; shared by threads.

    `response_limit`: bytes (decoded) of a whole reply. `max_connections`: calls at once; streams have a pool of their
    own without a limit. `client`: a host's own client, which stays open and is used for both; only for endpoints that
    name no TLS context, proxy or server name.

    The time limit of a call holds for each of its steps with what is left of it, and between the pieces of a body.
    Three things can outlast it: the look-up of a name, silent addresses before the one that answers, and a
    server that sends the head of its reply byte by byte (each byte gets what was left at the first one).

    Raises:
        ConfigurationError: the endpoint needs what (such) a client cannot do.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: CredentialSource,
        *,
        response_limit: int = DEFAULT_RESPONSE_LIMIT,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
        client: httpx.Client | None = None,
    ) -> None:
        pooling.refuse_unsuitable(endpoint, own_client=client is not None)
        self._endpoint = endpoint
        self._credentials = credentials
        self._response_limit = response_limit
        self._max_connections = max_connections
        self._free = threading.BoundedSemaphore(max_connections)
        self._own_client = client
        self._lock = threading.Lock()
        self._generation = -1
        self._pools: Pools[httpx.Client] = (
            pooling.sync_pools(endpoint, endpoint.tls, max_connections)
            if client is None
            else Pools(None, client, client)
        )
        self._bodies: set[ThreadedBody] = set()
        self._closed = False

    def send(self, request: Request, timeout: float) -> Response:
        """One whole exchange within `timeout` seconds. Raises: TransportError."""
        attempt = self._begin(timeout)
        try:
            return self._send(request, attempt)
        except Exception as error:
            raise self._failure(error, attempt) from error

    def open(self, request: Request, timeout: float) -> ThreadedBody:
        """The head of a reply within `timeout` seconds; the body stays open. Raises: TransportError."""
        attempt = self._begin(timeout)
        attempt.leave_body_untimed()
        try:
            return self._open(request, attempt)
        except Exception as error:
            raise self._failure(error, attempt) from error

    def close(self) -> None:
        """End every connection; a call under way ends within its time limit. Later calls raise `TransportError`."""
        with self._lock:
            self._closed = True
            bodies = tuple(self._bodies)
        for body in bodies:
            body.abandon(closed_body("the channel is closed"))
        if self._own_client is None:
            self._pools.calls.close()
            self._pools.streams.close()

    def _begin(self, timeout: float) -> Attempt:
        if self._closed:
            raise closed_channel()
        return Attempt(time.monotonic() + timeout)

    def _failure(self, error: Exception, attempt: Attempt) -> TransportError:
        if self._closed:
            return closed_channel(translate_httpx(error, attempt.phase).delivery)
        return translate_httpx(error, attempt.phase, proxied=self._endpoint.proxy is not None)

    def _send(self, request: Request, attempt: Attempt) -> Response:
        credential = self._credentials.current()
        attempt.phase = Phase.QUEUED
        if not self._free.acquire(timeout=max(0.0, attempt.left())):
            raise TimeoutError
        try:
            response = self._call(request, credential, attempt)
            if response.status != UNAUTHORIZED:
                return response
            attempt.phase = Phase.CREDENTIALS
            renewed = self._credentials.renew(credential.generation)
            return response if renewed is None else self._call(request, renewed, attempt)
        finally:
            self._free.release()

    def _call(self, request: Request, credential: Credential, attempt: Attempt) -> Response:
        pools = self._lease(credential)
        try:
            coding = "gzip" if self._endpoint.compression else "identity"
            reply = self._receive(pools.calls, request, credential, attempt, coding)
            with contextlib.closing(reply):
                collector = Collector(reply.status_code, reply_headers(reply), self._response_limit)
                for chunk in reply.iter_raw():
                    collector.add(chunk)
                    attempt.check_deadline()
            return collector.response()
        finally:
            self._give_back(pools)

    def _open(self, request: Request, attempt: Attempt) -> ThreadedBody:
        credential = self._credentials.current()
        body = self._start_body(request, credential, attempt)
        if body.status != UNAUTHORIZED:
            return body
        attempt.phase = Phase.CREDENTIALS
        try:
            renewed = self._credentials.renew(credential.generation)
        except BaseException:
            body.close()
            raise
        if renewed is None:
            return body
        body.close()
        return self._start_body(request, renewed, attempt)

    def _start_body(self, request: Request, credential: Credential, attempt: Attempt) -> ThreadedBody:
        pools = self._lease(credential)
        with contextlib.ExitStack() as undo:
            undo.callback(self._give_back, pools)
            reply = self._receive(pools.streams, request, credential, attempt, "identity")
            undo.callback(reply.close)
            headers = reply_headers(reply)
            on_end = functools.partial(self._body_ended, pools)
            body = ThreadedBody(reply, without_coding(headers), decoder_for(headers), on_end)
            with self._lock:
                if self._closed:
                    raise closed_channel(Delivery.ANSWERED)
                body.start()
                self._bodies.add(body)
                undo.pop_all()
        return body

    def _body_ended(self, pools: Pools[httpx.Client], body: ThreadedBody) -> None:
        with self._lock:
            self._bodies.discard(body)
        self._give_back(pools)

    def _receive(
        self, client: httpx.Client, request: Request, credential: Credential, attempt: Attempt, coding: str
    ) -> httpx.Response:
        attempt.restart(Phase.CONNECTING if self._own_client is None else Phase.UNTRACED)
        message = client.build_request(
            request.method,
            self._endpoint.server + request.target,
            headers=request_headers(self._endpoint, credential, request, coding=coding),
            content=request.body or None,
            extensions=request_extensions(self._endpoint, attempt, attempt.sync_trace),
        )
        try:
            reply = client.send(message, stream=True, auth=None, follow_redirects=False)
        except BaseException:
            if attempt.connecting is not None:
                attempt.connecting.close()
            raise
        attempt.phase = Phase.ANSWERED
        return reply

    def _lease(self, credential: Credential) -> Pools[httpx.Client]:
        if credential.tls is not None and self._own_client is not None:
            raise pooling.no_client_certificate()
        with self._lock:
            old, wanted = self._pools, credential.tls or self._endpoint.tls
            if wanted is not old.tls and credential.generation > self._generation:
                self._pools = pooling.sync_pools(self._endpoint, wanted, self._max_connections)
                old.is_retired = True
            self._generation = max(self._generation, credential.generation)
            self._pools.users += 1
            leased = self._pools
        self._close_if_done(old)
        return leased

    def _give_back(self, pools: Pools[httpx.Client]) -> None:
        with self._lock:
            pools.users -= 1
        self._close_if_done(pools)

    def _close_if_done(self, pools: Pools[httpx.Client]) -> None:
        if pools.is_done:
            pools.calls.close()
            pools.streams.close()
