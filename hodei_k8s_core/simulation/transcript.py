"""An operation told as a transcript: the effects that it must yield, in order, and the reply to each.

    play(server_version(), [(Send(Request("GET", "/version"), 10), Response(200, body=b"{}"))])

An expected effect is a value (compared), a type (`Monotonic`), or a predicate. A reply that is an exception is
thrown in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, TypeVar

import msgspec

from hodei_k8s_core.effects import Operation, Stream
from hodei_k8s_core.http import Request

R = TypeVar("R")
Expected: TypeAlias = Any | type | Callable[[Any], bool]


class TranscriptMismatch(AssertionError):
    """The operation did something else than its transcript says."""


def play(operation: Operation[R] | Stream[Any, R], script: Iterable[tuple[Expected, Any]]) -> R:
    """Play a transcript; what the operation returns. What it raises is passed on.

    Raises: TranscriptMismatch at the first effect that is not as expected, and when it ends early or goes on.
    """
    steps = list(script)
    reply: Any = None
    for number, (expected, answer) in enumerate(steps):
        try:
            effect = operation.throw(reply) if isinstance(reply, BaseException) else operation.send(reply)
        except StopIteration as end:
            left = "\n".join(f"  #{n}: {_named(one)}" for n, (one, _) in enumerate(steps) if n >= number)
            raise TranscriptMismatch(f"it returned {end.value!r} before:\n{left}") from None
        difference = _difference(expected, effect)
        if difference:
            operation.close()
            raise TranscriptMismatch(f"at #{number}: {difference}")
        reply = answer
    try:
        more = operation.throw(reply) if isinstance(reply, BaseException) else operation.send(reply)
    except StopIteration as end:
        value: R = end.value
        return value
    operation.close()
    raise TranscriptMismatch(f"after its {len(steps)} effects it goes on with {more!r}")


def _difference(expected: Expected, effect: Any) -> str:
    """How an effect is not as expected, or ""."""
    if isinstance(expected, type):
        return "" if isinstance(effect, expected) else f"expected {expected.__name__}, got {effect!r}"
    if callable(expected):
        return "" if expected(effect) else f"{_named(expected)} does not hold for {effect!r}"
    if expected == effect:
        return ""
    if type(expected) is not type(effect):
        return f"expected {expected!r}, got {effect!r}"
    lines = _field_differences("", expected, effect)
    return "\n".join([f"{type(effect).__name__} differs:", *(f"  {line}" for line in lines)])


def _field_differences(path: str, expected: Any, got: Any) -> list[str]:
    if expected == got:
        return []
    if type(expected) is type(got) and isinstance(expected, msgspec.Struct):
        return [
            line
            for field in expected.__struct_fields__
            for line in _field_differences(f"{path}.{field}".lstrip("."), getattr(expected, field), getattr(got, field))
        ]
    if path.endswith("request.body"):
        return _body_differences(path, expected, got)
    return [f"{path}: expected {expected!r}, got {got!r}"]


def _body_differences(path: str, expected: bytes, got: bytes) -> list[str]:
    """Bodies may hold secrets: only the places are told."""
    try:
        places = _json_differences("", msgspec.json.decode(expected), msgspec.json.decode(got))
    except msgspec.DecodeError:
        return [f"{path}: expected {len(expected)} bytes, got {len(got)} other bytes"]
    return [f"{path} differs at {place}" for place in places] or [f"{path}: the same JSON, written differently"]


def _json_differences(path: str, expected: Any, got: Any) -> list[str]:
    if expected == got:
        return []
    if isinstance(expected, dict) and isinstance(got, dict):
        pairs = [(key, expected.get(key), got.get(key)) for key in sorted(expected.keys() | got.keys())]
        return [
            line for key, one, other in pairs for line in _json_differences(f"{path}.{key}".lstrip("."), one, other)
        ]
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        pairs = [(str(place), one, other) for place, (one, other) in enumerate(zip(expected, got, strict=True))]
        return [line for place, one, other in pairs for line in _json_differences(f"{path}[{place}]", one, other)]
    return [path or "its root"]


def _named(expected: Expected) -> str:
    return getattr(expected, "__name__", None) or repr(expected)


def is_request(method: str, path: str) -> Callable[[Any], bool]:
    """A predicate: the effect sends or opens such a request."""

    def sends(effect: Any) -> bool:
        request: Request | None = getattr(effect, "request", None)
        return request is not None and (request.method, request.path) == (method, path)

    sends.__name__ = f"{method} {path}"
    return sends
