"""`kubernetes_asyncio`: what its calls do with a reply, without the network and without the event loop."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

from kubernetes_asyncio import client, watch

from benchmarks.peers import generated_models
from benchmarks.worker import Worker


async def _closed_client() -> Any:
    """Its session needs a loop to be made in; decoding needs neither."""
    async with client.ApiClient() as api:
        return api


async def _watch() -> Any:
    watching = watch.Watch("V1Pod")
    await watching._api_client.close()  # noqa: SLF001 - it closes it only when a stream ends
    return watching


_API = asyncio.run(_closed_client())
_WATCH = asyncio.run(_watch())


def build(workers: list[Worker]) -> list[str]:
    return [json.dumps(_API.sanitize_for_serialization(generated_models.pod(client, worker))) for worker in workers]


def decode_pods(bodies: list[bytes]) -> list[str]:
    return [_decode(body, "V1Pod").metadata.uid for body in bodies]


def decode_list(body: bytes) -> list[str]:
    return [pod.metadata.uid for pod in _decode(body, "V1PodList").items]


def read_watch(chunks: list[bytes]) -> list[str]:
    events = (_WATCH.unmarshal_event(line, "V1Pod") for line in b"".join(chunks).splitlines())
    return [event["object"].metadata.uid for event in events]


def view_list(body: bytes) -> dict[str, Any]:
    return {pod.metadata.name: pod for pod in _decode(body, "V1PodList").items}


def view_events(chunks: list[bytes]) -> dict[str, Any]:
    events = (_WATCH.unmarshal_event(line, "V1Pod") for line in b"".join(chunks).splitlines())
    return {event["object"].metadata.name: event["object"] for event in events}


def _decode(body: bytes, model: str) -> Any:
    return _API.deserialize(SimpleNamespace(data=body.decode()), model)
