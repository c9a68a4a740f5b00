"""A namespace of its own on the real cluster, with Pods to read and one with a log; deleted at the end.

The Pods ask for a node that there is not, so they stay Pending and no container is started for them.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.peers.hodei import worker_spec
from benchmarks.runner import CannotRun
from benchmarks.worker import POOL, PULL_SECRET, SERVICE_ACCOUNT, workers
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_transport import KubernetesProvider

AT_A_TIME = 16
PROVIDER_ID = "kubernetes"
LABELS = {"hodei.io/managed": "true", "hodei.io/provider-id": PROVIDER_ID}
SELECTOR = ",".join(f"{name}={value}" for name, value in LABELS.items())
MARK = "benchmark"
"""The label whose change makes an event."""
PODS = 200
LINES = 50_000
_TIMEOUT = 120.0
_LOGGER = "hodei-logger"
_LINE = "INFO [worker] compiled object 3fa29c of target release, 128 of 4096"
_WRITE = f'i=0; while [ $i -lt 10 ]; do yes "{_LINE}" | head -n {LINES // 10}; i=$((i+1)); sleep 1; done'


@dataclass(frozen=True)
class Site:
    """`names`: of the Pods to read. `logger`: the Pod whose log has `LINES` lines."""

    namespace: str
    names: tuple[str, ...] = ()
    logger: str = ""

    def mark(self, value: str) -> None:
        """Changes every Pod to read, one after the other. Raises: CannotRun."""
        pods = ("pods", "--namespace", self.namespace, "--selector", SELECTOR)
        _kubectl("label", *pods, "--overwrite", f"{MARK}={value}")


def config_of(namespace: str) -> KubernetesConfig:
    return KubernetesConfig(
        namespace=namespace,
        provider_id=PROVIDER_ID,
        service_account=SERVICE_ACCOUNT,
        image_pull_secrets=[PULL_SECRET],
        node_selector={"pool": POOL},
        tolerations=[Toleration(key="pool", value=POOL, operator="Equal", effect="NoSchedule")],
    )


@contextmanager
def empty_site() -> Iterator[Site]:
    """Raises: CannotRun where there is no cluster."""
    namespace = f"hodei-bench-{secrets.token_hex(4)}"
    _kubectl("create", "namespace", namespace)
    try:
        _kubectl("create", "serviceaccount", SERVICE_ACCOUNT, "--namespace", namespace)
        yield Site(namespace)
    finally:
        _kubectl("delete", "namespace", namespace, "--wait=false")


@contextmanager
def site_with_pods() -> Iterator[Site]:
    """Raises: CannotRun."""
    with empty_site() as site, KubernetesProvider.connect(config_of(site.namespace)) as provider:
        names = tuple(provider.create_worker(worker_spec(worker)).pod_name for worker in workers(PODS))
        _until(lambda: _are_settled(site.namespace), "the scheduler has looked at every Pod")
        yield Site(site.namespace, names)


@contextmanager
def site_with_log() -> Iterator[Site]:
    """Raises: CannotRun."""
    with empty_site() as site:
        _kubectl("create", "-f", "-", text=json.dumps(_logger(site.namespace)))
        _until(lambda: _phase(site.namespace) == "Succeeded", "the log is written")
        yield Site(site.namespace, logger=_LOGGER)


def _logger(namespace: str) -> dict[str, object]:
    labels = {"app": "hodei-worker", "hodei.io/worker-id": _LOGGER, **LABELS}
    container = {"name": "worker", "image": "localhost/worker:1", "command": ["sh", "-c", _WRITE]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _LOGGER, "namespace": namespace, "labels": labels},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]},
    }


def _phase(namespace: str) -> str:
    return _kubectl("get", "pod", _LOGGER, "--namespace", namespace, "--output", "jsonpath={.status.phase}")


def _are_settled(namespace: str) -> bool:
    path = 'jsonpath={.items[*].status.conditions[?(@.type=="PodScheduled")].reason}'
    told = _kubectl("get", "pods", "--namespace", namespace, "--output", path)
    return told.split().count("Unschedulable") == PODS


def _until(is_so: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _TIMEOUT
    while not is_so():
        if time.monotonic() > end:
            raise CannotRun(f"not within {_TIMEOUT:.0f} s: {what}")
        time.sleep(0.5)


def _kubectl(*arguments: str, text: str | None = None) -> str:
    try:
        run = subprocess.run(
            ["kubectl", *arguments], input=text, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise CannotRun(f"kubectl: {error}") from None
    if run.returncode:
        raise CannotRun(f"no cluster to measure on: {(run.stderr.strip().splitlines() or ['kubectl failed'])[-1]}")
    return run.stdout
