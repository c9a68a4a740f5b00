"""Replies -> Pods: one by one, and a list of 3,000."""

from __future__ import annotations

from functools import partial

from benchmarks.case import Case, Contestant
from benchmarks.data import pod_list, pods

_AMOUNT = 300
_LIST = 3_000

DECODE_POD = Case(
    name="decode a Pod",
    unit="Pod",
    size=_AMOUNT,
    data=partial(pods, _AMOUNT),
    proof=list,
    contestants=(
        Contestant("hodei-k8s", "hodei", "decode_pods"),
        Contestant("kubernetes", "kubernetes_client", "decode_pods"),
        Contestant("kubernetes_asyncio", "kubernetes_asyncio_client", "decode_pods"),
        Contestant("lightkube", "lightkube_client", "decode_pods"),
        Contestant("json.loads", "plain_python", "decode_pods"),
    ),
)

DECODE_LIST = Case(
    name="decode a list of 3,000 Pods",
    unit="Pod",
    size=_LIST,
    data=partial(pod_list, _LIST),
    proof=list,
    contestants=(
        Contestant("hodei-k8s", "hodei", "decode_list"),
        Contestant("kubernetes", "kubernetes_client", "decode_list", at_least=40),
        Contestant("kubernetes_asyncio", "kubernetes_asyncio_client", "decode_list"),
        Contestant("lightkube", "lightkube_client", "decode_list"),
        Contestant("lightkube, from_dict", "lightkube_client", "decode_list_from_dicts"),
        Contestant("json.loads", "plain_python", "decode_list"),
    ),
)
