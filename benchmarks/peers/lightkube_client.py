"""`lightkube` (from 1.0 on, whose models are msgspec structs of all fields): what its calls do, without the network."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from lightkube.core.decoders import decode_list as decode_list_of
from lightkube.core.decoders import decode_object, decode_watch_event
from lightkube.models import core_v1 as core
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Pod

from benchmarks.worker import (
    COMMAND,
    NAMESPACE,
    POOL,
    PULL_SECRET,
    SERVICE_ACCOUNT,
    Worker,
    annotations_of,
    environment_of,
    labels_of,
    quantities_of,
)


def build(workers: list[Worker]) -> list[bytes]:
    return [msgspec.json.encode(pod_of(worker)) for worker in workers]


def decode_pods(bodies: list[bytes]) -> list[str]:
    return [decode_object(body, Pod).metadata.uid for body in bodies]


def decode_list(body: bytes) -> list[str]:
    return [pod.metadata.uid for pod in decode_list_of(body, Pod)[2]]


def decode_list_from_dicts(body: bytes) -> list[str]:
    """As a program does that has the objects as JSON."""
    return [pod.metadata.uid for pod in [Pod.from_dict(item) for item in json.loads(body)["items"]]]


def read_watch(chunks: list[bytes]) -> list[str]:
    events = (decode_watch_event(line) for line in b"".join(chunks).splitlines())
    return [decode_object(event.object, Pod).metadata.uid for event in events]


def view_list(body: bytes) -> dict[str, Any]:
    return {pod.metadata.name: pod for pod in decode_list_of(body, Pod)[2]}


def view_events(chunks: list[bytes]) -> dict[str, Any]:
    events = (decode_watch_event(line) for line in b"".join(chunks).splitlines())
    pods = (decode_object(event.object, Pod) for event in events)
    return {pod.metadata.name: pod for pod in pods}


def pod_of(worker: Worker) -> Any:
    return Pod(
        apiVersion="v1",
        kind="Pod",
        metadata=ObjectMeta(
            name=f"hodei-worker-{worker.id}",
            namespace=NAMESPACE,
            labels=labels_of(worker),
            annotations=annotations_of(worker),
        ),
        spec=core.PodSpec(
            restartPolicy="Never",
            activeDeadlineSeconds=3600,
            terminationGracePeriodSeconds=30,
            automountServiceAccountToken=False,
            enableServiceLinks=False,
            serviceAccountName=SERVICE_ACCOUNT,
            securityContext=core.PodSecurityContext(
                runAsNonRoot=True,
                runAsUser=1000,
                fsGroup=1000,
                seccompProfile=core.SeccompProfile(type="RuntimeDefault"),
            ),
            imagePullSecrets=[core.LocalObjectReference(name=PULL_SECRET)],
            nodeSelector={"pool": POOL},
            tolerations=[core.Toleration(key="pool", operator="Equal", value=POOL, effect="NoSchedule")],
            containers=[_container(worker)],
        ),
    )


def _container(worker: Worker) -> Any:
    resources = quantities_of(worker)
    return core.Container(
        name="worker",
        image=worker.image,
        command=list(COMMAND),
        env=[core.EnvVar(name=name, value=value) for name, value in environment_of(worker).items()],
        resources=core.ResourceRequirements(requests=resources, limits=resources),
        securityContext=core.SecurityContext(
            allowPrivilegeEscalation=False, capabilities=core.Capabilities(drop=["ALL"])
        ),
    )
