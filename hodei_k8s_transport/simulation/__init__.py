"""The simulated cluster for hosts: as a channel, in virtual or in real time, and over HTTP."""

from __future__ import annotations

from hodei_k8s_transport.simulation.async_channel import AsyncRealTime, AsyncSimulatedChannel, AsyncVirtualTime
from hodei_k8s_transport.simulation.channel import SimulatedChannel
from hodei_k8s_transport.simulation.local_process import local_process
from hodei_k8s_transport.simulation.playground import playground
from hodei_k8s_transport.simulation.server import SimulatedServer
from hodei_k8s_transport.simulation.timing import RealTime, VirtualTime

__all__ = [
    "AsyncRealTime",
    "AsyncSimulatedChannel",
    "AsyncVirtualTime",
    "RealTime",
    "SimulatedChannel",
    "SimulatedServer",
    "VirtualTime",
    "local_process",
    "playground",
]
