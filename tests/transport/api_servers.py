"""An API server on loopback that knows no more than an empty list of Pods, and kubeconfigs that lead to it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_transport.testing.loopback import LoopbackServer, ReceivedRequest, Reply, reply
from tests.cluster.hosts import HOSTS, Host
from tests.transport.access_cases import write_kubeconfig

JSON = (("content-type", "application/json"),)
PODS = "/api/v1/namespaces/hodei-workers/pods"
NAMESPACE = "/api/v1/namespaces/hodei-workers"
NO_PODS = reply(200, b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}', JSON)
CONFIG = KubernetesConfig(provider_id="tests", operation_timeout=5.0, request_timeout=2.0)


def status(code: int, reason: str, message: str) -> Reply:
    """A refusal as an API server words it."""
    body = {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code}
    return reply(code, json.dumps(body).encode(), JSON)


UNAUTHORIZED = status(401, "Unauthorized", "Unauthorized")


def when(accepts: Callable[[ReceivedRequest], bool]) -> Callable[[ReceivedRequest], Reply]:
    """A route: an empty list for requests that are accepted, 401 for the others."""
    return lambda request: NO_PODS if accepts(request) else UNAUTHORIZED


def api_server(tls: ssl.SSLContext | None = None, pods: Any = NO_PODS) -> LoopbackServer:
    server = LoopbackServer(tls)
    server.route(PODS, pods)
    return server


def kubeconfig_to(
    server: LoopbackServer | str, directory: Path, user: dict[str, Any], **cluster: Any
) -> dict[str, str]:
    """The environment in which that server (or URL) is the current context."""
    url = server if isinstance(server, str) else server.url
    written = {name.replace("_", "-"): value for name, value in cluster.items()}
    return {"KUBECONFIG": str(write_kubeconfig(directory, user, {"server": url, **written}))}


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> Host:
    """Each of the three hosts in turn."""
    return Host(request.param, CONFIG)


@pytest.fixture
def anyio_backend(host: Host) -> str:
    return "trio" if host.kind == "trio" else "asyncio"
