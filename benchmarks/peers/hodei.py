"""This library."""

from __future__ import annotations

from benchmarks.worker import COMMAND, NAMESPACE, POOL, PROVIDER_ID, PULL_SECRET, SERVER, SERVICE_ACCOUNT, Worker
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.lines import LineSplitter, LogLineSplitter
from hodei_k8s_core.log_line import parse_log_lines
from hodei_k8s_core.manifest import encode_worker_pod
from hodei_k8s_core.pod import parse_pod, parse_pod_list
from hodei_k8s_core.requests import create_pod
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.watch_event import Added, Deleted, Modified, parse_watch_event
from hodei_k8s_core.worker import LogEntry

_CONFIG = KubernetesConfig(
    namespace=NAMESPACE,
    provider_id=PROVIDER_ID,
    service_account=SERVICE_ACCOUNT,
    image_pull_secrets=[PULL_SECRET],
    node_selector={"pool": POOL},
    tolerations=[Toleration(key="pool", value=POOL, operator="Equal", effect="NoSchedule")],
)


def worker_spec(worker: Worker) -> WorkerSpec:
    return WorkerSpec(
        worker_id=worker.id,
        image=worker.image,
        server_address=SERVER,
        resources=ResourceRequirements(
            cpu_cores=worker.milli_cores / 1000, memory_bytes=worker.mebibytes * 2**20, disk_bytes=2**30
        ),
        labels={"team": worker.team},
        environment=worker.environment,
        otp_token=worker.otp,
        command=COMMAND,
    )


def with_specs(workers: list[Worker]) -> list[tuple[WorkerSpec, str]]:
    return [(worker_spec(worker), worker.token) for worker in workers]


def build(specs: list[tuple[WorkerSpec, str]]) -> list[bytes]:
    return [create_pod(NAMESPACE, encode_worker_pod(spec, _CONFIG, creation_token=token)).body for spec, token in specs]


def build_from_values(workers: list[Worker]) -> list[bytes]:
    """With the making and the validation of every `WorkerSpec`."""
    return [
        create_pod(NAMESPACE, encode_worker_pod(worker_spec(worker), _CONFIG, creation_token=worker.token)).body
        for worker in workers
    ]


def decode_pods(bodies: list[bytes]) -> list[str]:
    return [parse_pod(body).metadata.uid for body in bodies]


def decode_list(body: bytes) -> list[str]:
    return [pod.metadata.uid for pod in parse_pod_list(body).items]


def read_watch(chunks: list[bytes]) -> list[str]:
    splitter = LineSplitter()
    events = (parse_watch_event(line) for chunk in chunks for line in splitter.feed(chunk))
    return [event.pod.metadata.uid for event in events if isinstance(event, Added | Modified | Deleted)]


def read_log(chunks: list[bytes]) -> list[LogEntry]:
    splitter = LogLineSplitter()
    entries: list[LogEntry] = []
    for chunk in chunks:
        entries += parse_log_lines(splitter.feed(chunk))
    return entries
