"""The cluster that one tries things on: one node, on which the commands of Pods run as processes of this machine."""

from __future__ import annotations

import time

from hodei_k8s_core.simulation import Cluster, by_name, make_node
from hodei_k8s_core.simulation.wire import EPOCH
from hodei_k8s_transport.simulation.local_process import local_process


def playground(*namespaces: str) -> Cluster:
    """A cluster by the machine's clock. The label `simulation/behaviour` lets a Pod fail as one of the library does."""
    return Cluster(
        behaviours=by_name(otherwise=local_process()),
        namespaces=dict.fromkeys(("default", *namespaces)),
        nodes=[make_node("simulated-node", cpu="64", memory="256Gi", disk="1Ti", pods=500)],
        clock_offset=time.time() - EPOCH,
    )
