"""The log of a container: parameters, refusals, the text, and following it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from hodei_k8s_core.http import Headers, Request, Response
from hodei_k8s_core.simulation.container import Container
from hodei_k8s_core.simulation.pod_status import NodeView
from hodei_k8s_core.simulation.route import integer, is_true
from hodei_k8s_core.simulation.statuses import bad_request, invalid
from hodei_k8s_core.simulation.streams import Connection
from hodei_k8s_core.simulation.wire import EPOCH, Json, ServerClock

HEADERS: Headers = (("content-type", "text/plain"),)
Line = tuple[float, str]

_WAITING = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}
_LEAST = {"tailLines": (0, "must be greater than or equal to 0"), "sinceSeconds": (1, "must be greater than 0")} | {
    "limitBytes": (1, "must be greater than 0")
}


class LogQuery(msgspec.Struct, frozen=True):
    """The parameters of a request for a log. `since`: whole seconds by the server's clock, inclusive, or None."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail: int | None = None
    limit_bytes: int | None = None
    since: float | None = None

    def shown(self, lines: list[Line], clock: ServerClock) -> list[bytes]:
        """The text of `lines`, from the first that is not too old."""
        since = None if self.since is None else round(self.since * 10**9)
        return [self._text(line, clock) for line in lines if since is None or clock.nanoseconds(line[0]) >= since]

    def _text(self, line: Line, clock: ServerClock) -> bytes:
        at, text = line
        return (f"{clock.log_timestamp(at)} {text}\n" if self.timestamps else f"{text}\n").encode()


def parse_log_query(request: Request, name: str, now: float, clock: ServerClock) -> LogQuery:
    """The parameters, or a refusal (400 or 422) in the server's words."""
    numbers = {field: integer(request, field) for field in _LEAST}
    moment = _moment(request.parameter("sinceTime"))
    seconds = numbers["sinceSeconds"]
    has_both = moment is not None and seconds is not None
    faults = [
        (field, "FieldValueInvalid", f"Invalid value: {number}: {_LEAST[field][1]}")
        for field, number in numbers.items()
        if number is not None and number < _LEAST[field][0] and not (has_both and field == "sinceSeconds")
    ]
    if has_both:
        only_one = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        faults.append(("[]", "FieldValueForbidden", only_one))
    if faults:
        raise invalid("PodLogOptions", name, faults)
    since = moment if seconds is None else float(clock.nanoseconds(now) // 10**9 - seconds)
    return LogQuery(
        follow=is_true(request.parameter("follow")),
        previous=is_true(request.parameter("previous")),
        timestamps=is_true(request.parameter("timestamps")),
        tail=numbers["tailLines"],
        limit_bytes=numbers["limitBytes"],
        since=since,
    )


def _moment(text: str | None) -> float | None:
    """RFC 3339 → whole seconds since the epoch (the server cuts the fraction)."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "T" not in text:
        raise bad_request(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"')
    return float((moment.replace(microsecond=0) - datetime.fromtimestamp(EPOCH, UTC)).total_seconds() + EPOCH)


def choose_container(pod: Json, view: NodeView, wanted: str | None) -> Container:
    """The container whose log is meant."""
    name = pod["metadata"]["name"]
    order = [one.name for one in view.containers]
    if not wanted and len(order) > 1:
        told = f"a container name must be specified for pod {name}, choose one of: [{' '.join(order)}]"
        raise bad_request(told)
    for one in view.containers:
        if one.name == (wanted or order[0]):
            return one
    raise bad_request(f"container {wanted} is not valid for pod {name}")


def open_log(pod: Json, one: Container, query: LogQuery, now: float, clock: ServerClock) -> Response | LogStream:
    """The reply to a request for the log of a container of a Pod that has a node."""
    lines = _lines_of(pod["metadata"]["name"], one, query)
    if query.follow and not query.previous and one.is_running:
        return LogStream(one, query, now, clock)
    text = b"".join(query.shown(_tail([line for line in lines if line[0] <= now], query), clock))
    return Response(200, HEADERS, text[: query.limit_bytes])


def _lines_of(name: str, one: Container, query: LogQuery) -> list[Line]:
    if query.previous:
        if one.last_lines is None:
            raise bad_request(f'previous terminated container "{one.name}" in pod "{name}" not found')
        return one.last_lines
    if one.started is not None or one.ended is not None:
        return one.kept_lines
    if one.last_lines is not None:  # between two runs the last one's log is served
        return one.last_lines
    reason = _WAITING.get(one.waiting[0], one.waiting[0])
    raise bad_request(f'container "{one.name}" in pod "{name}" is waiting to start: {reason}')


def _tail(lines: list[Line], query: LogQuery) -> list[Line]:
    return lines if query.tail is None else lines[len(lines) - min(query.tail, len(lines)) :]


class LogStream(Connection):
    """A followed log: it ends with its container's run, or after `limitBytes`."""

    def __init__(self, one: Container, query: LogQuery, now: float, clock: ServerClock) -> None:
        super().__init__(HEADERS)
        self._container = one
        self._run = one.number
        self._query = query
        self._clock = clock
        self._bytes_left = query.limit_bytes
        past = [line for line in one.kept_lines if line[0] <= now]
        rotated = len(one.lines) - len(one.kept_lines)
        self._sent = rotated + len(past) - len(_tail(past, query))

    def read(self, now: float) -> bytes | None:
        self.raise_if_cut()
        lines = self._lines()
        due = [line for line in lines[self._sent :] if line[0] <= now]
        self._sent += len(due)
        text = b"".join(self._query.shown(due, self._clock))
        if self._bytes_left is not None:
            text = text[: self._bytes_left]
            self._bytes_left -= len(text)
        return text or (b"" if self._has_ended() else None)

    def next_event_at(self, now: float) -> float | None:
        return next((at for at, _ in self._lines()[self._sent :] if at > now), None)

    def _lines(self) -> list[Line]:
        if self._container.number == self._run and self._container.started is not None:
            return self._container.lines
        return self._container.last_lines or []

    def _has_ended(self) -> bool:
        return self._bytes_left == 0 or self._container.number != self._run or not self._container.is_running
