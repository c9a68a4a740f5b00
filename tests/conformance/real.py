"""The suite against a real API server."""

from __future__ import annotations

import time
from contextlib import closing
from functools import partial

from hodei_k8s_core.http import Request, Response
from hodei_k8s_transport.channels.channel import Channel
from tests.conformance.asking import ask_all
from tests.conformance.scenarios import SCENARIOS
from tests.conformance.shown import Json

LIMIT = 30.0


def answers(channel: Channel, namespace: str) -> dict[str, list[Json]]:
    """Every scenario, in a namespace that is there."""
    ask = partial(_exchange, channel)
    return {name: ask_all(steps, namespace, ask, time.sleep) for name, steps in SCENARIOS.items()}


def _exchange(channel: Channel, request: Request) -> Response:
    if request.parameter("watch") != "true":
        return channel.send(request, LIMIT)
    with closing(channel.open(request, LIMIT)) as body:
        chunks = []
        while isinstance(chunk := body.read(LIMIT), bytes) and chunk:
            chunks.append(chunk)
        return Response(body.status, body.headers, b"".join(chunks))
