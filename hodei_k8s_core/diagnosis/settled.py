"""Pods of which time alone changes nothing: most of a fleet, told from the rest without an examination."""

from __future__ import annotations

from hodei_k8s_core.pod import Pod


def is_settled(pod: Pod) -> bool:
    """Whatever `examine` says of it, it says at any time, and asks for no events. Of others it may be so too."""
    if pod.metadata.deletion_timestamp is not None or pod.spec.scheduling_gates:
        return False
    phase = pod.status.phase
    if phase == "Running":
        worker = pod.worker_container
        return worker is not None and worker.ready and worker.state.running is not None
    return phase in ("Succeeded", "Failed")
