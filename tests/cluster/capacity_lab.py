"""Nodes without a kubelet, and a plain client: enough for the scheduler to place Pods, which then stay Pending.

The nodes are tainted and labelled with a token, so that no other Pod of the cluster lands on them, and those that are
judged on no other node. A Lease that is renewed keeps them ready.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.http import Request
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_transport.connect import open_channel
from hodei_k8s_transport.drivers.host import Host
from hodei_k8s_transport.drivers.sync_driver import run

TOKEN_KEY = "judge.test/run"
RENEW_EVERY = 10.0  # seconds; a node is lost 40 to 50 s after its last sign of life
LIMIT = 60.0
Json = dict[str, Any]


class Api:
    """`api.get(path)`, `api.post(path, object)`, ... give the status and the object."""

    def __init__(self, config: KubernetesConfig) -> None:
        self._channel, _ = open_channel(config, os.environ)
        self._host = Host()

    def __call__(self, method: str, path: str, body: Json | None = None, *, patch: bool = False) -> tuple[int, Json]:
        kind = "application/merge-patch+json" if patch else "application/json"
        target, _, query = path.partition("?")
        pairs = tuple((name, value) for name, _, value in (p.partition("=") for p in query.split("&") if p))
        data = b"" if body is None else json.dumps(body).encode()
        reply = self._channel.send(Request(method, target, pairs, (("content-type", kind),), data), LIMIT)
        return reply.status, json.loads(reply.body or b"{}")

    def get(self, path: str) -> tuple[int, Json]:
        return self("GET", path)

    def post(self, path: str, body: Json) -> Json:
        status, found = self("POST", path, body)
        assert status in (200, 201), found
        return found

    def delete_now(self, path: str) -> None:
        self("DELETE", path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})

    def run(self, operation: Operation[Any]) -> Any:
        return run(operation, self._channel, self._host)

    def close(self) -> None:
        self._channel.close()


def node(token: str, name: str, allocatable: dict[str, str], **fields: Any) -> Json:
    """A node that is ready, unless `ready` says otherwise; `labels` and `taints` beside those of the token."""
    labels = {TOKEN_KEY: token, "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", **fields.get("labels", {})}
    taints = [{"key": TOKEN_KEY, "value": token, "effect": "NoSchedule"}, *fields.get("taints", [])]
    now = _now()
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    sizes = {"pods": "110", **allocatable}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints, "unschedulable": fields.get("cordoned", False)},
        "status": {
            "capacity": sizes,
            "allocatable": sizes,
            "conditions": [ready] if fields.get("ready", True) else [],
            "nodeInfo": {"containerRuntimeVersion": "containerd://2.0.0"},
        },
    }


@contextmanager
def nodes_in(api: Api, nodes: list[Json]) -> Iterator[list[str]]:
    """The nodes, there and settled, until the end of the block."""
    names = [one["metadata"]["name"] for one in nodes]
    stop = threading.Event()
    renewer = threading.Thread(target=_renew, args=(api, names, stop))
    try:
        for one in nodes:
            api.post("/api/v1/nodes", one)
            _renew_one(api, one["metadata"]["name"])
        renewer.start()
        ready = [one["metadata"]["name"] for one in nodes if one["status"]["conditions"]]
        wait(lambda: all(_is_settled(api, name) for name in ready), "the nodes became ready")
        yield names
    finally:
        stop.set()
        if renewer.ident is not None:
            renewer.join()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda name: api("DELETE", f"/api/v1/nodes/{name}"), names))
            list(pool.map(lambda name: api("DELETE", _lease(name)), names))


def wait(condition: Callable[[], bool], what: str, limit: float = LIMIT) -> None:
    until = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {limit:g} s"
        time.sleep(0.05)


def judged_config(namespace: str, token: str, **settings: Any) -> KubernetesConfig:
    """Settings whose workers go to the nodes of the token, and nowhere else."""
    return KubernetesConfig(
        namespace=namespace,
        provider_id="judge",
        node_selector={TOKEN_KEY: token},
        tolerations=[Toleration(key=TOKEN_KEY, value=token, effect="NoSchedule")],
        capacity_lifetime=0,
        **settings,
    )


def _is_settled(api: Api, name: str) -> bool:
    """Without the taints that every new node has until the controllers have seen that it is ready."""
    _, found = api.get(f"/api/v1/nodes/{name}")
    spec = found.get("spec", {})
    kept = {"node.kubernetes.io/unschedulable"} if spec.get("unschedulable") else set()
    keys = {taint["key"] for taint in spec.get("taints", ()) if taint["key"].startswith("node.kubernetes.io/")}
    return keys == kept


def _renew(api: Api, names: list[str], stop: threading.Event) -> None:
    while not stop.wait(RENEW_EVERY):
        for name in names:
            _renew_one(api, name)


def _renew_one(api: Api, name: str) -> None:
    spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": _now(micro=True)}
    status, _ = api("PATCH", _lease(name), {"spec": spec}, patch=True)
    if status == 404:
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}
        api("POST", _lease(""), body)


def _lease(name: str) -> str:
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    return f"{path}/{name}" if name else path


def _now(*, micro: bool = False) -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")
