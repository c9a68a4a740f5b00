"""Kubeconfigs on disk, plugins as small scripts, and credential sources for all three hosts."""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.access.cluster_access import ClusterAccess
from hodei_k8s_core.errors import TransportError, TransportFault
from hodei_k8s_transport.access.async_credentials import RefreshingAsyncCredentials
from hodei_k8s_transport.access.connect import load_access
from hodei_k8s_transport.access.keeper import CredentialKeeper
from hodei_k8s_transport.access.sync_credentials import RefreshingCredentials
from hodei_k8s_transport.testing.never_suspending import NeverSuspending
from tests.transport.certificates import Authority
from tests.transport.sides import AsyncSide, SyncSide

V1 = "client.authentication.k8s.io/v1"


class Clock:
    """A clock that stands still until it is moved. Seconds since the epoch."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def write_kubeconfig(directory: Path, user: dict[str, Any], cluster: dict[str, Any] | None = None) -> Path:
    path = directory / "config"
    path.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": "https://k8s.example", **(cluster or {})}}],
                "users": [{"name": "u", "user": user}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    return path


def access_to(directory: Path, user: dict[str, Any], cluster: dict[str, Any] | None = None) -> ClusterAccess:
    return load_access(kubeconfig_path=write_kubeconfig(directory, user, cluster), environ={})


def source_on(
    side: SyncSide | AsyncSide,
    access: ClusterAccess,
    clock: Callable[[], float] | None = None,
    timeout: float = 20.0,
) -> Any:
    """A source whose methods are awaited, on threads too."""
    environ = {"PATH": os.environ["PATH"]}
    keeper = CredentialKeeper(access, environ, clock) if clock else CredentialKeeper(access, environ)
    if isinstance(side, SyncSide):
        return NeverSuspending(RefreshingCredentials(keeper, timeout))
    return RefreshingAsyncCredentials(keeper, timeout)


class Plugin:
    """A script that answers with the token `t-N` in its Nth run; `first` and `then` are what it does before."""

    def __init__(self, directory: Path, *, first: str = "", then: str = "", status: str = "", answer: str = "") -> None:
        self._runs = directory / "runs"
        self._runs.touch()
        script = directory / "plugin"
        answer = answer or (
            f'echo "{{\\"kind\\": \\"ExecCredential\\", \\"apiVersion\\": \\"{V1}\\", '
            f'\\"status\\": {{{status} \\"token\\": \\"t-$n\\"}}}}"'
        )
        script.write_text(
            f"#!/bin/sh\necho $$ >>{self._runs}\nn=$(wc -l <{self._runs})\n"
            f"if [ $n = 1 ]; then :; {first}\nelse :; {then}\nfi\n{answer}\n"
        )
        script.chmod(0o700)
        self.user: dict[str, Any] = {"exec": {"command": "./plugin", "apiVersion": V1, "interactiveMode": "Never"}}

    @property
    def process_ids(self) -> list[int]:
        return [int(line) for line in self._runs.read_text().split()]

    @property
    def runs(self) -> int:
        return len(self.process_ids)


def expiring_at(timestamp: str) -> str:
    return f'\\"expirationTimestamp\\": \\"{timestamp}\\",'


def ends_soon(process_id: int) -> bool:
    """The process has been killed: it is gone within seconds."""
    deadline = time.monotonic() + 5
    while _is_alive(process_id):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _is_alive(process_id: int) -> bool:
    """A process that nobody has waited for yet is a zombie: it has ended too."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def token(credential: Any) -> str:
    return str(dict(credential.headers)["authorization"]).removeprefix("Bearer ")


async def failure(call: Callable[[], Coroutine[Any, Any, Any]]) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await call()
    assert caught.value.fault is TransportFault.CREDENTIALS
    return caught.value


class ClientAuthority(Authority):
    """One that also signs for clients, and looks at what they show."""

    def client_pair(self, name: str, *, days: int = 2) -> tuple[Path, Path]:
        """Certificate (good for `days` days) and key of a client; the files are kept under its name."""
        certificate, key = self._directory / f"{name}.crt", self._directory / f"{name}.key"
        if not certificate.exists():
            new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
            self._openssl("req", *new_key, "-keyout", key.name, "-out", f"{name}.csr", "-subj", f"/CN={name}")
            self._openssl(
                *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
                *("-out", certificate.name, "-days", str(days)),
            )
        return certificate, key

    def encrypt(self, key: Path) -> Path:
        """The same key behind a passphrase."""
        self._openssl("ec", "-in", str(key), "-aes256", "-passout", "pass:hunter", "-out", "locked.key")
        return self._directory / "locked.key"

    def client_name_seen(self, client: ssl.SSLContext) -> str:
        """Who a server that asks for a certificate takes the client for. Raises: `ssl.SSLError`."""
        server = self.server_context()
        server.load_verify_locations(self.certificate)
        server.verify_mode = ssl.CERT_REQUIRED
        subject = handshake(client, server)["subject"]
        return str(dict(field for fields in subject for field in fields)["commonName"])


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str = "localhost") -> Any:
    """Shake hands in memory: the certificate that the server saw. Raises: `ssl.SSLError`."""
    upwards, downwards = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(downwards, upwards, server_hostname=name)
    other = server.wrap_bio(upwards, downwards, server_side=True)
    waiting = [one, other]
    while waiting:
        for end in tuple(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                pass
    return other.getpeercert()
