"""Every way to be somebody, to a real API server: who we are there, and what is said where we cannot get in."""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import AuthenticationFailed, ConnectionFailed, PermissionDenied, TransportFault
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_transport.access.connect import load_access
from hodei_k8s_transport.connect import async_channel_to, channel_to
from tests.cluster.accounts import Accounts, service_account_mount, who
from tests.cluster.go_betweens import ConnectProxy, ReverseProxy
from tests.cluster.hosts import Host
from tests.cluster.lab import Kubectl
from tests.transport.certificates import Authority

pytestmark = pytest.mark.anyio
AGENT = "hodei-agent"
SOON = 20.0  # seconds until the API server has heard of a change of RBAC


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory, kubectl: Kubectl, config: KubernetesConfig) -> Accounts:
    made = Accounts(tmp_path_factory.mktemp("identities"), kubectl, config)
    made.permitted(AGENT)
    return made


@pytest.fixture(scope="module")
def token(accounts: Accounts) -> str:
    return accounts.token(AGENT)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def ca_data(authority: Authority) -> str:
    return base64.b64encode(authority.certificate.read_bytes()).decode()


async def test_a_client_certificate(host: Host, accounts: Accounts) -> None:
    async with host.connect(environ=accounts.environ(accounts.real.user)) as provider:
        assert await who(provider) == "admin"


async def test_a_service_account_with_nothing_but_what_rbac_prints(
    host: Host, accounts: Accounts, token: str, new_spec: Callable[..., WorkerSpec]
) -> None:
    """The audit finds nothing missing, and a worker lives its life."""
    async with host.connect(environ=accounts.environ({"token": token})) as provider:
        assert await who(provider) == accounts.user_of(AGENT)
        report = await provider.audit()
        assert {step.status.value for step in report.steps} == {"ok"}, report
        handle = await provider.create_worker(new_spec("sleep 60"))
        assert [info.handle.pod_uid for info in await provider.list_workers()] == [handle.pod_uid]
        await provider.get_worker_logs(handle)
        await provider.assign_job(handle, "job-1")
        await provider.destroy_worker(handle, grace_period=1)
        assert await provider.get_worker_status(handle) is WorkerState.TERMINATED


async def test_a_plugin_whose_token_lasts_for_seconds(host: Host, accounts: Accounts, token: str) -> None:
    user, runs = accounts.plugin(token, seconds=1)
    async with host.connect(environ=accounts.environ(user)) as provider:
        until = time.monotonic() + 3.5
        while time.monotonic() < until:
            await provider.list_workers()
            await anyio.sleep(0.05)
    assert 2 <= len(runs.read_text().splitlines()) <= 5


async def test_a_plugin_with_a_client_certificate(host: Host, accounts: Accounts) -> None:
    user = accounts.real.plugin(accounts.real.credential())
    async with host.connect(environ=accounts.environ(user)) as provider:
        assert await who(provider) == "admin"


@pytest.fixture(scope="module")
def impersonated(accounts: Accounts, namespace: str) -> Iterator[str]:
    """Whom the agent may be in place of itself: a user of this session's own, and nobody else."""
    name = f"someone-{namespace}"
    rules = [{"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": [name]}]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}}
    subject = {"kind": "ServiceAccount", "name": AGENT, "namespace": namespace}
    binding = {
        **role,
        "kind": "ClusterRoleBinding",
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [subject],
    }
    for manifest in ({**role, "rules": rules}, binding):
        accounts.kubectl.apply(manifest)
    try:
        yield name
    finally:
        accounts.kubectl("delete", "clusterrole,clusterrolebinding", name)


async def test_impersonation_that_a_role_allows(host: Host, accounts: Accounts, token: str, impersonated: str) -> None:
    async with host.connect(environ=accounts.environ({"token": token, "as": impersonated})) as provider:
        with anyio.fail_after(SOON):
            while not await _is(provider, impersonated):
                await anyio.sleep(0.1)
        with pytest.raises(PermissionDenied, match=impersonated):  # it is really that user, who may do nothing
            await provider.list_workers()


async def test_impersonation_that_no_role_allows(host: Host, accounts: Accounts, token: str, impersonated: str) -> None:
    async with host.connect(environ=accounts.environ({"token": token, "as": f"not-{impersonated}"})) as provider:
        with pytest.raises(PermissionDenied, match="cannot impersonate") as caught:
            await provider.list_workers()
        assert "config-" in caught.value.target
        (failed,) = (await provider.audit()).failures
    assert failed.name == "authentication"
    assert "permit this user to impersonate" in failed.mend


async def _is(provider: Any, user: str) -> bool:
    steps = (await provider.audit(features=())).steps
    return any(step.name == "authentication" and f"for {user}" in step.detail for step in steps)


async def test_in_a_pod(host: Host, accounts: Accounts, token: str, tmp_path: Path) -> None:
    """Files and variables as a Pod has them, below a temporary root."""
    ca = Path(accounts.real.ca_file).read_text()
    mount = service_account_mount(tmp_path, f"{token}\n", ca, accounts.config.namespace)
    server = urlsplit(accounts.real.cluster["server"])
    environ = {
        "KUBERNETES_SERVICE_HOST": str(server.hostname),
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "HOME": str(tmp_path),
    }
    access = load_access(environ=environ, service_account_directory=mount)
    assert access.namespace == accounts.config.namespace
    make: Any = channel_to if host.kind == "sync" else async_channel_to
    channel, target = make(access, accounts.config, environ)
    assert str(target).endswith("as the Pod's own service account")
    async with host.connect(channel=channel) as provider:
        assert await who(provider) == accounts.user_of(AGENT)
        assert await provider.list_workers() == []


