"""A watch on Pods that outlives its connections: the one machine under every operation that waits or watches.

    list ──────────────▶ watching ──── clean end, lost, silent ──▶ watch again from the last version
      ▲                     │
      └──── 410, as HTTP status or as ERROR event

It never ends by itself; a deadline or the caller does. What follows from a failure is decided in `watch_trouble`.

A step makes at most one exchange. What goes wrong is noted as `_trouble` and dealt with at the next step, so a failure
can be thrown in at any effect: nothing is lost between two steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import SILENCE, Close, Monotonic, Observe, Open, Operation, Random, Read, Sleep
from hodei_k8s_core.errors import Internal, ProviderError, TransportError
from hodei_k8s_core.http import Body, Response
from hodei_k8s_core.lines import LineSplitter, LineTooLong
from hodei_k8s_core.observations import WatchHeard, WatchReconnected
from hodei_k8s_core.operations.calls import call, exchange, read_refusal
from hodei_k8s_core.operations.deadline import DeadlineExceeded
from hodei_k8s_core.operations.pod_listing import PAGE_SIZE, ListCursor, Page
from hodei_k8s_core.operations.watch_trouble import Connected, Lost, Troubles, is_expired, is_interruption
from hodei_k8s_core.requests import watch_pods
from hodei_k8s_core.retry import Failure
from hodei_k8s_core.server_time import server_date
from hodei_k8s_core.watch_event import Bookmark, PodEvent, WatchError, parse_watch_event, version_newer

REFUSAL_LIMIT = 64 * 1024
ROUNDING: Final = 1e-3
SHORTEST: Final = 1.0
"""Seconds: a connection that lasted longer and ended cleanly met the server's own time limit, as a rule."""
NO_VERSION: Final = ("", "0")
"""As the start of a watch both mean "anything that is at hand", which can be older than what was seen."""

Batch: TypeAlias = Page | Sequence[PodEvent]
News: TypeAlias = Batch | Lost | Connected


