"""The standard library alone: the floor, for a program that needs no more."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

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

_STAMP = len("2026-11-23T14:00:59.390941881Z")


def build(workers: list[Worker]) -> list[bytes]:
    return [json.dumps(pod_of(worker), separators=(",", ":")).encode() for worker in workers]


def pod_of(worker: Worker) -> dict[str, Any]:
    resources = quantities_of(worker)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"hodei-worker-{worker.id}",
            "namespace": NAMESPACE,
            "labels": labels_of(worker),
            "annotations": annotations_of(worker),
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": 3600,
            "terminationGracePeriodSeconds": 30,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "serviceAccountName": SERVICE_ACCOUNT,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "imagePullSecrets": [{"name": PULL_SECRET}],
            "nodeSelector": {"pool": POOL},
            "tolerations": [{"key": "pool", "operator": "Equal", "value": POOL, "effect": "NoSchedule"}],
            "containers": [
                {
                    "name": "worker",
                    "image": worker.image,
                    "command": list(COMMAND),
                    "env": [{"name": name, "value": value} for name, value in environment_of(worker).items()],
                    "resources": {"requests": resources, "limits": resources},
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }


def decode_pods(bodies: list[bytes]) -> list[str]:
    return [json.loads(body)["metadata"]["uid"] for body in bodies]


def decode_list(body: bytes) -> list[str]:
    return [pod["metadata"]["uid"] for pod in json.loads(body)["items"]]


def read_watch(chunks: list[bytes]) -> list[str]:
    return [json.loads(line)["object"]["metadata"]["uid"] for line in b"".join(chunks).splitlines()]


def slice_log(chunks: list[bytes]) -> list[str]:
    """The messages alone: the timestamps are cut off and looked at no further."""
    return [line[_STAMP + 1 :] for line in b"".join(chunks).decode().splitlines()]


def slice_log_in_two(chunks: list[bytes]) -> list[tuple[str, str]]:
    return [(line[:_STAMP], line[_STAMP + 1 :]) for line in b"".join(chunks).decode().splitlines()]


def read_log(chunks: list[bytes]) -> list[tuple[dt.datetime, str]]:
    """With times as `datetime`, which drops three of their digits."""
    parse = dt.datetime.fromisoformat
    return [(parse(line[:_STAMP]), line[_STAMP + 1 :]) for line in b"".join(chunks).decode().splitlines()]
