"""Many operations at once, each as a pure state machine: what to start and stop, and what to give to the caller."""

from hodei_k8s_core.coordinators.audit import Audit
from hodei_k8s_core.coordinators.coordinator import Action, Coordinator, Start, Stop
from hodei_k8s_core.coordinators.fleet_logs import FleetLogItem, FleetLogs

__all__ = ["Action", "Audit", "Coordinator", "FleetLogItem", "FleetLogs", "Start", "Stop"]
