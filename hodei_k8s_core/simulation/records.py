"""What the node knows of its Pods, and how it writes that into their status."""

from __future__ import annotations

from hodei_k8s_core.simulation.agenda import Agenda
from hodei_k8s_core.simulation.events import Recorder
from hodei_k8s_core.simulation.pod_status import NodeView, pod_status
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.wire import Json, ServerClock


class PodRecords:
    """The views by uid. `acts`: a node that is lost does nothing any more."""

    def __init__(self, store: Store, agenda: Agenda, clock: ServerClock, recorder: Recorder) -> None:
        self._store = store
        self._agenda = agenda
        self._clock = clock
        self._recorder = recorder
        self._views: dict[str, NodeView] = {}

    def view(self, pod: Json) -> NodeView:
        """What the node knows of a Pod."""
        return self._views[pod["metadata"]["uid"]]

    def _acts(self, view: NodeView) -> bool:
        return self._is_known(view) and not view.lost

    def _is_known(self, view: NodeView) -> bool:
        return view.uid in self._views

    def _pod(self, view: NodeView) -> Json:
        return self._store.fetch("pods", view.namespace, view.name)

    def _publish(self, view: NodeView, now: float) -> None:
        pod = self._pod(view)
        spec = {**pod["spec"], "nodeName": view.node} if view.node else pod["spec"]
        new = {**pod, "spec": spec, "status": pod_status(pod, view, now, self._clock)}
        if new != pod:
            self._store.put("pods", new)

    def _tell(self, view: NodeView, kind: str, reason: str, message: str, now: float, container: str = "") -> None:
        self._recorder.kubelet(self._pod(view), kind, reason, message, now, container)
