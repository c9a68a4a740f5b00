"""What the API server fills in: Pods, and the other kinds of which a field is read here."""

from __future__ import annotations

import base64
from collections.abc import Callable

from hodei_k8s_core.capacity.candidate import read_candidate
from hodei_k8s_core.quantity import parse_quantity
from hodei_k8s_core.simulation.wire import Json

_SPEC_DEFAULTS: Json = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "serviceAccountName": "default",
    "serviceAccount": "default",
    "securityContext": {},
    "schedulerName": "default-scheduler",
    "priority": 0,
    "enableServiceLinks": True,
    "preemptionPolicy": "PreemptLowerPriority",
}
_CONTAINER_DEFAULTS: Json = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_GATED = {
    "type": "PodScheduled",
    "status": "False",
    "lastProbeTime": None,
    "lastTransitionTime": None,
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


def with_defaults(pod: Json) -> Json:
    """The Pod as the API server stores it, without what it alone knows (uid, versions, times)."""
    spec = pod.get("spec") or {}
    containers = [_with_container_defaults(one) for one in spec.get("containers") or ()]
    status: Json = {"phase": "Pending"}
    if spec.get("schedulingGates"):
        status["conditions"] = [_GATED]
    filled = {**_SPEC_DEFAULTS, **spec, "containers": containers}
    if spec.get("initContainers"):
        filled["initContainers"] = [_with_container_defaults(one) for one in spec["initContainers"]]
    whole = read_candidate({"spec": filled}).resources if "resources" in filled else None
    if whole is not None and whole.limits:  # of the Pod: a limit is a request, beside what the containers request
        requests = {name: str(parse_quantity(str(text))) for name, text in whole.requests.items()}
        filled["resources"] = {"requests": requests, "limits": whole.limits}
    return {"metadata": pod["metadata"], "spec": filled, "status": status}


def with_qos_class(pod: Json) -> Json:
    """With the class that follows from the requests and limits of all its containers."""
    of_all = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
    return {**pod, "status": {**pod["status"], "qosClass": _qos_class(of_all)}}


def with_plain_defaults(resource: str, item: Json) -> Json:
    """As `with_defaults`, for what is no Pod; the kind is not stored."""
    plain = {key: value for key, value in item.items() if key not in ("kind", "apiVersion")}
    fill = _PLAIN.get(resource)
    return plain if fill is None else fill(plain)


def _secret(item: Json) -> Json:
    """`stringData` is written only; what is stored is base64."""
    given = item.get("stringData") or {}
    data = {**(item.get("data") or {}), **{key: _encoded(text) for key, text in given.items()}}
    rest = {key: value for key, value in item.items() if key != "stringData"}
    return {**rest, **({"data": data} if data else {}), "type": item.get("type", "Opaque")}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _claim(item: Json) -> Json:
    return {
        **item,
        "spec": {"volumeMode": "Filesystem", **(item.get("spec") or {})},
        "status": item.get("status", {"phase": "Pending"}),
    }


def _limit_range(item: Json) -> Json:
    """SetDefaults_LimitRangeItem: for containers, a maximum is the default, and that the default request."""
    limits = [_with_limit_defaults(one) if one["type"] == "Container" else one for one in item["spec"]["limits"]]
    return {**item, "spec": {"limits": limits}}


def _with_limit_defaults(limit: Json) -> Json:
    default = {**(limit.get("max") or {}), **(limit.get("default") or {})}
    request = {**(limit.get("min") or {}), **default, **(limit.get("defaultRequest") or {})}
    found = {"default": default, "defaultRequest": request}
    return {**limit, **{name: amounts for name, amounts in found.items() if amounts}}


_PLAIN: dict[str, Callable[[Json], Json]] = {
    "secrets": _secret,
    "persistentvolumeclaims": _claim,
    "limitranges": _limit_range,
}


def _with_container_defaults(one: Json) -> Json:
    """A limit without a request is the request too (SetDefaults_Pod)."""
    container = {**_CONTAINER_DEFAULTS, "imagePullPolicy": _pull_policy(one.get("image") or ""), **one}
    resources = container["resources"]
    if "limits" in resources:
        requests = {**resources["limits"], **(resources.get("requests") or {})}
        container["resources"] = {**resources, "requests": requests}
    return container


def _pull_policy(image: str) -> str:
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in ("", "latest") and "@" not in image else "IfNotPresent"


def _qos_class(containers: list[Json]) -> str:
    resources = [one["resources"] for one in containers]
    if not any(one.get("requests") or one.get("limits") for one in resources):
        return "BestEffort"
    return "Guaranteed" if all(map(_is_guaranteed, resources)) else "Burstable"


def _is_guaranteed(resources: Json) -> bool:
    limits = resources.get("limits") or {}
    return {"cpu", "memory"} <= limits.keys() and {**limits, **(resources.get("requests") or {})} == limits
