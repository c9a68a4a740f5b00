"""What a worker's Pod asks of its node: resources, labels of nodes, volumes."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.quantity import parse_quantity
from hodei_k8s_core.spec.worker_spec import (
    Architecture,
    EphemeralVolume,
    HostPathVolume,
    PersistentVolume,
    ResourceRequirements,
    WorkerSpec,
)
from tests.core.thoroughness import examples

DEFAULTS = KubernetesConfig()


def spec(**fields: Any) -> WorkerSpec:
    return WorkerSpec(**{"worker_id": "w1", "image": "registry/worker:1", "server_address": "hodei:9090", **fields})


def pod_of(config: KubernetesConfig = DEFAULTS, **fields: Any) -> dict[str, Any]:
    return build_worker_pod(spec(**fields), config)


def worker_of(config: KubernetesConfig = DEFAULTS, **fields: Any) -> dict[str, Any]:
    (container,) = pod_of(config, **fields)["spec"]["containers"]
    assert isinstance(container, dict)
    return container


# --- resources


def resources_of(config: KubernetesConfig = DEFAULTS, **wanted: Any) -> tuple[dict[str, str], dict[str, str]]:
    resources = worker_of(config, resources=ResourceRequirements(**wanted))["resources"]
    return resources["requests"], resources["limits"]


def test_what_is_asked_for_is_request_and_limit() -> None:
    requests, limits = resources_of(cpu_cores=1.5, memory_bytes=1024**3, disk_bytes=5 * 1024**3)
    assert requests == limits == {"cpu": "1500m", "memory": "1Gi", "ephemeral-storage": "5Gi"}
    assert requests is not limits


def test_no_disk_means_no_claim_on_it() -> None:
    requests, limits = resources_of(disk_bytes=0)
    assert "ephemeral-storage" not in requests | limits


def test_the_cpu_limit_can_be_lifted() -> None:
    config = KubernetesConfig(cpu_limit=False)
    requests, limits = resources_of(config, cpu_cores=2)
    assert requests["cpu"] == "2"
    assert "cpu" not in limits
    assert limits["memory"] == requests["memory"]
    defaults = worker_of(config)["resources"]
    assert defaults == {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}


@settings(max_examples=examples(100), deadline=None)
@given(
    cores=st.floats(min_value=1e-12, max_value=1e6),
    memory=st.integers(1, 2**60),
    disk=st.integers(1, 2**60),
)
def test_a_positive_amount_is_never_zero_and_never_too_small(cores: float, memory: int, disk: int) -> None:
    requests, _ = resources_of(cpu_cores=cores, memory_bytes=memory, disk_bytes=disk)
    assert parse_quantity(requests["cpu"]).millicores >= max(1, cores * 1000 * (1 - 1e-9))
    assert parse_quantity(requests["memory"]).bytes == memory
    assert parse_quantity(requests["ephemeral-storage"]).bytes == disk
    assert not any(text.startswith("0") for text in requests.values())


# --- nodes


def test_nodes_are_selected_by_architecture_and_capabilities() -> None:
    config = KubernetesConfig(node_selector={"pool": "ci", "kubernetes.io/arch": "amd64"})
    selector = pod_of(config, architecture=Architecture.ARM64, required_capabilities=["docker", "kvm"])["spec"][
        "nodeSelector"
    ]
    assert selector == {
        "pool": "ci",
        "kubernetes.io/arch": "arm64",
        "capability.hodei.io/docker": "true",
        "capability.hodei.io/kvm": "true",
    }
    assert config.node_selector == {"pool": "ci", "kubernetes.io/arch": "amd64"}


# --- volumes


def test_volumes() -> None:
    pod = pod_of(
        volumes=[
            PersistentVolume(name="cache", claim_name="claim", read_only=True),
            PersistentVolume(name="data", claim_name="other", mount_path="/data"),
            EphemeralVolume(name="scratch", size_limit=2 * 1024**3, mount_path="/scratch"),
            EphemeralVolume(name="tmp"),
            HostPathVolume(name="kvm", path="/dev/kvm", read_only=True),
        ]
    )
    assert pod["spec"]["volumes"] == [
        {"name": "cache", "persistentVolumeClaim": {"claimName": "claim", "readOnly": True}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "other"}},
        {"name": "scratch", "emptyDir": {"sizeLimit": "2Gi"}},
        {"name": "tmp", "emptyDir": {}},
        {"name": "kvm", "hostPath": {"path": "/dev/kvm"}},
    ]
    assert pod["spec"]["containers"][0]["volumeMounts"] == [
        {"name": "cache", "mountPath": "/mnt/cache", "readOnly": True},
        {"name": "data", "mountPath": "/data"},
        {"name": "scratch", "mountPath": "/scratch"},
        {"name": "tmp", "mountPath": "/mnt/tmp"},
        {"name": "kvm", "mountPath": "/mnt/kvm", "readOnly": True},
    ]