async def test_through_a_proxy(host: Host, accounts: Accounts, token: str) -> None:
    with ConnectProxy() as proxy:
        environ = accounts.environ({"token": token}, lambda cluster: cluster.update({"proxy-url": proxy.url}))
        async with host.connect(environ=environ) as provider:
            report = await provider.audit()
    assert report.is_sound
    assert f"through {proxy.url}" in report.target
    server = urlsplit(accounts.real.cluster["server"])
    assert set(proxy.seen) == {f"CONNECT {server.netloc} HTTP/1.1"}


def onward(accounts: Accounts) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=accounts.real.ca_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def behind(proxy: ReverseProxy, authority: Authority) -> Callable[[dict[str, Any]], None]:
    return lambda cluster: cluster.update({"server": proxy.url, "certificate-authority-data": ca_data(authority)})


async def test_with_a_path_prefix(host: Host, accounts: Accounts, token: str, authority: Authority) -> None:
    server = accounts.real.cluster["server"]
    with ReverseProxy(server, "/k8s/clusters/c-1", authority.server_context(), onward(accounts)) as proxy:
        environ = accounts.environ({"token": token}, behind(proxy, authority))
        async with host.connect(environ=environ) as provider:
            assert await who(provider) == accounts.user_of(AGENT)
            assert await provider.list_workers() == []
    assert all(line.split(" ")[1].startswith("/k8s/clusters/c-1/") for line in proxy.seen)


async def test_an_expired_certificate(host: Host, accounts: Accounts, token: str, authority: Authority) -> None:
    server = accounts.real.cluster["server"]
    with ReverseProxy(server, "", authority.server_context(days=0), onward(accounts)) as proxy:
        environ = accounts.environ({"token": token}, behind(proxy, authority))
        error = await refused(host, environ, TransportFault.TLS_EXPIRED, "certificate has expired")
        assert proxy.url in error.target
        async with host.connect(environ=environ) as provider:
            (failed,) = (await provider.audit()).failures
        assert "the server's certificate expired on 20" in failed.detail


async def test_a_wrong_authority(host: Host, accounts: Accounts, token: str, authority: Authority) -> None:
    wrong = {"certificate-authority-data": ca_data(authority)}
    environ = accounts.environ({"token": token}, lambda cluster: cluster.update(wrong))
    error = await refused(host, environ, TransportFault.TLS_UNTRUSTED, "certificate-authority")
    assert accounts.real.cluster["server"] in error.target
    assert environ["KUBECONFIG"] in error.target


async def test_a_wrong_name(host: Host, accounts: Accounts, token: str) -> None:
    environ = accounts.environ({"token": token}, lambda cluster: cluster.update({"tls-server-name": "example.org"}))
    await refused(host, environ, TransportFault.TLS_NAME, "tls-server-name")


async def refused(host: Host, environ: dict[str, str], fault: TransportFault, words: str) -> ConnectionFailed:
    """The error of a call there, after the audit has found the same, at the step `tls`."""
    async with host.connect(environ=environ) as provider:
        with pytest.raises(ConnectionFailed, match=words) as caught:
            await provider.list_workers()
        assert caught.value.failure is not None
        assert caught.value.failure.fault is fault
        assert caught.value.attempts == 1
        (failed,) = (await provider.audit()).failures
    assert failed.name == "tls"
    assert failed.mend == caught.value.mend
    return caught.value


async def test_a_token_that_is_none(host: Host, accounts: Accounts) -> None:
    environ = accounts.environ({"token": "hunter2"})
    async with host.connect(environ=environ) as provider:
        with pytest.raises(AuthenticationFailed, match="does not accept the credentials") as caught:
            await provider.list_workers()
        (failed,) = (await provider.audit()).failures
    assert failed.name == "authentication"
    assert "hunter2" not in f"{caught.value} {failed}"
    assert environ["KUBECONFIG"] in caught.value.target


@pytest.mark.parametrize("host", ["sync"], indirect=True)
async def test_each_permission_that_is_taken_away_is_named(host: Host, accounts: Accounts) -> None:
    account = accounts.permitted("hodei-poorer")
    role = accounts.kubectl.json("get", "role", account)
    environ = accounts.environ({"token": accounts.token(account)})
    async with host.connect(environ=environ) as provider:
        assert all(step.status.value == "ok" for step in (await provider.audit()).steps)
        for left_out in role["rules"]:
            rules = [rule for rule in role["rules"] if rule != left_out]
            accounts.kubectl.apply({**role, "rules": rules, "metadata": {"name": account}})
            with anyio.fail_after(SOON):
                while not (named := await _missing(provider)):
                    await anyio.sleep(0.1)
            (resource,) = left_out["resources"]
            assert {name.rpartition(":")[2] for name in named} == {resource}, named


async def _missing(provider: Any) -> list[str]:
    steps = (await provider.audit()).steps
    return [step.name for step in steps if step.status.value in ("failed", "warning") and ":" in step.name]
