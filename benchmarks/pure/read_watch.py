"""The chunks of a watch -> its events, each looked at and let go."""

from __future__ import annotations

from functools import partial

from benchmarks.case import Case, Contestant
from benchmarks.data import watch

_AMOUNT = 10_000

READ_WATCH = Case(
    name="read 10,000 watch events",
    unit="event",
    size=_AMOUNT,
    data=partial(watch, _AMOUNT),
    proof=list,
    contestants=(
        Contestant("hodei-k8s", "hodei", "read_watch"),
        Contestant("kubernetes", "kubernetes_client", "read_watch"),
        Contestant("kubernetes_asyncio", "kubernetes_asyncio_client", "read_watch"),
        Contestant("lightkube", "lightkube_client", "read_watch"),
        Contestant("json.loads", "plain_python", "read_watch"),
    ),
)
