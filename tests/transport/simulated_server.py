"""The package's own server of a simulated cluster, with what tests want to know of it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from hodei_k8s_core.http import Request
from hodei_k8s_core.simulation import Cluster, Rule
from hodei_k8s_transport.simulation import server
from hodei_k8s_transport.simulation.server import POLL


class SimulatedServer(server.SimulatedServer):
    """`requests`: what was asked, in order."""

    def __init__(self, cluster: Cluster | None = None, faults: Iterable[Rule] = ()) -> None:
        self.requests: list[Request] = []
        super().__init__(cluster, faults)

    def __enter__(self) -> SimulatedServer:
        super().__enter__()
        return self

    def note(self, request: Request) -> None:
        self.requests.append(request)

    @property
    def lease_holders(self) -> list[str]:
        """Who has each Lease of the workers' namespace; "" where it was let go."""
        with self.lock:
            leases = self.cluster.objects("leases", "hodei-workers").values()
            return [lease["spec"].get("holderIdentity", "") for lease in leases]

    def wait_until(self, condition: Any, limit: float = 5.0) -> bool:
        """Whether `condition()` came true within `limit` seconds."""
        until = time.monotonic() + limit
        while not condition():
            if time.monotonic() > until:
                return False
            time.sleep(POLL)
        return True
