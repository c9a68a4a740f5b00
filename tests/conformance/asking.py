"""Asks the steps of a scenario, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from hodei_k8s_core.http import Request, Response
from tests.conformance.scenarios import Step
from tests.conformance.shown import Json, shown, shown_events


def ask_all(
    steps: list[Step], namespace: str, exchange: Callable[[Request], Response], pause: Callable[[float], object]
) -> list[Json]:
    """What each step showed. `exchange` reads a watch to its end."""
    known: dict[str, str] = {}
    told = []
    for step in steps:
        pause(step.pause)
        request = _request(step, namespace, known)
        reply = exchange(request)
        _remember(reply, known)
        is_watch = request.parameter("watch") == "true" and reply.status == 200
        told.append((shown_events if is_watch else shown)(reply.status, reply.body, namespace))
    return told


def _request(step: Step, namespace: str, known: dict[str, str]) -> Request:
    def filled(text: str) -> str:
        for key, value in {"ns": namespace, **known}.items():
            text = text.replace(f"{{{key}}}", value)
        return text

    body = b"" if step.body is None else filled(msgspec.json.encode(step.body).decode()).encode()
    query = tuple((key, filled(value)) for key, value in step.query)
    return Request(step.method, filled(step.path), query, (("content-type", step.content),), body)


def _remember(reply: Response, known: dict[str, str]) -> None:
    if not reply.body.startswith(b"{") or b'"type":"' in reply.body[:20]:
        return
    value: Any = msgspec.json.decode(reply.body)
    meta = value.get("metadata") or {}
    if meta.get("continue"):
        known["continue"] = meta["continue"]
    if "uid" in meta and "name" in meta:
        known[f"uid:{meta['name']}"] = meta["uid"]
        if "resourceVersion" in meta:
            known[f"rv:{meta['name']}"] = meta["resourceVersion"]
            known.setdefault("rv:first", meta["resourceVersion"])
