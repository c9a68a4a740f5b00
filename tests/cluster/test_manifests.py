"""Every Pod that a worker can be: accepted by the API server as it is, under the *restricted* Pod Security Standard;
and some really run. What is asked is the Pod, and not the host, so one host will do.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.errors import NotReady
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.spec.environment_source import ConfigMapKey, SecretKey, WholeConfigMap, WholeSecret
from hodei_k8s_core.spec.host_names import DnsConfig, DnsOption, HostAlias
from hodei_k8s_core.spec.projected_volume import (
    DownwardFile,
    ProjectedConfigMap,
    ProjectedSecret,
    ProjectedVolume,
    ServiceAccountToken,
)
from hodei_k8s_core.spec.readiness_probe import HttpProbe, ReadinessProbe
from hodei_k8s_core.spec.sidecar import Sidecar
from hodei_k8s_core.spec.volume_spec import ConfigMapVolume, EphemeralVolume, SecretVolume
from hodei_k8s_core.verdict import Category
from hodei_k8s_core.worker import WorkerInfo, WorkerState
from tests.cluster.capacity_lab import Api
from tests.cluster.conftest import IMAGE, NAMESPACE_LIMIT, _wait_for_account
from tests.cluster.hosts import Host
from tests.cluster.lab import Kubectl
from tests.manifest_variants import CLASSES, UNRESTRICTED, variants

NewSpec = Callable[..., WorkerSpec]
VARIANTS = variants(KubernetesConfig())
SETTINGS = {"greeting": "hello", "other.key": "two\nlines"}
NOTHING = {"value": "", "initialDelaySeconds": 0}
"""What says the same as no such field, and is not stored."""
DATABASE = (
    "echo serving; echo rows > /data/table; httpd -p 5432 -h /data; trap 'exit 0' TERM; while :; do sleep 0.1; done"
)

FOLDER = ProjectedVolume(
    name="all",
    mount_path="/all",
    sources=[
        ProjectedConfigMap(config_map="settings", items={"other.key": "config/other"}),
        ProjectedSecret(secret="settings", items={"greeting": "secret"}),
        DownwardFile(path="name", field="metadata.name"),
        DownwardFile(path="memory", field="limits.memory"),
        ServiceAccountToken(audience="vault", expiration_seconds=600),
    ],
)


@pytest.fixture
def host(config: KubernetesConfig) -> Host:
    return Host("asyncio", config)


@pytest.fixture(scope="module")
def restricted(kubeconfig: Path) -> Iterator[str]:
    """A namespace that refuses what is not restricted, with a ConfigMap and a Secret; and the classes of the table."""
    name = f"hodei-test-manifest-{secrets.token_hex(4)}"
    kubectl = Kubectl(kubeconfig)
    priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": 1, "description": "of a test"}
    runtime = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": "runc"}
    kubectl("create", "namespace", name)
    try:
        for one in (priority, runtime):
            kubectl.apply({**one, "metadata": {"name": CLASSES}})
        kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
        _wait_for_account(kubectl.in_namespace(name))
        for kind, field in (("ConfigMap", "data"), ("Secret", "stringData")):
            made = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "settings", "namespace": name}}
            kubectl.apply({**made, field: SETTINGS})
        yield name
    finally:
        kubectl.run("delete", "priorityclass,runtimeclass", CLASSES, "--ignore-not-found")
        kubectl("delete", "namespace", name, f"--timeout={NAMESPACE_LIMIT}s", limit=NAMESPACE_LIMIT + 10)


@pytest.fixture(scope="module")
def api(kubeconfig: Path) -> Iterator[Api]:
    channel = Api(KubernetesConfig())
    yield channel
    channel.close()


# --- what the API server says


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_accepted_as_it_is(name: str, restricted: str, api: Api) -> None:
    """By a dry run, where a field that is not known is an error; and nothing that was sent comes back otherwise."""
    spec, config = VARIANTS[name]
    sent = build_worker_pod(spec, msgspec.structs.replace(config, namespace=restricted), creation_token="t")
    path = f"/api/v1/namespaces/{restricted}/pods?dryRun=All&fieldValidation=Strict"
    status, answer = api("POST", path, sent)
    if name.removesuffix(", configured") in UNRESTRICTED:
        assert (status, answer["reason"]) == (403, "Forbidden"), answer
        assert "violates PodSecurity" in answer["message"]
    else:
        assert status == 201, answer
        assert lost(sent, answer, "pod") == []


def lost(sent: Any, stored: Any, path: str) -> list[str]:
    """What came back otherwise than it was sent. The server only adds, to a list behind what is there."""
    if isinstance(sent, dict) and isinstance(stored, dict):
        return [found for key, part in sent.items() for found in lost(part, stored.get(key), f"{path}.{key}")]
    if isinstance(sent, list) and isinstance(stored, list) and len(stored) >= len(sent):
        return [found for n, part in enumerate(sent) for found in lost(part, stored[n], f"{path}[{n}]")]
    if stored is None and NOTHING.get(path.rpartition(".")[2]) == sent:
        return []
    return [] if sent == stored else [f"{path}: {sent!r} became {stored!r}"]


# --- what really runs


@pytest.mark.anyio
async def test_files_and_variables_of_config_maps_and_secrets(host: Host, restricted: str, new_spec: NewSpec) -> None:
    script = (
        "cat /mnt/files/greeting /mnt/keys/renamed; echo; ls /mnt/keys; cat /all/config/other; echo;"
        " cat /all/secret; echo; cat /all/name; echo; cat /all/memory; echo; cut -d. -f2 /all/token | wc -c;"
        ' echo "$A/$B/$S_greeting/$greeting/$HODEI_WORKER_ID/${GONE-none}"'
    )
    spec = new_spec(
        script,
        environment_from={
            "A": SecretKey(secret="settings", key="greeting"),
            "B": ConfigMapKey(config_map="settings", key="greeting"),
            "GONE": SecretKey(secret="settings", key="absent", optional=True),
        },
        environment_sources=[
            WholeSecret(secret="settings", prefix="S_"),
            WholeConfigMap(config_map="settings"),
            WholeConfigMap(config_map="absent", optional=True),
        ],
        volumes=[
            ConfigMapVolume(name="files", config_map="settings"),
            SecretVolume(name="keys", secret="settings", items={"greeting": "renamed"}, mode=0o440),
            FOLDER,
        ],
    )
    ended, lines = await run_to_its_end(host, restricted, spec)
    assert ended.exit_code == 0, lines
    assert lines[:-2] == [
        "hellohello",
        "renamed",
        "two",
        "lines",
        "hello",
        f"hodei-worker-{spec.worker_id}",
        "536870912",
    ]
    assert int(lines[-2]) > 100, "the claims of a token"
    assert lines[-1] == f"hello/hello/hello/hello/{spec.worker_id}/none"


@pytest.mark.anyio
async def test_no_source_of_the_environment_changes_what_is_hodeis(
    host: Host, restricted: str, kubectl: Kubectl, new_spec: NewSpec
) -> None:
    forged = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"HODEI_WORKER_ID": "forged", "OWN": "forged"}}
    kubectl.in_namespace(restricted).apply({**forged, "metadata": {"name": "forged"}})
    spec = new_spec(
        'echo "$HODEI_WORKER_ID $OWN"',
        environment={"OWN": "own"},
        environment_sources=[WholeConfigMap(config_map="forged")],
    )
    _, lines = await run_to_its_end(host, restricted, spec)
    assert lines == [f"{spec.worker_id} own"]


@pytest.mark.anyio
async def test_names_and_memory_and_confinement(host: Host, restricted: str, new_spec: NewSpec) -> None:
    spec = new_spec(
        "grep 10.1.2.3 /etc/hosts | tr '\\t' ' '; cat /etc/resolv.conf;"
        " grep ' /mnt/fast ' /proc/mounts | cut -d' ' -f3;"
        " grep -E 'NoNewPrivs|CapEff|Seccomp:' /proc/self/status | tr -d '\\t'",
        host_aliases=[HostAlias(ip="10.1.2.3", hostnames=["db", "db.local"])],
        dns_policy="None",
        dns_config=DnsConfig(
            nameservers=["10.0.0.10"], searches=["ci.local"], options=[DnsOption(name="ndots", value="2")]
        ),
        volumes=[EphemeralVolume(name="fast", in_memory=True, size_limit=1024**2)],
        priority_class=CLASSES,
    )
    ended, lines = await run_to_its_end(host, restricted, spec)
    assert ended.exit_code == 0
    assert lines[:5] == ["10.1.2.3 db db.local", "search ci.local", "nameserver 10.0.0.10", "options ndots:2", "tmpfs"]
    assert sorted(lines[5:]) == ["CapEff:0000000000000000", "NoNewPrivs:1", "Seccomp:2"]


def database(**fields: Any) -> Sidecar:
    serving = ReadinessProbe(http=HttpProbe(path="/table", port=5432), period_seconds=1, failure_threshold=30)
    defaults: dict[str, Any] = {
        "name": "db",
        "image": IMAGE,
        "command": ["sh", "-c", DATABASE],
        "mounts": {"data": "/data"},
        "startup_probe": serving,
    }
    return Sidecar(**{**defaults, **fields})


@pytest.mark.anyio
async def test_a_worker_with_a_database_beside_it_ends_when_the_worker_ends(
    host: Host, restricted: str, kubectl: Kubectl, new_spec: NewSpec
) -> None:
    spec = new_spec(
        "wget -qO- localhost:5432/table; cat /mnt/data/table; exit 0",
        volumes=[EphemeralVolume(name="data")],
        sidecars=[database(run_as_user=1234)],
    )
    async with host.connect(in_(restricted, host)) as provider:
        handle = await provider.create_worker(spec)
        ended = await provider.wait_for_worker(handle, until=WorkerState.TERMINATED, timeout=60)
        lines = [entry.message for entry in await provider.get_worker_logs(handle)]
        kubectl.in_namespace(restricted)(
            "wait", f"pod/{handle.pod_name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s"
        )
        pod = kubectl.in_namespace(restricted).json("get", "pod", handle.pod_name)
        beside = await provider.get_worker_logs(handle, container="db")
        info = await provider.describe_worker(handle)
        await provider.destroy_worker(handle)
    assert (ended.exit_code, lines) == (0, ["rows", "rows"])
    (database_status,) = pod["status"]["initContainerStatuses"]
    assert "terminated" in database_status["state"]
    assert [(entry.source, entry.message) for entry in beside] == [("db", "serving")]
    assert (info.state, info.exit_code, info.verdict) == (WorkerState.TERMINATED, 0, None)


@pytest.mark.anyio
async def test_a_sidecar_makes_no_worker_ready_and_its_restart_ends_none(
    host: Host, restricted: str, new_spec: NewSpec
) -> None:
    """The sidecar is ready long before the worker, and crashes while the worker runs."""
    spec = new_spec(
        "sleep 2; touch /tmp/ok; while [ ! -f /mnt/data/again ]; do sleep 0.1; done; exit 7",
        readiness_probe=ReadinessProbe(exec=("test", "-f", "/tmp/ok"), period_seconds=1),
        volumes=[EphemeralVolume(name="data")],
        sidecars=[
            Sidecar(
                name="db",
                image=IMAGE,
                command=["sh", "-c", "[ -f /data/first ] && touch /data/again; touch /data/first; sleep 4; exit 1"],
                mounts={"data": "/data"},
            )
        ],
    )
    seen: list[WorkerState] = []
    async with host.connect(in_(restricted, host)) as provider:
        handle = await provider.create_worker(spec)
        while seen[-1:] != [WorkerState.TERMINATED]:
            info = await provider.wait_for_worker(handle, until=set(WorkerState) - set(seen), timeout=60)
            seen.append(info.state)
        await provider.destroy_worker(handle)
    assert seen == [WorkerState.CREATING, WorkerState.CONNECTING, WorkerState.READY, WorkerState.TERMINATED]
    assert (info.exit_code, info.restarts) == (7, 0)


@pytest.mark.anyio
async def test_a_sidecar_that_cannot_be_pulled_is_told_at_once(host: Host, restricted: str, new_spec: NewSpec) -> None:
    sidecar = database(image="localhost:1/absent:1")
    spec = new_spec("true", volumes=[EphemeralVolume(name="data")], sidecars=[sidecar])
    hasty = msgspec.structs.replace(in_(restricted, host), startup=StartupPolicy(image_retries=0))
    async with host.connect(hasty) as provider:
        handle = await provider.create_worker(spec)
        with pytest.raises(NotReady) as caught:
            await provider.wait_for_worker(handle, until=WorkerState.READY, timeout=60)
        await provider.destroy_worker(handle, grace_period=1)
    verdict = caught.value.verdict
    assert verdict is not None
    assert verdict.category is Category.IMAGE_UNAVAILABLE
    assert "container db" in " ".join(str(evidence) for evidence in verdict.evidence)


def in_(namespace: str, host: Host) -> KubernetesConfig:
    return msgspec.structs.replace(host.config, namespace=namespace)


async def run_to_its_end(host: Host, namespace: str, spec: WorkerSpec) -> tuple[WorkerInfo, list[str]]:
    async with host.connect(in_(namespace, host)) as provider:
        handle = await provider.create_worker(spec)
        ended = await provider.wait_for_worker(handle, until=WorkerState.TERMINATED, timeout=60)
        lines = [entry.message for entry in await provider.get_worker_logs(handle)]
        await provider.destroy_worker(handle)
    return ended, lines
