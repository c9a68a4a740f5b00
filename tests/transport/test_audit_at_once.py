"""The audit over real connections, on each host: its questions wait for their answers at the same time."""

from __future__ import annotations

import json
import ssl
import threading
from pathlib import Path

import msgspec
import pytest

from hodei_k8s_core.coordinators.audit import AT_ONCE
from hodei_k8s_core.permissions import RULES, Feature
from hodei_k8s_transport.testing.loopback import LoopbackServer, ReceivedRequest, Reply, reply
from tests.cluster.hosts import Host
from tests.transport.api_servers import CONFIG, JSON, NAMESPACE, PODS, anyio_backend, host, kubeconfig_to

__all__ = ["anyio_backend", "host"]
pytestmark = pytest.mark.anyio

WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
MAY = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
LIMIT = 1.5
"""Seconds that an answer waits for the others; below the test settings' request timeout."""


def answer(value: object, code: int = 200) -> Reply:
    return reply(code, json.dumps(value).encode(), JSON)


class Together:
    """Answers once so many wait for an answer at the same time, and then for good; after `LIMIT` it says no."""

    def __init__(self, enough: int) -> None:
        self.most = 0
        self._enough = enough
        self._waiting = 0
        self._changed = threading.Condition()

    def __call__(self, _: ReceivedRequest) -> Reply:
        with self._changed:
            self._waiting += 1
            self.most = max(self.most, self._waiting)
            self._changed.notify_all()
            were_enough = self._changed.wait_for(lambda: self.most >= self._enough, LIMIT)
            self._waiting -= 1
        return answer({"status": {"allowed": were_enough}}, 201)


def api_server_with(permissions: Together, tls: ssl.SSLContext | None = None) -> LoopbackServer:
    """One that an audit finds nothing wrong with."""
    server = LoopbackServer(tls)
    server.route(WHO, answer({"status": {"userInfo": {"username": "me"}}}, 201))
    server.route(NAMESPACE, answer({"kind": "Namespace", "status": {"phase": "Active"}}))
    server.route(PODS, answer({"kind": "Pod"}, 201))
    server.route("/version", answer({"major": "1", "minor": "36", "gitVersion": "v1.36.3"}))
    server.route(MAY, permissions)
    return server


@pytest.mark.parametrize("http", ["httpx", "h11"])
async def test_permissions_are_asked_for_at_the_same_time(host: Host, tmp_path: Path, http: str) -> None:
    config = msgspec.structs.replace(CONFIG, http=http)
    together = Together(AT_ONCE)
    with api_server_with(together) as server:
        async with host.connect(config, environ=kubeconfig_to(server, tmp_path, {})) as provider:
            report = await provider.audit(features=set(Feature))
        assert server.wait_until(lambda: server.open_connections == 0)
    permissions = [step for step in report.steps if step.name.startswith("permission:")]
    assert len(permissions) == len(RULES)
    assert report.is_sound
    assert [step.name for step in report.steps][-1] == "version"
    assert together.most == AT_ONCE
