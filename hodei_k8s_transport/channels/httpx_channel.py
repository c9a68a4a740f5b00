"""The channel for threads, over httpx."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Iterator

import httpx

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request, Response
from hodei_k8s_transport.access.credential import Credential, CredentialSource, Endpoint
from hodei_k8s_transport.channels import pools as pooling
from hodei_k8s_transport.channels.channel import DEFAULT_RESPONSE_LIMIT
from hodei_k8s_transport.channels.decoding import decoder_for, without_coding
from hodei_k8s_transport.channels.exchange import (
    Exchange,
    Phase,
    reply_headers,
    request_extensions,
    request_headers,
)
from hodei_k8s_transport.channels.failures import translate
from hodei_k8s_transport.channels.read_ahead import ThreadedBody, closed_body
from hodei_k8s_transport.channels.reply import Collector, closed_channel, refuse_plain_http

UNAUTHORIZED = 401


class HttpxChannel:
    """Carries requests to one API server; shared by threads.

    `response_limit`: bytes (decoded) of a whole reply. `max_connections`: calls at once; streams have a pool of their
    own without a limit. `client`: a host's own client, which stays open and is used for both; only for endpoints that
    name no TLS context, proxy or server name.

    The time limit of a call holds for each of its steps with what is left of it, and between the bytes of a reply; the
    look-up of a name cannot be interrupted, and each of several addresses may take the limit once.

    Raises:
        ConfigurationError: the endpoint needs what (such) a client cannot do.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: CredentialSource,
        *,
        response_limit: int = DEFAULT_RESPONSE_LIMIT,
        max_connections: int = pooling.DEFAULT_MAX_CONNECTIONS,
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
        self._pools = self._make_pools(endpoint.tls)
        self._bodies: set[ThreadedBody] = set()
        self._closed = False

    def send(self, request: Request, timeout: float) -> Response:
        """One whole exchange within `timeout` seconds. Raises: TransportError."""
        exchange = self._begin(timeout)
        try:
            return self._send(request, exchange)
        except Exception as error:
            raise self._failure(error, exchange) from error

    def open(self, request: Request, timeout: float) -> ThreadedBody:
        """The head of a reply within `timeout` seconds; the body stays open. Raises: TransportError."""
        exchange = self._begin(timeout)
        exchange.leave_body_untimed()
        try:
            return self._open(request, exchange)
        except Exception as error:
            raise self._failure(error, exchange) from error

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

    def _begin(self, timeout: float) -> Exchange:
        if self._closed:
            raise closed_channel()
        return Exchange(time.monotonic() + timeout)

    def _failure(self, error: Exception, exchange: Exchange) -> TransportError:
        if self._closed:
            return closed_channel(translate(error, exchange.phase).delivery)
        return translate(error, exchange.phase, proxied=self._endpoint.proxy is not None)

    def _send(self, request: Request, exchange: Exchange) -> Response:
        credential = self._credentials.current()
        exchange.phase = Phase.QUEUED
        if not self._free.acquire(timeout=max(0.0, exchange.left())):
            raise TimeoutError
        try:
            response = self._call(request, credential, exchange)
            if response.status != UNAUTHORIZED:
                return response
            renewed = self._credentials.renew(credential.generation)
            return response if renewed is None else self._call(request, renewed, exchange)
        finally:
            self._free.release()

    def _call(self, request: Request, credential: Credential, exchange: Exchange) -> Response:
        with self._using(credential) as pools, self._receive(pools.calls, request, credential, exchange) as reply:
            collector = Collector(reply.status_code, reply_headers(reply), self._response_limit)
            for chunk in reply.iter_raw():
                collector.add(chunk)
                exchange.check_deadline()
            return refuse_plain_http(collector.response())

    def _open(self, request: Request, exchange: Exchange) -> ThreadedBody:
        credential = self._credentials.current()
        body = self._start_body(request, credential, exchange)
        if body.status != UNAUTHORIZED:
            return body
        try:
            renewed = self._credentials.renew(credential.generation)
        except BaseException:
            body.close()
            raise
        if renewed is None:
            return body
        body.close()
        return self._start_body(request, renewed, exchange)

    def _start_body(self, request: Request, credential: Credential, exchange: Exchange) -> ThreadedBody:
        with contextlib.ExitStack() as stack:
            pools = stack.enter_context(self._using(credential))
            reply = stack.enter_context(self._receive(pools.streams, request, credential, exchange))
            headers = reply_headers(reply)
            on_end = functools.partial(self._body_ended, stack.pop_all())
            body = ThreadedBody(reply, without_coding(headers), decoder_for(headers), on_end)
        with self._lock:
            self._bodies.add(body)
            closed = self._closed
        body.start()
        if closed:
            body.close()
            raise closed_channel(Delivery.ANSWERED)
        return body
