"""Secrets are planted wherever one can be, everything goes wrong that can, and then all that a host gets to see is
looked through: values and their `repr`, errors with all that they carry, log records, observations, what is printed.
"""

from __future__ import annotations

import base64
import json
import logging
import os
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest
from typer.testing import CliRunner

from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.errors import HodeiK8sError
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_transport.access.connect import build_endpoint, load_access, sync_credentials
from hodei_k8s_transport.cli.app import app
from hodei_k8s_transport.testing.loopback import HANG_UP, LoopbackServer, Reply, reply
from tests.cluster.hosts import Host
from tests.transport.access_cases import V1, ClientAuthority
from tests.transport.api_servers import CONFIG, NO_PODS, PODS, UNAUTHORIZED, anyio_backend, host, kubeconfig_to, status
from tests.transport.seen import Seen, shown

__all__ = ["anyio_backend", "host"]
pytestmark = pytest.mark.anyio

TOKEN, FILE_TOKEN, PLUGIN_TOKEN = "planted-token", "planted-file-token", "planted-plugin-token"
PASSWORD, PROXY_PASSWORD, PLUGIN_VARIABLE = "planted-password", "planted-proxy-password", "planted-variable"
OTP, ENVIRONMENT = "planted-otp", "planted-environment"
PLUGIN_OUTPUT = "planted-plugin-output"
HURRIED = msgspec.structs.replace(CONFIG, retry=RetryPolicy(max_attempts=2, first_delay=0.01), request_timeout=1.0)
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
SPEC = WorkerSpec(worker_id="w1", image="job:1", otp_token=OTP, environment={"PASSWORD": ENVIRONMENT})
TOLD_WRONG = json.dumps({"kind": "ExecCredential", "apiVersion": "v0", "status": {"token": PLUGIN_OUTPUT}})


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    return ClientAuthority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def planted(authority: ClientAuthority) -> set[str]:
    """Everything that must not be seen; of a key every line, and of a password also its encoding."""
    _, key = authority.client_pair("one")
    lines = {line for line in key.read_text().splitlines() if not line.startswith("-")}
    basic = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    encoded_key = base64.b64encode(key.read_bytes()).decode()
    return {"planted-", basic, encoded_key[20:60], *lines}


def users(authority: ClientAuthority, directory: Path) -> dict[str, dict[str, Any]]:
    """Users with a secret each: those that work, and those that cannot."""
    certificate, key = authority.client_pair("one")
    (directory / "token").write_text(FILE_TOKEN)
    (directory / "no-token").write_text(f"{FILE_TOKEN}\nand more")

    def plugin(name: str, text: str, **more: Any) -> dict[str, Any]:
        path = directory / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o700)
        variables = [{"name": "SECRET", "value": PLUGIN_VARIABLE}]
        stanza = {"command": str(path), "apiVersion": V1, "interactiveMode": "Never", "env": variables, **more}
        return {"exec": stanza}

    answer = json.dumps({"kind": "ExecCredential", "apiVersion": V1, "status": {"token": PLUGIN_TOKEN}})
    return {
        "token": {"token": TOKEN},
        "token file": {"tokenFile": "token"},
        "password": {"username": "me", "password": PASSWORD},
        "certificate": {
            "client-certificate-data": base64.b64encode(certificate.read_bytes()).decode(),
            "client-key-data": base64.b64encode(key.read_bytes()).decode(),
        },
        "plugin": plugin("works", f"echo '{answer}'"),
        "no token in the file": {"tokenFile": "no-token"},
        "plugin that fails": plugin("fails", f"echo {PLUGIN_OUTPUT}; exit 3"),
        "plugin that answers nonsense": plugin("nonsense", f"echo '{{{PLUGIN_OUTPUT}'"),
        "plugin that answers wrong": plugin("wrong", f"echo '{TOLD_WRONG}'"),
        "plugin that is not there": plugin("x", "") | {"exec": {**plugin("x", "")["exec"], "command": "/nonexistent"}},
        "token with a fault": {"token": TOKEN, "username": "me", "password": PASSWORD},
        "token that is a number": {"token": 7, "password": PASSWORD, "client-key-data": TOKEN},
        "key that is none": {
            "client-certificate-data": base64.b64encode(certificate.read_bytes()).decode(),
            "client-key-data": base64.b64encode(PASSWORD.encode()).decode(),
        },
    }


