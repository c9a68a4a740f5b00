"""Pods: what is special about their creation, change and end; and their log."""

from __future__ import annotations

from typing import Any

from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation.admission import Admission
from hodei_k8s_core.simulation.defaults import with_defaults, with_qos_class
from hodei_k8s_core.simulation.kubelet import Kubelet
from hodei_k8s_core.simulation.logs import LogStream, choose_container, open_log, parse_log_query
from hodei_k8s_core.simulation.objects import Objects
from hodei_k8s_core.simulation.preconditions import DeleteOptions
from hodei_k8s_core.simulation.resources import RESOURCES
from hodei_k8s_core.simulation.route import Route
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.validation import Fault, spec_faults
from hodei_k8s_core.simulation.wire import Json, ServerClock, json_response

_MAY_CHANGE = ("activeDeadlineSeconds", "schedulingGates", "tolerations", "terminationGracePeriodSeconds")
_FIXED = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)


class Pods(Objects):
    """Create, change, delete and log of Pods; get, list and watch are the same for every resource."""

    first_uid = 0

    def __init__(self, store: Store, kubelet: Kubelet, clock: ServerClock, admission: Admission) -> None:
        super().__init__(store, clock)
        self._kubelet = kubelet
        self._admission = admission

    def faults(self, item: Json) -> list[Fault]:
        return spec_faults(item.get("spec") or {})

    def prepare(self, resource: str, item: Json) -> Json:  # noqa: ARG002 - they are all Pods
        ready = with_defaults(item)
        return {**ready, "metadata": {**ready["metadata"], "generation": 1}}

    def mutated(self, item: Json) -> Json:
        return with_qos_class(self._admission.with_limit_defaults(self._admission.with_runtime(item)))

    def admit(self, item: Json) -> None:
        self._admission.check(item)

    def stored(self, resource: str, item: Json, now: float) -> None:  # noqa: ARG002 - they are all Pods
        self._admission.refresh(item["metadata"]["namespace"])
        self._kubelet.admit(item, now)

    def settled(self, resource: str, old: Json, new: Json) -> Json:  # noqa: ARG002 - they are all Pods
        """A change of the spec is a new generation; the status is the kubelet's."""
        spec = {key: value for key, value in (new.get("spec") or {}).items() if key != "schedulingGates" or value}
        generation = old["metadata"]["generation"] + (spec != old["spec"])
        return {"metadata": {**new["metadata"], "generation": generation}, "spec": spec, "status": old["status"]}

    def change_faults(self, old: Json, new: Json) -> list[Fault]:
        faults: list[Fault] = []
        if _fixed_part(old["spec"]) != _fixed_part(new["spec"]):
            faults.append(("spec", "FieldValueForbidden", _FIXED))
        known = {gate["name"] for gate in old["spec"].get("schedulingGates", ())}
        for number, gate in enumerate(new["spec"].get("schedulingGates", ())):
            if gate["name"] not in known:
                told = f"Forbidden: only deletion is allowed, but found new scheduling gate '{gate['name']}'"
                faults.append((f"spec.schedulingGates[{number}].name", "FieldValueForbidden", told))
        return faults

    def changed(self, resource: str, old: Json, new: Json, now: float) -> None:  # noqa: ARG002 - as above
        if "schedulingGates" in old["spec"] and "schedulingGates" not in new["spec"]:
            self._kubelet.ungate(new, now)

    def end(self, route: Route, item: Json, options: DeleteOptions, now: float) -> Response:
        """The reply is the Pod, whether it is gone or terminating now."""
        kind, meta, grace = RESOURCES["pods"], item["metadata"], self._grace(options, item)
        if "deletionTimestamp" in meta and grace >= meta["deletionGracePeriodSeconds"]:
            return json_response(200, kind.typed(item))  # a grace period can only get shorter
        moment = self._clock.timestamp(now + grace)
        deletion = {"deletionTimestamp": moment, "deletionGracePeriodSeconds": grace}
        generation = meta["generation"] + ("deletionTimestamp" not in meta)
        marked = self._store.put("pods", {**item, "metadata": {**meta, **deletion, "generation": generation}})
        if grace > 0:
            self._kubelet.stop(marked, grace, now)
        elif not meta.get("finalizers"):
            marked = self.remove(route.resource, marked, now)
        return json_response(200, kind.typed(marked))

    def remove(self, resource: str, item: Json, now: float) -> Json:
        gone = super().remove(resource, item, now)
        self._kubelet.forget(item, now)
        return gone

    def evict(self, request: Request, route: Route, now: float) -> Response:  # noqa: ARG002 - as every handler
        """POST …/eviction: the Pod is told why it ends, and ends."""
        self._kubelet.disrupt(self._existing(route), "EvictionByEvictionAPI", "Eviction API: evicting", now)
        self.end(route, self._existing(route), DeleteOptions(), now)
        return json_response(
            201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        )

    def log(self, request: Request, route: Route, now: float) -> Response | LogStream:
        """GET …/log: text, a stream when followed, or 204 while the Pod has no node."""
        query = parse_log_query(request, route.name, now, self._clock)
        pod = self._existing(route)
        view = self._kubelet.view(pod)
        one = choose_container(pod, view, request.parameter("container"))
        if not view.node:
            return Response(204)
        return open_log(pod, one, query, now, self._clock)

    def _grace(self, options: DeleteOptions, pod: Json) -> int:
        """Seconds: as asked, else the Pod's own; none for a Pod that is not scheduled or has ended."""
        asked = options.gracePeriodSeconds
        grace: int = pod["spec"]["terminationGracePeriodSeconds"] if asked is None else asked
        view = self._kubelet.view(pod)
        if not view.node or view.has_ended:
            return 0
        return 1 if grace < 0 else grace


def _fixed_part(spec: Json) -> dict[str, Any]:
    """What of a Pod's spec nobody may change."""
    fixed = {key: value for key, value in spec.items() if key not in _MAY_CHANGE}
    return {**fixed, "containers": [{**one, "image": ""} for one in spec.get("containers") or ()]}
