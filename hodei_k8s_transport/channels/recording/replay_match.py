"""Where a request differs from the recorded one, told by method, path, query, header and JSON path; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from hodei_k8s_core.companions import without_mark
from hodei_k8s_core.http import Request
from hodei_k8s_core.labels import CREATION_TOKEN, IDLE_SINCE
from hodei_k8s_transport.channels.recording.scrub import one_asterisk

ABSENT: Final = "(absent)"
_LONGEST_SHOWN: Final = 200


def _annotation(name: str) -> str:
    return "/metadata/annotations/" + _escaped(name)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


class Matching(msgspec.Struct, frozen=True, kw_only=True):
    """What need not be equal because it is random, or the time.

    `body`: JSON pointers (RFC 6901) into the body, `*` for any one step; what is below is not compared either, so ""
    ignores whole bodies. `query`: names of parameters. `headers`: names of headers, lower case; of the others, those
    that were recorded must be there.
    """

    body: tuple[str, ...] = (_annotation(CREATION_TOKEN), _annotation(IDLE_SINCE))
    query: tuple[str, ...] = ("timeoutSeconds",)
    headers: tuple[str, ...] = ("authorization", "user-agent", "traceparent", "tracestate")


class Difference(msgspec.Struct, frozen=True):
    """One thing that differs: `place` (method, path, `query limit`, `body /spec/…`), each side as text."""

    place: str
    recorded: str
    actual: str

    def __str__(self) -> str:
        return f"{self.place}: recorded {_shown(self.recorded)}, now {_shown(self.actual)}"


def differences(recorded: Request, actual: Request, matching: Matching) -> tuple[Difference, ...]:
    """Everything in which two scrubbed requests differ; however long a masked text was, it equals every other."""
    return tuple(_differences(one_asterisk(recorded), one_asterisk(actual), matching))


def _differences(recorded: Request, actual: Request, matching: Matching) -> Iterator[Difference]:
    for place, before, now in (("method", recorded.method, actual.method), ("path", recorded.path, actual.path)):
        if before != now:
            yield Difference(place, before, now)
    yield from _pairs("query", _by_name(recorded.query, matching.query), _by_name(actual.query, matching.query))
    wanted = _by_name(recorded.headers, matching.headers)
    given = _by_name(actual.headers, matching.headers)
    yield from _pairs("header", wanted, {name: value for name, value in given.items() if name in wanted})
    yield from _bodies(recorded.body, actual.body, tuple(pointer.split("/")[1:] for pointer in matching.body))


def _by_name(pairs: tuple[tuple[str, str], ...], ignored: tuple[str, ...]) -> dict[str, str]:
    """The values of each name; several of one name in their order."""
    values: dict[str, str] = {}
    for name, value in pairs:
        if name not in ignored:
            values[name] = f"{values[name]}, {value}" if name in values else value
    return values


def _pairs(place: str, recorded: dict[str, str], actual: dict[str, str]) -> Iterator[Difference]:
    for name in recorded | actual:
        before, now = recorded.get(name, ABSENT), actual.get(name, ABSENT)
        if before != now:
            yield Difference(f"{place} {name}", before, now)


def _bodies(recorded: bytes, actual: bytes, ignored: tuple[list[str], ...]) -> Iterator[Difference]:
    if recorded == actual or [] in ignored:
        return
    try:
        before, now = msgspec.json.decode(recorded), msgspec.json.decode(actual)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        yield Difference("body", _bytes_text(recorded), _bytes_text(actual))
        return
    for path, left, right in _values(before, now, (), ignored):
        pointer = "".join(f"/{_escaped(step)}" for step in path)
        yield Difference(f"body {pointer}".rstrip(), left, right)


def _values(
    recorded: Any, actual: Any, path: tuple[str, ...], ignored: tuple[list[str], ...]
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if any(_is_below(path, pointer) for pointer in ignored):
        return
    before, now = _children(recorded), _children(actual)
    if before is None or now is None or type(recorded) is not type(actual):
        if type(recorded) is not type(actual) or _of_any_creation(recorded) != _of_any_creation(actual):
            yield path, _json_text(recorded), _json_text(actual)
        return
    for step in before | now:
        yield from _values(before.get(step, _NOTHING), now.get(step, _NOTHING), (*path, step), ignored)


def _of_any_creation(value: Any) -> Any:
    """The names of a worker's companions are as random as its creation token."""
    return without_mark(value) if isinstance(value, str) else value


_NOTHING: Final = msgspec.UNSET


def _children(value: Any) -> dict[str, Any] | None:
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    return None


def _is_below(path: tuple[str, ...], pointer: list[str]) -> bool:
    return len(path) >= len(pointer) and all(
        want in ("*", _escaped(step)) for want, step in zip(pointer, path, strict=False)
    )


def _json_text(value: Any) -> str:
    return ABSENT if value is _NOTHING else msgspec.json.encode(value).decode()


def _bytes_text(data: bytes) -> str:
    return f"{len(data)} bytes {data[:_LONGEST_SHOWN].decode('utf-8', 'backslashreplace')!r}"


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
