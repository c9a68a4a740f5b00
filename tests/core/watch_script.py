"""Replies to a watch, told as a script, and what an API server writes in them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from hodei_k8s_core.effects import (
    Close,
    Emit,
    Monotonic,
    Observe,
    Open,
    Random,
    Read,
    Send,
    Sleep,
    SpendRetry,
    WallClock,
)
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Body, Response
from hodei_k8s_core.observations import WatchReconnected
from hodei_k8s_core.simulation.wire import EPOCH


class Script:
    """Gives the replies of a script to requests and reads; its clock moves by what is waited for."""

    def __init__(self, *replies: Any) -> None:
        self.now = 0.0
        self.asked: list[Any] = []
        self.slept: list[float] = []
        self.causes: list[str] = []
        self.observations: list[Any] = []
        self.closed = 0
        self.emitted: list[Any] = []
        self._replies = iter(replies)
        self._opened = 0

    def run(self, operation: Any, on_emit: Callable[[Any], object] = len) -> Any:
        """What the operation returns. Raises: what it raises."""
        resume: Callable[[], Any] = partial(next, operation)
        while True:
            try:
                effect = resume()
            except StopIteration as end:
                return end.value
            if isinstance(effect, Emit):
                on_emit(effect.items)
            try:
                reply = self.perform(effect)
            except TransportError as error:
                resume = partial(operation.throw, error)
            else:
                resume = partial(operation.send, reply)

    def perform(self, effect: Any) -> Any:
        """The reply to one effect. Raises: what the script says."""
        match effect:
            case Send() | Open() | Read():
                return self._answer(effect)
            case Sleep(seconds):
                self.slept.append(seconds)
                self.now += seconds
            case Observe(observation):
                self.observations.append(observation)
                if isinstance(observation, WatchReconnected):
                    self.causes.append(observation.cause)
            case Close():
                self.closed += 1
            case Monotonic():
                return self.now
            case WallClock():
                return EPOCH + self.now
            case Emit(items):
                self.emitted += items
        return {Random: 0.0, SpendRetry: True}.get(type(effect))

    def _answer(self, effect: Any) -> Any:
        self.asked.append(effect)
        reply = next(self._replies)
        if isinstance(reply, After):
            self.now += reply.seconds
            reply = reply.reply
        if isinstance(reply, BaseException):
            raise reply
        if isinstance(effect, Open):
            self._opened += 1
            return Body(reply.status, reply.headers, self._opened)
        return reply


class After(msgspec.Struct):
    """A reply that takes its time."""

    seconds: float
    reply: Any


def pod(name: str, version: int | str, **more: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "hodei-workers", "uid": f"uid-{name}", "resourceVersion": str(version), **more}
    return {"kind": "Pod", "metadata": meta}


def page(*pods: Any, version: str = "100", token: str = "") -> Response:
    meta = {"resourceVersion": version, "continue": token}
    return Response(200, (), msgspec.json.encode({"kind": "PodList", "metadata": meta, "items": list(pods)}))


def status(code: int, reason: str = "", **more: Any) -> Response:
    return Response(code, (), msgspec.json.encode(status_object(code, reason, **more)))


def status_object(code: int, reason: str = "", **more: Any) -> dict[str, Any]:
    return {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": "no", **more}


def line(kind: str, item: Any) -> bytes:
    return msgspec.json.encode({"type": kind, "object": item}) + b"\n"


def bookmark(version: int | str) -> bytes:
    return line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": str(version)}})


OPEN = Response(200)
EXPIRED = line("ERROR", status_object(410, "Expired"))
