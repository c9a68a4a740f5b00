"""How far a request got: it says where the time went, and whether the server can have acted."""

from __future__ import annotations

import enum

from hodei_k8s_core.errors import Delivery


class Phase(enum.Enum):
    """How far a request got. UNTRACED: a host's own client may not tell."""

    CREDENTIALS = "waiting for credentials"
    QUEUED = "waiting for a free connection"
    CONNECTING = "connecting"
    UNTRACED = "exchanging"
    SENT = "waiting for the reply"
    ANSWERED = "reading the reply"


DELIVERY_IN = {
    Phase.CREDENTIALS: Delivery.NOT_SENT,
    Phase.QUEUED: Delivery.NOT_SENT,
    Phase.CONNECTING: Delivery.NOT_SENT,
    Phase.UNTRACED: Delivery.MAYBE_SENT,
    Phase.SENT: Delivery.MAYBE_SENT,
    Phase.ANSWERED: Delivery.ANSWERED,
}


class Progress:
    """One request under way (and its repetition after a 401)."""

    __slots__ = ("phase",)

    def __init__(self) -> None:
        self.phase = Phase.CREDENTIALS

    @property
    def delivery(self) -> Delivery:
        return DELIVERY_IN[self.phase]
