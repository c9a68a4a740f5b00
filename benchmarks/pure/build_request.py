"""A worker -> the request that creates its Pod."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from benchmarks.case import Case, Contestant
from benchmarks.worker import workers

_AMOUNT = 500


def _objects(bodies: list[bytes | str]) -> list[Any]:
    """Whatever the order of the keys."""
    return [json.dumps(json.loads(body), sort_keys=True) for body in bodies]


BUILD_REQUEST = Case(
    name="build a create request",
    unit="request",
    size=_AMOUNT,
    data=partial(workers, _AMOUNT),
    proof=_objects,
    contestants=(
        Contestant("hodei-k8s, from a WorkerSpec", "hodei", "build", prepare="with_specs"),
        Contestant("hodei-k8s, WorkerSpec made and validated", "hodei", "build_from_values"),
        Contestant("kubernetes models", "kubernetes_client", "build", at_least=5),
        Contestant("kubernetes_asyncio models", "kubernetes_asyncio_client", "build"),
        Contestant("lightkube models", "lightkube_client", "build"),
        Contestant("dict + json.dumps (floor)", "plain_python", "build"),
    ),
)
