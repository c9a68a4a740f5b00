"""`kubernetes`, the official client, in threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubernetes import client, config, watch

from benchmarks.cluster.site import AT_A_TIME, MARK, SELECTOR
from benchmarks.peers import generated_models
from benchmarks.worker import Worker


@contextmanager
def connect(namespace: str) -> Iterator[Client]:
    settings = client.Configuration()
    config.load_kube_config(client_configuration=settings)
    settings.connection_pool_maxsize = AT_A_TIME  # or threads throw connections away
    with client.ApiClient(settings) as api:
        yield Client(client.CoreV1Api(api), namespace)


class Client:
    def __init__(self, api: Any, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    def create(self, worker: Worker) -> str:
        pod = generated_models.pod(client, worker)
        pod.metadata.namespace = self._namespace
        return str(self._api.create_namespaced_pod(self._namespace, pod).metadata.name)

    def get(self, name: str) -> str:
        return str(self._api.read_namespaced_pod(name, self._namespace).metadata.name)

    def delete(self, name: str) -> None:
        self._api.delete_namespaced_pod(name, self._namespace)

    def count(self, _: object) -> int:
        return len(self._api.list_namespaced_pod(self._namespace, label_selector=SELECTOR).items)

    def changes(self) -> Iterator[tuple[str, str]]:
        stream = watch.Watch().stream(self._api.list_namespaced_pod, self._namespace, label_selector=SELECTOR)
        for event in stream:
            meta = event["object"].metadata
            yield meta.name, meta.labels.get(MARK, "")

    def lines(self, name: str) -> Iterator[str]:
        stream = watch.Watch().stream(self._api.read_namespaced_pod_log, name, self._namespace, timestamps=True)
        yield from stream