class PodWatch:
    """A watch as a pull machine: `batch = yield from watch.next_batch()`.

    With `version`, it begins by watching from there; without, by a list. `what` names it in errors. `patience`: seconds
    of failures in a row after which the last is raised; None for ever. `observed_as`: the name by
    which observers are told when the server was heard.
    """

    def __init__(
        self,
        config: KubernetesConfig,
        *,
        what: str,
        label_selector: str = "",
        field_selector: str = "",
        version: str = "",
        patience: float | None = None,
        page_size: int = PAGE_SIZE,
        observed_as: str = "",
    ) -> None:
        self._config = config
        self._what = what
        self._labels = label_selector
        self._fields = field_selector
        self._page_size = page_size
        self._version = "" if version in NO_VERSION else version
        self._cursor = self._new_cursor()
        self._body: Body | None = None
        self._lines = LineSplitter()
        self._observed_as = observed_as
        self._heard_at = 0.0
        self._told_at = -math.inf
        self._not_before = 0.0
        self._trouble: tuple[str, Failure | None] | None = None
        self._troubles = Troubles(config, what, patience)

    def next_batch(self, *, within: float | None = None) -> Operation[Batch]:
        """The next page of a list or the events that came in one chunk; empty when none came `within` seconds.

        An exchange that is under way is not cut short for `within`.

        Raises: what cannot pass by itself (401, 403, an invalid selector): at once as long as the watch has never
        worked, later only when it lasts (an API server that starts refuses what it will allow in a moment).
        """
        end = None if within is None else (yield from Monotonic()) + within
        while True:
            news = yield from self._next(end)
            if not isinstance(news, Lost | Connected):
                return news

    def next_news(self, *, within: float | None = None) -> Operation[News]:
        """As `next_batch`, with what happens to the connection."""
        return (yield from self._next(None if within is None else (yield from Monotonic()) + within))

    def let_go(self) -> Operation[None]:
        """Let go of the connection; a later `next_batch` goes on where this one stopped."""
        if self._body is not None:
            body, self._body = self._body, None
            yield from Close(body)

    def _next(self, end: float | None) -> Operation[News]:
        try:
            while True:
                try:
                    news = yield from self._step(end)
                except TransportError as error:
                    self._trouble = ("failed" if self._body is None else "broken", error)
                    continue
                if news or (end is not None and (yield from Monotonic()) >= end):
                    return news
        except DeadlineExceeded as expired:
            if self._troubles.last is not None:
                expired.learn(self._troubles.failures, self._troubles.last)
            raise

    def _step(self, end: float | None) -> Operation[News]:
        if self._trouble is not None:
            return (yield from self._settle(*self._trouble))
        now = yield from Monotonic()
        left = None if end is None else max(0.0, end - now)
        if now < self._not_before:
            pause = self._not_before - now
            yield from Sleep(pause if left is None else min(pause, left))
            return ()
        if self._body is not None:
            return (yield from self._read(self._body, now, left))
        if self._version:
            return (yield from self._open())
        return (yield from self._list())

    def _list(self) -> Operation[News]:
        outcome = yield from self._ask()
        if not isinstance(outcome, Response):
            if isinstance(outcome, Status) and outcome.is_expired and self._cursor.is_under_way:
                self._cursor.begin_again()
            else:
                self._trouble = ("refused" if isinstance(outcome, Status) else "failed", outcome)
            return ()
        page = self._cursor.take(outcome)
        yield from self._hear((yield from Monotonic()))
        self._troubles.answered()
        if page is not None and page.ends:
            if page.version in NO_VERSION:
                raise Internal(f"{self._what}: the server's list has no version, so nothing can be watched from there")
            self._version, self._cursor = page.version, self._new_cursor()
        return () if page is None else page

    def _ask(self) -> Operation[Response | Failure]:
        """Until the watch has worked once, what the usual retries do not overcome is raised; later it is waited out."""
        if self._troubles.was_connected:
            return (yield from exchange(self._cursor.request, self._config.request_timeout))
        try:
            return (yield from call(self._cursor.request, self._config, self._what))
        except ProviderError as error:
            if error.status is not None and error.status.is_expired:
                return error.status
            raise

    def _new_cursor(self) -> ListCursor:
        return ListCursor(
            self._config, label_selector=self._labels, field_selector=self._fields, page_size=self._page_size
        )

    def _open(self) -> Operation[News]:
        policy = self._config.watch
        spread = policy.timeout_max - policy.timeout_min
        request = watch_pods(
            self._config.namespace,
            resource_version=self._version,
            timeout_seconds=int(policy.timeout_min + spread * (yield from Random())),
            label_selector=self._labels,
            field_selector=self._fields,
        )
        body = yield from Open(request, self._config.request_timeout)
        if not body.is_success:
            self._trouble = ("refused", (yield from read_whole_refusal(body, self._config)))
            return ()
        self._body, self._lines = body, LineSplitter()
        yield from self._hear((yield from Monotonic()))
        self._troubles.connected(self._heard_at)
        return Connected(server_date(body.headers))

    def _read(self, body: Body, now: float, left: float | None) -> Operation[News]:
        limit = max(0.0, self._heard_at + self._config.silence_limit - now)
        chunk = yield from Read(body, limit if left is None else min(limit, left))
        now = yield from Monotonic()
        if chunk is SILENCE:
            if now - self._heard_at > self._config.silence_limit - ROUNDING:
                self._trouble = ("silent", None)
            return ()
        yield from self._hear(now)
        if chunk:
            return self._take(chunk)
        if self._troubles.lasted(now) < SHORTEST:
            self._trouble = ("closed", None)
        else:
            self._troubles.ended()
            yield from self.let_go()
        return ()

    def _hear(self, now: float) -> Operation[None]:
        self._heard_at = now
        if self._observed_as and now - self._told_at >= 1.0:
            self._told_at = now
            yield from Observe(WatchHeard(self._observed_as))

    def _take(self, chunk: bytes) -> Sequence[PodEvent]:
        try:
            lines = self._lines.feed(chunk)
        except LineTooLong as error:
            raise Internal(f"{self._what}: {error}") from error
        events: list[PodEvent] = []
        for line in filter(None, lines):  # a blank one is no event, and client-go's decoder skips it
            event = parse_watch_event(line)
            if isinstance(event, WatchError):
                self._trouble = ("refused", event.status)
                break
            if version_newer(event.version, self._version):
                self._version = event.version
                self._troubles.moved_on()
                if not isinstance(event, Bookmark):
                    events.append(event)
        return events

    def _settle(self, cause: str, failure: Failure | None) -> Operation[News]:
        """Deal with what went wrong."""
        yield from self.let_go()
        now = yield from Monotonic()
        if is_interruption(failure):
            yield from Observe(WatchReconnected("interrupted"))
            self._trouble = None
            return ()
        chance = yield from Random()
        self._not_before = now + self._troubles.weigh(failure, now, chance)
        self._trouble = None
        if is_expired(failure):
            cause, self._version, self._cursor = "expired", "", self._new_cursor()
        yield from Observe(WatchReconnected(cause))
        return Lost(cause, failure, self._heard_at, self._troubles.in_a_row)


def read_whole_refusal(body: Body, config: KubernetesConfig) -> Operation[Status]:
    """What a refused stream says; its body is small, and a silent or endless one is cut."""
    data = b""
    try:
        while len(data) < REFUSAL_LIMIT:
            chunk = yield from Read(body, config.request_timeout)
            if chunk is SILENCE or not chunk:
                break
            data += chunk
    except TransportError:
        yield from Close(body)
        raise
    yield from Close(body)
    return read_refusal(body, data)
