"""What all kinds of channel use alike: how many connections, for how long, with which options."""

from __future__ import annotations

import socket

DEFAULT_MAX_CONNECTIONS = 32
"""Calls at once; streams are not counted."""
IDLE_STREAM_CONNECTIONS = 8
KEEP_ALIVE_EXPIRY = 30.0
"""Seconds that an idle connection is kept: below the idle limits of usual load balancers (60 s)."""


def keep_alive_options() -> list[tuple[int, int, int]]:
    """For setsockopt: a peer that vanished is noticed after a minute, and no load balancer forgets a quiet stream."""
    wanted = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
    available = [(getattr(socket, name), value) for name, value in wanted if hasattr(socket, name)]
    return [
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        *((socket.IPPROTO_TCP, name, value) for name, value in available),
    ]
