"""The channel for threads, over sockets and h11."""

from __future__ import annotations

import functools
import threading
import time

from hodei_k8s_core.errors import Delivery, TransportError
from hodei_k8s_core.http import Request, Response
from hodei_k8s_transport.access.credential import Credential, CredentialSource, Endpoint
from hodei_k8s_transport.channels.channel import DEFAULT_RESPONSE_LIMIT
from hodei_k8s_transport.channels.connection_limits import DEFAULT_MAX_CONNECTIONS
from hodei_k8s_transport.channels.failures import translate
from hodei_k8s_transport.channels.h11_body import SocketBody
from hodei_k8s_transport.channels.h11_core import H11Core, LinkPool
from hodei_k8s_transport.channels.h11_dial import connect
from hodei_k8s_transport.channels.h11_exchange import Link, ask, ask_whole
from hodei_k8s_transport.channels.h11_pool import Turns
from hodei_k8s_transport.channels.phase import Phase, Progress
from hodei_k8s_transport.channels.reply import UNAUTHORIZED, closed_body, closed_channel
from hodei_k8s_transport.channels.waiting import Alarm, perform, resolve


class Exchange(Progress):
    """One call under way; `deadline` on `time.monotonic`."""

    __slots__ = ("deadline",)

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self.deadline = time.monotonic() + timeout


class H11Channel:
    """Carries requests to one API server; shared by threads.

    `response_limit`: bytes (decoded) of a whole reply. `max_connections`: calls at once; streams have a pool of their
    own without a limit. The time limit of a call holds for all of it.

    Raises:
        ConfigurationError: the endpoint's proxy speaks SOCKS.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: CredentialSource,
        *,
        response_limit: int = DEFAULT_RESPONSE_LIMIT,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
    ) -> None:
        self._credentials = credentials
        self._response_limit = response_limit
        self._core = H11Core(endpoint, max_connections)
        self._turns: Turns[threading.Event] = Turns(max_connections)
        self._lock = threading.Lock()
        self._closing = Alarm()
        self._bodies: set[SocketBody] = set()
        self._closed = False

    def send(self, request: Request, timeout: float) -> Response:
        """One whole exchange within `timeout` seconds. Raises: TransportError."""
        exchange = self._begin(timeout)
        try:
            return self._send(request, exchange)
        except Exception as error:
            raise self._failure(error, exchange) from error

    def open(self, request: Request, timeout: float) -> SocketBody:
        """The head of a reply within `timeout` seconds; the body stays open. Raises: TransportError."""
        exchange = self._begin(timeout)
        try:
            return self._open(request, exchange)
        except Exception as error:
            raise self._failure(error, exchange) from error

    def close(self) -> None:
        """End every connection, and every call under way. Later calls raise `TransportError`."""
        with self._lock:
            self._closed = True
            bodies = tuple(self._bodies)
            waiting = self._turns.everyone()
            self._core.close()
        self._closing.ring()
        for waiter in waiting:
            waiter.set()
        for body in bodies:
            body.abandon(closed_body("the channel is closed"))

    def _begin(self, timeout: float) -> Exchange:
        if self._closed:
            raise closed_channel()
        return Exchange(timeout)

    def _failure(self, error: Exception, exchange: Exchange) -> TransportError:
        if self._closed:
            return closed_channel(exchange.delivery)
        return translate(error, exchange.phase, proxied=self._core.route.is_proxied)

    def _send(self, request: Request, exchange: Exchange) -> Response:
        credential = self._credentials.current()
        exchange.phase = Phase.QUEUED
        self._take_turn(exchange)
        try:
            response = self._call(request, credential, exchange)
            if response.status != UNAUTHORIZED:
                return response
            exchange.phase = Phase.CREDENTIALS
            renewed = self._credentials.renew(credential.generation)
            return response if renewed is None else self._call(request, renewed, exchange)
        finally:
            self._give_turn()

    def _call(self, request: Request, credential: Credential, exchange: Exchange) -> Response:
        core = self._core
        exchange.phase = Phase.CONNECTING
        block = core.headers.for_whole(request, credential)
        link = self._obtain(core.calls, credential, exchange)
        try:
            steps = ask_whole(link, exchange, request, core.route.prefix, block, self._response_limit)
            response = perform(steps, exchange.deadline, self._closing)
        except BaseException:
            link.wire.close()
            raise
        self._give_back(core.calls, link)
        return response

    def _open(self, request: Request, exchange: Exchange) -> SocketBody:
        credential = self._credentials.current()
        body = self._start_body(request, credential, exchange)
        if body.status != UNAUTHORIZED:
            return body
        exchange.phase = Phase.CREDENTIALS
        try:
            renewed = self._credentials.renew(credential.generation)
        except BaseException:
            body.close()
            raise
        if renewed is None:
            return body
        body.close()
        return self._start_body(request, renewed, exchange)

    def _start_body(self, request: Request, credential: Credential, exchange: Exchange) -> SocketBody:
        core = self._core
        exchange.phase = Phase.CONNECTING
        block = core.headers.for_stream(request, credential)
        link = self._obtain(core.streams, credential, exchange)
        try:
            head = perform(ask(link, exchange, request, core.route.prefix, block), exchange.deadline, self._closing)
            body = SocketBody(head, link, functools.partial(self._body_ended, link))
            with self._lock:
                if self._closed:
                    raise closed_channel(Delivery.ANSWERED)
                self._bodies.add(body)
        except BaseException:
            link.wire.close()
            raise
        return body

    def _body_ended(self, link: Link, body: SocketBody) -> None:
        with self._lock:
            self._bodies.discard(body)
        self._give_back(self._core.streams, link)

    def _obtain(self, pool: LinkPool, credential: Credential, exchange: Exchange) -> Link:
        with self._lock:
            self._core.follow(credential)
            link = self._core.idle_link(pool, time.monotonic())
            tls, era = self._core.tls, self._core.era
        if link is not None:
            return link
        route = self._core.route
        steps = connect(route, resolve(route, exchange.deadline), self._core.proxy_tls, tls)
        return Link(perform(steps, exchange.deadline, self._closing), era)

    def _give_back(self, pool: LinkPool, link: Link) -> None:
        with self._lock:
            self._core.give_back(pool, link, time.monotonic())

    def _take_turn(self, exchange: Exchange) -> None:
        with self._lock:
            if self._turns.take():
                return
            waiter = threading.Event()
            self._turns.line_up(waiter)
        try:
            came = waiter.wait(max(0.0, exchange.deadline - time.monotonic()))
        except BaseException:
            self._leave(waiter)
            raise
        if not came or self._closed:
            self._leave(waiter)
            raise TimeoutError

    def _leave(self, waiter: threading.Event) -> None:
        with self._lock:
            had_no_turn = self._turns.leave(waiter)
        if not had_no_turn:
            self._give_turn()

    def _give_turn(self) -> None:
        with self._lock:
            waiter = self._turns.give_back()
        if waiter is not None:
            waiter.set()
