"""A watch on Pods that outlives its connections: the one machine under every operation that waits or watches.

    list ──────────────▶ watching ──── clean end, lost, silent ──▶ watch again from the last version
      ▲                     │
      └──── 410, as HTTP status, as ERROR event, or on a later page of the list

`next_batch` gives a `Listing` (the whole truth, after which nothing from before counts) or the events that came in one
chunk. It never ends by itself; a deadline or the caller does. Back-off as client-go's reflector: 0.8 s, doubled up to
30 s, with jitter, forgotten after a while of quiet (k8s.io/client-go/tools/cache/reflector.go).
"""

from __future__ import annotations

from collections.abc import Sequence

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import SILENCE, Close, Monotonic, Observe, Open, Operation, Random, Read, Sleep
from hodei_k8s_core.errors import Internal, TransportError
from hodei_k8s_core.http import Body
from hodei_k8s_core.lines import LineSplitter, LineTooLong
from hodei_k8s_core.observations import WatchReconnected
from hodei_k8s_core.operations.calls import read_refusal
from hodei_k8s_core.operations.deadline import DeadlineExceeded
from hodei_k8s_core.operations.failures import error_for
from hodei_k8s_core.operations.pod_listing import Listing, list_whole
from hodei_k8s_core.requests import watch_pods
from hodei_k8s_core.retry import HOPELESS, Failure, backoff_delay
from hodei_k8s_core.watch_event import Bookmark, PodEvent, WatchError, parse_watch_event

REFUSAL_LIMIT = 64 * 1024


Batch = Listing | Sequence[PodEvent]


class PodWatch:
    """A watch as a pull machine: `batch = yield from watch.next_batch()`.

    With `version`, it begins by watching from there; without, by a list. `what` names it in errors. `patience`: seconds
    of failures in a row after which the last is raised; None for ever.
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
    ) -> None:
        self._config = config
        self._patience = patience
        self._failing_since: float | None = None
        self._what = what
        self._labels = label_selector
        self._fields = field_selector
        self._version = version
        self._body: Body | None = None
        self._lines = LineSplitter()
        self._failures = 0
        self._opened_at: float | None = None
        self._refusal: Status | None = None
        self._last_failure: Failure | None = None

    def next_batch(self) -> Operation[Batch]:
        """The next news. Raises what cannot pass by itself (401, 403, 404 of the namespace, an invalid selector)."""
        try:
            while True:
                if self._refusal is not None:
                    yield from self._refused(self._refusal)
                elif not self._version:
                    return (yield from self._list())
                elif self._body is None:
                    yield from self._open()
                else:
                    events = yield from self._read(self._body)
                    if events:
                        return events
        except DeadlineExceeded as expired:
            if self._last_failure is not None:
                expired.learn(self._failures, self._last_failure)
            raise

    def let_go(self) -> Operation[None]:
        """Let go of the connection; a later `next_batch` goes on where this one stopped."""
        if self._body is not None:
            body, self._body = self._body, None
            yield from Close(body)

    def _list(self) -> Operation[Listing]:
        listing = yield from list_whole(self._config, self._what, self._labels, self._fields)
        self._version = listing.version
        return listing

    def _open(self) -> Operation[None]:
        policy = self._config.watch
        spread = policy.timeout_max - policy.timeout_min
        request = watch_pods(
            self._config.namespace,
            resource_version=self._version,
            timeout_seconds=int(policy.timeout_min + spread * (yield from Random())),
            label_selector=self._labels,
            field_selector=self._fields,
        )
        try:
            body = yield from Open(request, self._config.request_timeout)
            refusal = None if body.is_success else (yield from read_whole_refusal(body, self._config))
        except TransportError as error:
            if self._opened_at is None and error.fault in HOPELESS:
                raise error_for(error, what=self._what) from None
            yield from self._lost("failed", error)
            return
        if refusal is not None:
            yield from self._refused(refusal)
            return
        self._opened_at = yield from Monotonic()
        self._failing_since = None
        self._lines = LineSplitter()
        self._body = body

    def _read(self, body: Body) -> Operation[Sequence[PodEvent]]:
        try:
            chunk = yield from Read(body, self._config.silence_limit)
        except TransportError as error:
            yield from self._lost("broken", error)
            return ()
        if chunk is SILENCE:
            yield from self._lost("silent", None)
            return ()
        if not chunk:
            yield from self._ended()
            return ()
        return self._take(chunk)

    def _take(self, chunk: bytes) -> Sequence[PodEvent]:
        try:
            lines = self._lines.feed(chunk)
        except LineTooLong as error:
            raise Internal(f"{self._what}: {error}") from error
        events: list[PodEvent] = []
        for line in lines:
            event = parse_watch_event(line)
            if isinstance(event, WatchError):
                self._refusal = event.status
                break
            self._version = event.version
            if not isinstance(event, Bookmark):
                events.append(event)
        return events

    def _ended(self) -> Operation[None]:
        """The server's own time limit, as a rule; one that ends at once, again and again, is a failure like others."""
        if (yield from self._age()) >= 1.0:
            self._failures = 0
            yield from self.let_go()
        else:
            yield from self._lost("closed", None)

    def _refused(self, status: Status) -> Operation[None]:
        self._refusal = None
        if status.is_expired:
            yield from self.let_go()
            yield from Observe(WatchReconnected("expired"))
            self._version = ""
        elif status.is_retryable:
            yield from self._lost("refused", status)
        else:
            raise error_for(status, what=self._what)

    def _lost(self, cause: str, failure: Failure | None) -> Operation[None]:
        yield from self.let_go()
        self._last_failure = failure
        policy = self._config.watch
        self._failures = 1 if (yield from self._age()) > policy.delay_reset else self._failures + 1
        yield from self._check_patience(failure)
        yield from Observe(WatchReconnected(cause))
        delay = backoff_delay(
            self._failures,
            first=policy.first_delay,
            factor=2.0,
            maximum=policy.max_delay,
            jitter=0.5,
            chance=(yield from Random()),
        )
        asked = failure.retry_after if isinstance(failure, Status) else None
        yield from Sleep(delay if asked is None else asked)

    def _check_patience(self, failure: Failure | None) -> Operation[None]:
        now = yield from Monotonic()
        if self._failing_since is None:
            self._failing_since = now
        if self._patience is not None and failure is not None and now - self._failing_since > self._patience:
            raise error_for(failure, what=self._what, attempts=self._failures)

    def _age(self) -> Operation[float]:
        """Seconds since the last connection was opened; 0 before the first."""
        return 0.0 if self._opened_at is None else (yield from Monotonic()) - self._opened_at


def read_whole_refusal(body: Body, config: KubernetesConfig) -> Operation[Status]:
    """What a refused stream says; its body is small, and a silent or endless one is cut."""
    data = b""
    while len(data) < REFUSAL_LIMIT:
        chunk = yield from Read(body, config.request_timeout)
        if chunk is SILENCE or not chunk:
            break
        data += chunk
    yield from Close(body)
    return read_refusal(body, data)
