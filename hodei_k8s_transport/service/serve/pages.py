"""The pages of `serve`: two probes, the metrics, the fleet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from hodei_k8s_core.serving.probes import stalled, unready
from hodei_k8s_transport.service.serve.door import Page, Pages
from hodei_k8s_transport.service.serve.watched_cluster import WatchedCluster


def pages_of(clusters: Sequence[WatchedCluster], registry: CollectorRegistry, is_stopping: Callable[[], bool]) -> Pages:
    """By path."""

    def livez() -> Page:
        now = time.monotonic()
        return _probe(
            f"{cluster.provider_id}: {problem}" for cluster in clusters for problem in stalled(cluster.beats.loops, now)
        )

    def readyz() -> Page:
        watches = {cluster.provider_id: cluster.watch for cluster in clusters}
        return _probe(unready(watches, is_stopping=is_stopping()))

    def metrics() -> Page:
        return Page(200, generate_latest(registry), CONTENT_TYPE_LATEST)

    def fleet() -> Page:
        documents = [cluster.document() for cluster in clusters]
        return Page(200, msgspec.json.encode({"clusters": documents}), "application/json")

    return {"/livez": livez, "/readyz": readyz, "/metrics": metrics, "/fleet": fleet}


def _probe(problems: Iterable[str]) -> Page:
    found = list(problems)
    return Page(503 if found else 200, "".join(f"{line}\n" for line in found or ["ok"]).encode())
