"""The volumes beside the story's three: claims that are made, ConfigMaps, Secrets, projected ones."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.names import worker_claim_name
from hodei_k8s_core.spec.projected_volume import (
    DownwardFile,
    ProjectedConfigMap,
    ProjectedSecret,
    ProjectedVolume,
    ServiceAccountToken,
)
from hodei_k8s_core.spec.volume_spec import (
    ConfigMapVolume,
    EphemeralClaim,
    EphemeralVolume,
    SecretVolume,
    VolumeSpec,
    WorkerClaim,
)
from hodei_k8s_core.spec.worker_spec import WorkerSpec


def made(*volumes: VolumeSpec) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The volumes without their names, and the mounts."""
    spec = build_worker_pod(WorkerSpec(worker_id="w1", image="i", volumes=volumes), KubernetesConfig())["spec"]
    assert [volume.pop("name") for volume in spec["volumes"]] == [volume.name for volume in volumes]
    return spec["volumes"], spec["containers"][0]["volumeMounts"]


def test_scratch_space_in_memory() -> None:
    sources, mounts = made(EphemeralVolume(name="a", in_memory=True, size_limit=1024**2), EphemeralVolume(name="b"))
    assert sources == [{"emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}, {"emptyDir": {}}]
    assert mounts == [{"name": "a", "mountPath": "/mnt/a"}, {"name": "b", "mountPath": "/mnt/b"}]


def test_claims_that_are_made() -> None:
    sources, mounts = made(
        EphemeralClaim(name="a", size=1024**3, mount_path="/a"),
        EphemeralClaim(name="b", size=1, storage_class="", access_mode="ReadWriteMany"),
        WorkerClaim(name="c", size=1024, storage_class="fast"),
    )
    assert sources == [
        {
            "ephemeral": {
                "volumeClaimTemplate": {
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
                }
            }
        },
        {
            "ephemeral": {
                "volumeClaimTemplate": {
                    "spec": {
                        "accessModes": ["ReadWriteMany"],
                        "resources": {"requests": {"storage": "1"}},
                        "storageClassName": "",
                    }
                }
            }
        },
        {"persistentVolumeClaim": {"claimName": worker_claim_name("hodei-worker-w1", "c")}},
    ]
    assert [mount["mountPath"] for mount in mounts] == ["/a", "/mnt/b", "/mnt/c"]
    assert worker_claim_name("hodei-worker-w1", "c") == "hodei-worker-w1-c"


def test_config_maps_and_secrets() -> None:
    sources, mounts = made(
        ConfigMapVolume(name="a", config_map="settings"),
        ConfigMapVolume(name="b", config_map="settings", items={"k": "d/f"}, mode=0, optional=True),
        SecretVolume(name="c", secret="keys", items={"k": "f"}, mode=0o400, optional=True),
    )
    assert sources == [
        {"configMap": {"name": "settings"}},
        {"configMap": {"name": "settings", "items": [{"key": "k", "path": "d/f"}], "defaultMode": 0, "optional": True}},
        {"secret": {"secretName": "keys", "items": [{"key": "k", "path": "f"}], "defaultMode": 256, "optional": True}},
    ]
    assert not any("readOnly" in mount for mount in mounts), "the kubelet mounts them so anyway"


def test_a_projected_volume() -> None:
    sources, _ = made(
        ProjectedVolume(
            name="all",
            mode=0o440,
            sources=[
                ProjectedConfigMap(config_map="settings", items={"k": "f"}),
                ProjectedSecret(secret="keys", optional=True),
                DownwardFile(path="labels", field="metadata.labels"),
                DownwardFile(path="memory", field="limits.memory"),
                ServiceAccountToken(audience="vault", expiration_seconds=600),
                ServiceAccountToken(path="other"),
            ],
        ),
        ProjectedVolume(name="plain", sources=[ServiceAccountToken()]),
    )
    assert sources[0]["projected"] == {
        "defaultMode": 0o440,
        "sources": [
            {"configMap": {"name": "settings", "items": [{"key": "k", "path": "f"}]}},
            {"secret": {"name": "keys", "optional": True}},
            {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
            {
                "downwardAPI": {
                    "items": [
                        {"path": "memory", "resourceFieldRef": {"containerName": "worker", "resource": "limits.memory"}}
                    ]
                }
            },
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 600, "audience": "vault"}},
            {"serviceAccountToken": {"path": "other", "expirationSeconds": 3600}},
        ],
    }
    assert "defaultMode" not in sources[1]["projected"]


CONFIG_MAP = {"name": "a", "config_map": "c"}
TOKEN = ServiceAccountToken()


@pytest.mark.parametrize(
    ("make", "fields", "faulty"),
    [
        (EphemeralVolume, {"name": "a", "in_memory": 1}, ["in_memory"]),
        (EphemeralClaim, {"name": "a", "size": 0}, ["size"]),
        (EphemeralClaim, {"name": "a", "size": 1, "access_mode": "RWO"}, ["access_mode"]),
        (WorkerClaim, {"name": "a", "size": 2**63, "storage_class": "A"}, ["size", "storage_class"]),
        (ConfigMapVolume, {"name": "a", "config_map": ""}, ["config_map"]),
        (ConfigMapVolume, {**CONFIG_MAP, "mode": 0o1000, "optional": 1}, ["mode", "optional"]),
        (ConfigMapVolume, {**CONFIG_MAP, "items": "x"}, ["items"]),
        (
            ConfigMapVolume,
            {**CONFIG_MAP, "items": {"": "a", "a b": "b", "..": "c"}},
            ['items[""]', 'items["a b"]', 'items[".."]'],
        ),
        (ConfigMapVolume, {**CONFIG_MAP, "items": {"a" * 254: "a"}}, [f'items["{"a" * 254}"]']),
        (
            ConfigMapVolume,
            {**CONFIG_MAP, "items": {"a": "/a", "b": "..b", "c": "d/../e", "f": 3}},
            [f'items["{key}"]' for key in "abcf"],
        ),
        (ConfigMapVolume, {**CONFIG_MAP, "items": {"a": "x", "b": "x"}}, ['items["b"]']),
        (SecretVolume, {"name": "a", "secret": "A"}, ["secret"]),
        (ProjectedConfigMap, {"config_map": "c", "items": {"a": ""}}, ['items["a"]']),
        (ProjectedSecret, {"secret": 3}, ["secret"]),
        (DownwardFile, {"path": "../a", "field": "spec.nodeName"}, ["path", "field"]),
        (DownwardFile, {"path": "a", "field": "metadata.labels['-']"}, ["field"]),
        (DownwardFile, {"path": "a", "field": "metadata.name['a']"}, ["field"]),
        (
            ServiceAccountToken,
            {"path": "", "audience": 3, "expiration_seconds": 599},
            ["path", "audience", "expiration_seconds"],
        ),
        (ProjectedVolume, {"name": "a", "sources": []}, ["sources"]),
        (ProjectedVolume, {"name": "A", "sources": ["x"], "mode": -1}, ["name", "mode", "sources[0]"]),
        (ProjectedVolume, {"name": "a", "sources": "x"}, ["sources"]),
        (
            ProjectedVolume,
            {"name": "a", "sources": [TOKEN, ProjectedSecret(secret="s", items={"k": "token"})]},
            ["sources[1]"],
        ),
    ],
)
def test_what_is_wrong(make: Any, fields: dict[str, Any], faulty: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(**fields)
    assert [fault.field for fault in caught.value.faults] == faulty


@pytest.mark.parametrize(
    "field", ["metadata.uid", "metadata.labels['a.b/c']", "metadata.annotations['A.b/C']", "requests.cpu"]
)
def test_what_a_pod_can_say_of_itself(field: str) -> None:
    assert DownwardFile(path="a", field=field).is_resource is field.startswith("requests")
