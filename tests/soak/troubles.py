"""Everything that goes wrong, and how often: probabilities of one request."""

from __future__ import annotations

from hodei_k8s_core.errors import Delivery
from hodei_k8s_core.simulation import (
    Chance,
    ClockJump,
    CutStream,
    Delay,
    DelayEvents,
    DuplicateEvents,
    ExpireVersions,
    LoseReply,
    LoseRequest,
    ReplyCut,
    Restart,
    Stall,
    StallStream,
    proxy_page,
    server_error,
    throttled,
    unavailable,
)

_STREAMS = (("watch", "pods"), ("get", "pods/log"))

CHANCES: tuple[Chance, ...] = (
    Chance(0.01, LoseRequest()),
    Chance(0.005, LoseRequest(delivery=Delivery.MAYBE_SENT)),
    Chance(0.02, LoseReply()),
    Chance(0.005, ReplyCut()),
    Chance(0.01, throttled(2)),
    Chance(0.01, server_error()),
    Chance(0.01, server_error(acting=True)),
    Chance(0.005, unavailable(1)),
    Chance(0.005, proxy_page()),
    Chance(0.002, Stall()),
    Chance(0.002, Stall(acting=True)),
    Chance(0.01, Delay(3.0)),
    Chance(0.001, Restart()),
    Chance(0.001, ClockJump(2.0)),
    Chance(0.001, ClockJump(-2.0)),
    *(
        Chance(probability, fault, verb, resource)
        for verb, resource in _STREAMS
        for probability, fault in (
            (0.03, CutStream(after=0)),
            (0.05, CutStream(after=700)),
            (0.03, CutStream(after=5000, clean=True)),
            (0.02, StallStream(after=300)),
            (0.02, DelayEvents(4.0)),
        )
    ),
    Chance(0.05, DuplicateEvents(), "watch", "pods"),
    Chance(0.02, ExpireVersions(), "watch", "pods"),
    Chance(0.01, ExpireVersions(as_http=True), "watch", "pods"),
)
