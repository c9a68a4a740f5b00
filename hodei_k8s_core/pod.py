"""Pod JSON -> typed values, of only what is read here; other fields are skipped and cost nothing.

The structs hold texts as the server wrote them; times become seconds when they are asked for (`epoch`). `gc=False` is
safe: they are frozen and come from JSON, so no cycle can go through one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from hodei_k8s_core.kubernetes_json import Integer, ListMeta, decode_object, refuse_kind
from hodei_k8s_core.labels import CREATION_TOKEN, DRAINING, JOB_ID, WORKER_ID
from hodei_k8s_core.server_time import parse_rfc3339
from hodei_k8s_core.worker import WORKER_CONTAINER


def epoch(text: str | None) -> float | None:
    """Seconds since the epoch of a timestamp, or None where there is none that can be read.

    The kubelet writes 1970 for what did not happen, such as the start of a container whose program is missing.
    """
    return (parse_rfc3339(text) or None) if text else None


class OwnerReference(msgspec.Struct, frozen=True, gc=False):
    """The object that a Pod goes with."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class ObjectMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What every object has; see metav1.ObjectMeta."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: Integer | None = None
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()

    @property
    def created_at(self) -> float | None:
        """By the server's clock."""
        return epoch(self.creation_timestamp)

    @property
    def deleting_since(self) -> float | None:
        """When the deletion was asked for: `deletionTimestamp` lies the grace period after that."""
        end = epoch(self.deletion_timestamp)
        return None if end is None else end - (self.deletion_grace_period_seconds or 0)


class Container(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A container as it was asked for. `restart_policy` is `Always` for a native sidecar among the init containers."""

    name: str = ""
    image: str = ""
    restart_policy: str = ""


class SchedulingGate(msgspec.Struct, frozen=True, gc=False):
    """Something that holds a Pod back from being scheduled, on purpose."""

    name: str = ""


class PodSpec(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What the Pod was asked to be."""

    node_name: str = ""
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    active_deadline_seconds: Integer | None = None
    restart_policy: str = ""
    scheduling_gates: tuple[SchedulingGate, ...] = ()
    termination_grace_period_seconds: Integer | None = None


class PodCondition(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One condition; `status` is `True`, `False` or `Unknown`."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A container that has not started, and why."""

    reason: str = ""
    message: str = ""


class Running(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A container that runs."""

    started_at: str | None = None


class Terminated(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A container that has ended. `message`: its termination message, or the runtime's when it could not start."""

    exit_code: Integer = 0
    signal: Integer = 0
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None
    container_id: str = msgspec.field(default="", name="containerID")


class ContainerState(msgspec.Struct, frozen=True, gc=False):
    """One of the three, or none (which means waiting)."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """How one container is. `last_state`: the run before the last restart."""

    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: Integer = 0
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    container_id: str = msgspec.field(default="", name="containerID")
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """How the Pod is."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[PodCondition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    start_time: str | None = None
    pod_ip: str = msgspec.field(default="", name="podIP")
    host_ip: str = msgspec.field(default="", name="hostIP")


class Pod(msgspec.Struct, frozen=True, gc=False):
    """A Pod. `kind` is "" for an item of a list."""

    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def phase(self) -> str:
        """Pending, Running, Succeeded, Failed, Unknown, or ""."""
        return self.status.phase

    @property
    def worker_container(self) -> ContainerStatus | None:
        """The status of the one container that counts, or None as long as the kubelet has not told it."""
        for status in self.status.container_statuses:
            if status.name == WORKER_CONTAINER:
                return status
        return None

    @property
    def is_deleting(self) -> bool:
        return self.metadata.deletion_timestamp is not None

    @property
    def worker_id(self) -> str:
        """By its label, or ""."""
        return self.metadata.labels.get(WORKER_ID, "")

    @property
    def creation_token(self) -> str:
        """What the creator of the Pod wrote on it, or ""."""
        return self.annotation(CREATION_TOKEN)

    @property
    def job_id(self) -> str:
        """The job that was assigned to the worker, or ""."""
        return self.annotation(JOB_ID)

    @property
    def is_draining(self) -> bool:
        return DRAINING in self.metadata.annotations

    def annotation(self, key: str) -> str:
        """The annotation's value, or ""."""
        return self.metadata.annotations.get(key, "")

    def condition(self, type_: str) -> PodCondition | None:
        """The condition of that type, or None."""
        for condition in self.status.conditions:
            if condition.type == type_:
                return condition
        return None


class PodList(msgspec.Struct, frozen=True):
    """One page of a list, at one version. `continue_token` "" says that it is the last."""

    items: tuple[Pod, ...]
    resource_version: str = ""
    continue_token: str = ""
    remaining_item_count: Integer | None = None


class _PodListBody(msgspec.Struct, frozen=True, gc=False):
    kind: str = ""
    metadata: ListMeta = ListMeta()
    items: tuple[Pod, ...] | None = None


_POD: Final = ("Pod",)
_POD_LIST: Final = ("PodList", "List")
_POD_DECODER: Final = msgspec.json.Decoder(Pod)
_POD_LIST_DECODER: Final = msgspec.json.Decoder(_PodListBody)


def parse_pod(data: bytes | msgspec.Raw) -> Pod:
    """The Pod that a reply or a watch event holds.

    Raises: Internal for what is no Pod, with the path of the fault and nothing of the content.
    """
    pod = decode_object(_POD_DECODER, data, _POD)
    # An item that was cut out of a list has no kind, but it does have a name.
    if pod.kind != "Pod" and (pod.kind or not pod.metadata.name):
        raise refuse_kind(pod.kind, _POD)
    return pod


def parse_pod_list(data: bytes | msgspec.Raw) -> PodList:
    """The page of Pods that a reply holds.

    Raises: Internal for what is no list of Pods, with the path of the fault and nothing of the content.
    """
    body = decode_object(_POD_LIST_DECODER, data, _POD_LIST)
    if body.kind not in _POD_LIST and (body.kind or body.items is None):
        raise refuse_kind(body.kind, _POD_LIST)
    meta = body.metadata
    return PodList(body.items or (), meta.resource_version, meta.continue_token, meta.remaining_item_count)
