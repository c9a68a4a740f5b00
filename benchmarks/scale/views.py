"""Bytes -> a picture of the fleet that a host can ask: a dictionary of workers, kept up to date.

For the peers that is the list or the events, decoded, in a dictionary by name. Ours also finds out which change is
worth telling, and can say of each worker its state, what is wrong with it, and when that is looked at again. It does so
when that is read, so what reading costs has rows of its own.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.case import Case, Contestant
from benchmarks.scale.fleet import events, whole_list

_PODS = 3_000
_EVENTS = 2_000


def _listed() -> bytes:
    return whole_list(_PODS)


def _names(view: Any) -> list[str]:
    return sorted(view)


VIEW_LIST = Case(
    name="bytes of a list of 3,000 Pods to a view",
    unit="Pod",
    size=_PODS,
    data=_listed,
    proof=_names,
    contestants=(
        Contestant("hodei-k8s", "hodei_view", "view_list"),
        Contestant("hodei-k8s, every worker judged", "hodei_view", "view_list_counted"),
        Contestant("hodei-k8s, every worker described", "hodei_view", "view_list_described"),
        Contestant("kubernetes", "kubernetes_client", "view_list", at_least=40),
        Contestant("kubernetes_asyncio", "kubernetes_asyncio_client", "view_list"),
        Contestant("lightkube", "lightkube_client", "view_list", at_least=10),
        Contestant("kr8s", "kr8s_client", "view_list"),
    ),
)

VIEW_WATCH = Case(
    name="2,000 watch events folded into a view",
    unit="event",
    size=_EVENTS,
    data=partial(events, _EVENTS, 500),
    proof=_names,
    contestants=(
        Contestant("hodei-k8s", "hodei_view", "view_events"),
        Contestant("hodei-k8s, every change described", "hodei_view", "view_events_described"),
        Contestant("hodei-k8s, decoded alone", "hodei_view", "decode_events"),
        Contestant("kubernetes", "kubernetes_client", "view_events", at_least=20),
        Contestant("kubernetes_asyncio", "kubernetes_asyncio_client", "view_events"),
        Contestant("lightkube", "lightkube_client", "view_events", at_least=5),
        Contestant("kr8s", "kr8s_client", "view_events"),
    ),
)
