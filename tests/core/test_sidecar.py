"""Sidecars: what they are in the Pod, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.capacity.candidate import read_candidate
from hodei_k8s_core.capacity.pod_demand import requests_of
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.spec.environment_source import SecretKey
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.sidecar import Sidecar
from hodei_k8s_core.spec.volume_spec import EphemeralVolume, PersistentVolume
from hodei_k8s_core.spec.worker_spec import ResourceRequirements, WorkerSpec

DEFAULTS = KubernetesConfig()
DB = Sidecar(name="db", image="db:1")


def spec(*sidecars: Sidecar, **fields: Any) -> WorkerSpec:
    return WorkerSpec(worker_id="w1", image="i", sidecars=sidecars, **fields)


def test_a_plain_sidecar_is_a_restarted_init_container_with_the_workers_confinement() -> None:
    pod = build_worker_pod(spec(DB), DEFAULTS)["spec"]
    assert pod["initContainers"] == [
        {
            "name": "db",
            "image": "db:1",
            "restartPolicy": "Always",
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ]
    assert [container["name"] for container in pod["containers"]] == ["worker"]
    assert pod["restartPolicy"] == "Never"


def test_everything_that_a_sidecar_can_be_asked() -> None:
    sidecar = Sidecar(
        name="db",
        image="db:1",
        command=["db", "$(A)"],
        args=["$$"],
        environment={"A": "$(B)"},
        environment_from={"B": SecretKey(secret="s", key="k")},
        resources=ResourceRequirements(cpu_cores=0.5, memory_bytes=1024**2, disk_bytes=0),
        readiness_probe=ReadinessProbe(tcp=5432),
        startup_probe=ReadinessProbe(exec=["ready"]),
        mounts={"data": "/var/lib/db", "claim": ""},
        run_as_user=999,
    )
    volumes = [EphemeralVolume(name="data"), PersistentVolume(name="claim", claim_name="c", read_only=True)]
    (made,) = build_worker_pod(spec(sidecar, volumes=volumes), DEFAULTS)["spec"]["initContainers"]
    assert (made["command"], made["args"]) == (["db", "$$(A)"], ["$$$"])
    assert made["env"] == [
        {"name": "A", "value": "$$(B)"},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ]
    assert made["resources"]["limits"] == {"cpu": "500m", "memory": "1Mi"}
    assert made["readinessProbe"]["tcpSocket"] == {"port": 5432}
    assert made["startupProbe"]["exec"] == {"command": ["ready"]}
    assert made["volumeMounts"] == [
        {"name": "data", "mountPath": "/var/lib/db"},
        {"name": "claim", "mountPath": "/mnt/claim", "readOnly": True},
    ]
    assert made["securityContext"]["runAsUser"] == 999


def test_a_sidecar_counts_for_the_place_of_the_worker() -> None:
    plain, beside = (requests_of(read_candidate(build_worker_pod(s, DEFAULTS))) for s in (spec(), spec(DB)))
    assert (plain["cpu"], beside["cpu"]) == (100 * 10**6, 200 * 10**6)


def test_a_sidecar_is_not_root_where_the_worker_must_not_be() -> None:
    root = Sidecar(name="b", image="b", run_as_user=0)
    with pytest.raises(ConfigurationError, match=r"spec\.sidecars\[1\]\.run_as_user: must not be 0"):
        build_worker_pod(spec(DB, root), DEFAULTS)
    (made,) = build_worker_pod(spec(root, security_profile=SecurityProfile.BASELINE), DEFAULTS)["spec"][
        "initContainers"
    ]
    assert made["securityContext"] == {"runAsUser": 0}


def test_no_repr_shows_a_value() -> None:
    shown = repr(spec(Sidecar(name="db", image="i", environment={"PASSWORD": "hunter2"})))
    assert "hunter2" not in shown
    assert "PASSWORD" in shown


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"name": "worker"}, ["name"]),
        ({"name": "a.b", "image": ""}, ["name", "image"]),
        ({"command": "sh", "args": [3]}, ["command", "args[0]"]),
        ({"environment": {"A=": ""}, "environment_from": {"A": "b"}}, ['environment["A="]', 'environment_from["A"]']),
        (
            {"environment": {"A": ""}, "environment_from": {"A": SecretKey(secret="s", key="k")}},
            ['environment_from["A"]'],
        ),
        ({"environment": None, "environment_from": 3}, ["environment", "environment_from"]),
        (
            {"resources": 3, "readiness_probe": {}, "startup_probe": 1},
            ["resources", "readiness_probe", "startup_probe"],
        ),
        ({"resources": ResourceRequirements(gpu_count=1)}, ["resources.gpu_count"]),
        ({"startup_probe": ReadinessProbe(tcp=1, success_threshold=2)}, ["startup_probe.success_threshold"]),
        ({"mounts": "x"}, ["mounts"]),
        ({"mounts": {"A": "/a", "b": "b", "c": 3}}, [f'mounts["{name}"]' for name in "Abc"]),
        ({"run_as_user": -1}, ["run_as_user"]),
    ],
)
def test_what_is_wrong(fields: dict[str, Any], faulty: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Sidecar(**{"name": "db", "image": "db:1", **fields})
    assert [fault.field for fault in caught.value.faults] == faulty


def test_what_is_wrong_with_several() -> None:
    mounting = Sidecar(name="b", image="b", mounts={"data": "", "other": "/other", "more": "/mnt/data"})
    with pytest.raises(ConfigurationError) as caught:
        spec(DB, mounting, DB, volumes=[EphemeralVolume(name="data"), EphemeralVolume(name="more")])
    assert [str(fault) for fault in caught.value.faults] == [
        'spec.sidecars[1].mounts["other"]: there is no such volume',
        "spec.sidecars[1].mounts[\"more\"]: the path '/mnt/data' is taken by another volume",
        "spec.sidecars[2].name: 'db' is taken by another sidecar",
    ]
