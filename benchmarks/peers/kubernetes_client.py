"""`kubernetes`, the official client: what its calls do with a reply, without the network."""

from __future__ import annotations

import inspect
import json
from types import SimpleNamespace
from typing import Any

from kubernetes import client, watch

from benchmarks.peers import generated_models
from benchmarks.worker import Worker

_API = client.ApiClient()
_TAKES_TEXT = "response_text" in inspect.signature(_API.deserialize).parameters


def build(workers: list[Worker]) -> list[str]:
    return [json.dumps(_API.sanitize_for_serialization(generated_models.pod(client, worker))) for worker in workers]


def decode_pods(bodies: list[bytes]) -> list[str]:
    return [_decode(body, "V1Pod").metadata.uid for body in bodies]


def decode_list(body: bytes) -> list[str]:
    return [pod.metadata.uid for pod in _decode(body, "V1PodList").items]


def read_watch(chunks: list[bytes]) -> list[str]:
    events = watch.Watch("V1Pod").stream(_reply_of(chunks), timeout_seconds=1)
    return [event["object"].metadata.uid for event in events]


def view_list(body: bytes) -> dict[str, Any]:
    return {pod.metadata.name: pod for pod in _decode(body, "V1PodList").items}


def view_events(chunks: list[bytes]) -> dict[str, Any]:
    events = watch.Watch("V1Pod").stream(_reply_of(chunks), timeout_seconds=1)
    return {event["object"].metadata.name: event["object"] for event in events}


def _decode(body: bytes, model: str) -> Any:
    text = body.decode()
    if _TAKES_TEXT:
        return _API.deserialize(text, model, "application/json")
    return _API.deserialize(SimpleNamespace(data=text), model)  # before version 37


def _reply_of(chunks: list[bytes]) -> Any:
    """A function such as `list_namespaced_pod`, whose reply is made of `chunks`."""
    reply = SimpleNamespace(
        status=200,
        stream=lambda **_: iter(chunks),
        close=lambda: None,
        release_conn=lambda: None,
    )

    def list_pods(**_: Any) -> Any:
        return reply

    return list_pods