USERS = (
    "token",
    "token file",
    "password",
    "certificate",
    "plugin",
    "no token in the file",
    "plugin that fails",
    "plugin that answers nonsense",
    "plugin that answers wrong",
    "plugin that is not there",
    "token with a fault",
    "token that is a number",
    "key that is none",
)
ANSWERS: dict[str, Any] = {
    "all is well": NO_PODS,
    "401": UNAUTHORIZED,
    "403": status(403, "Forbidden", 'pods is forbidden: User "me" cannot list resource "pods"'),
    "500": status(500, "InternalError", "etcd"),
    "422": status(422, "Invalid", 'Pod "hodei-worker-w1" is invalid: spec.containers[0].image'),
    "a page": reply(200, b"<html>", (("content-type", "text/html"),)),
    "no HTTP": Reply(b"SSH-2.0\r\n\r\n"),
    "hangs up": HANG_UP,
}


@pytest.fixture
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.parametrize("user", USERS)
async def test_nothing_planted_is_seen(
    host: Host,
    authority: ClientAuthority,
    tmp_path: Path,
    planted: set[str],
    everything_is_logged: pytest.LogCaptureFixture,
    user: str,
) -> None:
    stanza = users(authority, tmp_path)[user]
    seen = Seen()
    with LoopbackServer(authority.server_context()) as server:
        environ = {
            **kubeconfig_to(server, tmp_path, stanza, certificate_authority=str(authority.certificate)),
            "PATH": os.environ["PATH"],
            "SECRET": PLUGIN_VARIABLE,
        }
        try:
            async with host.connect(HURRIED, environ=environ, observer=seen.observations.append) as provider:
                seen.add("provider", provider._provider if host.kind == "sync" else provider)
                for name, answer in ANSWERS.items():
                    for path in (WHO, PODS):
                        server.route(path, answer)
                    await everything(provider, name, seen)
        except HodeiK8sError as error:
            seen.add("connecting", error)
        sent = " ".join(f"{request.headers} {request.body!r}" for request in server.requests)
    seen.add("observations", seen.observations)
    for record in everything_is_logged.records:
        seen.add("log", (record.getMessage(), record.args, record.exc_text))
    assert len(seen.texts) > 10
    assert not seen.leaks(planted)
    if user == "token":  # and this is not because nothing was there to be seen
        assert OTP in sent
        assert ENVIRONMENT in sent
        assert TOKEN in sent


async def everything(provider: Any, name: str, seen: Seen) -> None:
    await seen.call(f"{name}: create", provider.create_worker(SPEC))
    await seen.call(f"{name}: list", provider.list_workers())
    await seen.call(f"{name}: health", provider.health_check())
    await seen.call(f"{name}: audit", provider.audit(spec=SPEC))
    await seen.call(f"{name}: stream", first_item(provider))


async def first_item(provider: Any) -> Any:
    with anyio.move_on_after(5):
        async with provider.run_worker(SPEC) as items:
            async for item in items:
                return item
    return None


def test_nothing_planted_is_in_what_an_access_is_made_of(
    authority: ClientAuthority, tmp_path: Path, planted: set[str]
) -> None:
    """Values of the access itself hold secrets and show none."""
    seen = Seen()
    made = 0
    for name, stanza in users(authority, tmp_path).items():
        proxy = f"http://me:{PROXY_PASSWORD}@proxy:3128"
        environ = kubeconfig_to("https://k8s.example", tmp_path, stanza, proxy_url=proxy)
        try:
            access = load_access(environ=environ)
            endpoint = build_endpoint(access, environ)
            source = sync_credentials(access, environ)
        except HodeiK8sError as error:
            seen.add(name, error)
            continue
        made += 1
        seen.texts += [(name, text) for value in (access, endpoint, source, SPEC) for text in (repr(value), str(value))]
        seen.texts += [(name, text) for text in shown(access)]
    assert made > 5
    assert not seen.leaks(planted)


@pytest.mark.parametrize("user", ["token", "password", "plugin that fails", "token with a fault"])
@pytest.mark.parametrize("command", ["doctor", "health", "list", "rbac"])
def test_nothing_planted_is_printed(
    authority: ClientAuthority,
    tmp_path: Path,
    planted: set[str],
    monkeypatch: pytest.MonkeyPatch,
    user: str,
    command: str,
) -> None:
    with LoopbackServer(authority.server_context()) as server:
        server.route(PODS, UNAUTHORIZED)
        environ = kubeconfig_to(
            server, tmp_path, users(authority, tmp_path)[user], certificate_authority=str(authority.certificate)
        )
        monkeypatch.setenv("KUBECONFIG", environ["KUBECONFIG"])
        result = CliRunner().invoke(app, [command])
    assert result.output
    assert not [secret for secret in planted if secret in result.output]


def test_a_leak_is_found() -> None:
    seen = Seen()
    seen.add("x", {"a": [msgspec.structs.replace(SPEC, worker_id="planted-id")]})
    seen.add("y", SPEC)
    assert {whence for whence, _, _ in seen.leaks({"planted-id"})} == {"x"}
