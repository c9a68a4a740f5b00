"""The `status` of a Pod, from what its node knows; shapes as in recordings of Kubernetes 1.36."""

from __future__ import annotations

import msgspec

from hodei_k8s_core.simulation.container import NEVER_STARTED, Container, container_status
from hodei_k8s_core.simulation.wire import Json, ServerClock


class NodeView(msgspec.Struct):
    """What the scheduler and the kubelet know of one Pod; changed only by them."""

    namespace: str
    name: str
    uid: str
    containers: list[Container]
    restart_policy: str
    node: str = ""
    unschedulable: str = ""
    started: float | None = None
    sandbox: bool = False
    address: str = ""
    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    asked_to_stop: float | None = None
    lost: bool = False
    unreachable: bool = False
    disruption: tuple[str, str] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether a container ever ran, or could not."""
        return any(
            one.started is not None or one.ended is not None or one.last_ended is not None for one in self.containers
        )

    @property
    def has_ended(self) -> bool:
        return self.phase in ("Succeeded", "Failed")

    @property
    def all_ended(self) -> bool:
        return all(container.ended is not None for container in self.containers)

    @property
    def end_phase(self) -> str:
        """The phase of a Pod whose containers have all ended."""
        failed = self.reason or any(container.ended and container.ended.exit_code for container in self.containers)
        return "Failed" if failed else "Succeeded"


def pod_status(pod: Json, view: NodeView, now: float, clock: ServerClock) -> Json:
    """The whole status; a condition that did not change keeps its time."""
    old = pod["status"]
    conditions = _dated([*_conditions(view), *_disruption(view)], old, now, clock)
    if view.started is None:
        return {**old, "conditions": conditions}
    generation = pod["metadata"]["generation"]
    status: Json = {
        "observedGeneration": generation,
        "phase": view.phase,
        "conditions": [{**condition, "observedGeneration": generation} for condition in conditions],
    }
    if view.reason and view.has_ended:
        status |= {"reason": view.reason, "message": view.message}
    status |= {"hostIP": "192.0.2.2", "hostIPs": [{"ip": "192.0.2.2"}]}
    if view.address:
        status |= {"podIP": view.address, "podIPs": [{"ip": view.address}]}
    status["startTime"] = clock.timestamp(view.started)
    status["containerStatuses"] = [
        container_status(container, clock) for container in sorted(view.containers, key=lambda one: one.name)
    ]
    return {**status, "qosClass": old["qosClass"]}


def _conditions(view: NodeView) -> list[Json]:
    if view.unschedulable:
        return [_condition("PodScheduled", "Unschedulable", view.unschedulable, holds=False)]
    scheduled = _condition("PodScheduled")
    if view.started is None:
        return [scheduled]
    reason, message = _unready(view)
    cut_off = view.unreachable and not reason  # the node controller's word; the containers' own stays as it was
    done = reason == "PodCompleted"
    return [
        _condition("PodReadyToStartContainers", holds=view.sandbox and not view.has_ended),
        _condition("Initialized", "PodCompleted" if done else ""),
        _condition("Ready", reason, message, holds=not reason and not cut_off),
        _condition("ContainersReady", reason, message, holds=not reason),
        scheduled,
    ]


def _disruption(view: NodeView) -> list[Json]:
    return [] if view.disruption is None else [_condition("DisruptionTarget", *view.disruption)]


def _condition(kind: str, reason: str = "", message: str = "", *, holds: bool = True) -> Json:
    condition: Json = {"type": kind, "status": "True" if holds else "False", "lastProbeTime": None}
    told = {"reason": reason, "message": message}
    return condition | {key: text for key, text in told.items() if text}


def _unready(view: NodeView) -> tuple[str, str]:
    """Why the Pod is not ready: ("", "") when it is."""
    ended = view.all_ended and any(one.ended is not NEVER_STARTED for one in view.containers)
    if view.reason or (ended and (view.has_ended or view.restart_policy == "Never")):
        return ("PodCompleted" if view.end_phase == "Succeeded" else "PodFailed"), ""
    unready = [container.name for container in view.containers if not container.ready]
    if not unready:
        return "", ""
    return "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"


def _dated(conditions: list[Json], old: Json, now: float, clock: ServerClock) -> list[Json]:
    known = {condition["type"]: condition for condition in old.get("conditions", [])}
    dated = []
    for condition in conditions:
        before = known.get(condition["type"])
        same = before is not None and before["status"] == condition["status"]
        time = before["lastTransitionTime"] if before is not None and same else clock.timestamp(now)
        dated.append({**condition, "lastTransitionTime": time})
    return dated
