"""On one real API server, over TLS: the same work by this library and by its peers, in turns."""

from __future__ import annotations

from functools import partial

from benchmarks.case import Contestant
from benchmarks.cluster import rounds
from benchmarks.cluster.comparison import ClusterCase
from benchmarks.cluster.site import LINES, PODS, empty_site, site_with_log, site_with_pods

_CLIENTS = (
    ("hodei-k8s, asyncio", "hodei"),
    ("hodei-k8s, threads", "hodei_threads"),
    ("kubernetes, threads", "kubernetes_client"),
    ("kubernetes_asyncio", "kubernetes_asyncio_client"),
    ("lightkube, asyncio", "lightkube_client"),
    ("lightkube, threads", "lightkube_threads"),
    ("kr8s, asyncio", "kr8s_client"),
)
_OURS = ("hodei", "hodei_threads")


def _contestants(at_least: float | None = None, **by_client: float) -> tuple[Contestant, ...]:
    """`at_least` for every peer, or for those that are named."""
    return tuple(
        Contestant(label, client, "", at_least=by_client.get(client, None if client in _OURS else at_least))
        for label, client in _CLIENTS
    )


_BEST_PEER = partial(_contestants, 1 / 0.3)

CASES = (
    ClusterCase("create, 16 at a time", "call", rounds.MADE, empty_site, rounds.create, _BEST_PEER()),
    ClusterCase("get, 16 at a time", "call", rounds.READ, site_with_pods, rounds.get, _BEST_PEER()),
    ClusterCase("delete, 16 at a time", "call", rounds.MADE, empty_site, rounds.delete, _BEST_PEER()),
    ClusterCase("list 200 Pods", "list", rounds.LISTS, site_with_pods, rounds.count, _contestants()),
    ClusterCase("watch 200 Pods change", "event", PODS, site_with_pods, rounds.watch, _contestants()),
    ClusterCase(
        "follow a log of 50,000 lines",
        "line",
        LINES,
        site_with_log,
        rounds.follow,
        _contestants(kubernetes_client=3, kr8s_client=10),
    ),
)
