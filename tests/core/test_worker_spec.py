"""`WorkerSpec` and its parts: valid when they are made, every fault at once, no secret shown."""

from __future__ import annotations

import copy
import pickle

import msgspec
import pytest

from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.secret import Secret
from hodei_k8s_core.spec.environment_source import ConfigMapKey, SecretKey, WholeConfigMap, WholeSecret
from hodei_k8s_core.spec.host_names import DnsConfig, HostAlias
from hodei_k8s_core.spec.projected_volume import ProjectedVolume, ServiceAccountToken
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.server_address import server_address_problem
from hodei_k8s_core.spec.sidecar import Sidecar
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.topology_spread import TopologySpread
from hodei_k8s_core.spec.volume_spec import (
    ConfigMapVolume,
    EphemeralClaim,
    SecretVolume,
    WorkerClaim,
    mounted_at,
)
from hodei_k8s_core.spec.worker_spec import (
    Architecture,
    EphemeralVolume,
    HostPathVolume,
    PersistentVolume,
    ResourceRequirements,
    WorkerSpec,
)


def spec(**fields):
    return WorkerSpec(**({"worker_id": "w-1", "image": "hodei/worker:1"} | fields))


def faults(make, **fields):
    with pytest.raises(ConfigurationError) as caught:
        make(**fields)
    return caught.value.faults


def test_the_defaults():
    worker = spec()
    assert (worker.max_lifetime, worker.idle_timeout) == (3600, 300)
    assert worker.resources is None
    assert worker.otp_token is None
    assert (worker.security_profile, worker.run_as_user, worker.fs_group, worker.readiness_probe) == (None,) * 4


FULL = {
    "worker_id": "1f0c9a3e-8f5e-4ac5-9d5b-0a1b2c3d4e5f",
    "image": "registry.example.com:5000/a/b@sha256:0000",
    "profile": "gpu",
    "server_address": "hodei.example.com:50051",
    "resources": ResourceRequirements(cpu_cores=0.5, memory_bytes=1, disk_bytes=0, gpu_count=1, gpu_type="amd.com/gpu"),
    "labels": {"team": "a"},
    "annotations": {"note": "x"},
    "environment": {"A": "a$$b $(HODEI_WORKER_ID)\n", "b.c-d": "", "1 x": "é"},
    "environment_from": {
        "B": SecretKey(secret="s", key="k"),
        "C": ConfigMapKey(config_map="c", key=".k", optional=True),
    },
    "environment_sources": [WholeSecret(secret="s", prefix="S_"), WholeConfigMap(config_map="c", optional=True)],
    "otp_token": "hunter2",
    "max_lifetime": 1,
    "idle_timeout": 0,
    "architecture": Architecture.ARM64,
    "required_capabilities": ["docker", "nested_virt"],
    "volumes": [
        PersistentVolume(name="a", claim_name="claim.x", read_only=True),
        EphemeralVolume(name="b", size_limit=1, mount_path="/scratch"),
        HostPathVolume(name="c", path="/var/run"),
        EphemeralVolume(name="d", in_memory=True),
        EphemeralClaim(name="e", size=1, storage_class=""),
        WorkerClaim(name="f", size=1, storage_class="fast", access_mode="ReadWriteOncePod"),
        ConfigMapVolume(name="g", config_map="c", items={"k": "a/b"}, mode=0o440),
        SecretVolume(name="h", secret="s", optional=True),
        ProjectedVolume(name="i", sources=[ServiceAccountToken()]),
    ],
    "sidecars": [Sidecar(name="db", image="db:1", mounts={"b": "/data", "h": ""})],
    "ttl_after_completion": 0,
    "command": ["sh", "-c"],
    "args": ("", "echo $HOME"),
    "image_pull_policy": "IfNotPresent",
    "readiness_probe": ReadinessProbe(tcp=80),
    "security_profile": SecurityProfile.PRIVILEGED,
    "run_as_user": 0,
    "fs_group": 2**31 - 1,
    "node_selector": {"pool": "ci"},
    "tolerations": [Toleration(key="a", operator="Exists")],
    "affinity": {"podAntiAffinity": {}},
    "topology_spread_constraints": [TopologySpread(topology_key="zone")],
    "priority_class": "low",
    "runtime_class": "gvisor",
    "dns_policy": "Default",
    "dns_config": DnsConfig(searches=["a.b"]),
    "host_aliases": [HostAlias(ip="::1", hostnames=["me"])],
}


def test_everything_can_be_asked_for():
    assert set(FULL) == set(WorkerSpec.__struct_fields__)
    worker = WorkerSpec(**FULL)
    assert worker.otp_token == Secret("hunter2")
    assert worker.command == ("sh", "-c")
    assert worker.args == ("", "echo $HOME")
    assert worker.volumes == tuple(FULL["volumes"])
    assert spec(otp_token=Secret("x")).otp_token == Secret("x")


KEY = SecretKey(secret="s", key="k")
DB = Sidecar(name="db", image="db:1")
WRONG = {
    "worker_id": ["", "A", "-a", "a_b", "a" * 64, "a\n", None, 7],
    "image": [" ", "a b", "a\n", "a\t", None, b"x"],
    "profile": ["", "a b", 3],
    "server_address": [None, "a b", "host:0", "host:65536", "host:", "http://", "a@b:1", "::1", "x:1\n"],
    "resources": [3, {}, "1"],
    "labels": [None, {"app": "x"}, {"hodei.io/worker-id": "x"}, {"a": "b c"}, "a=b"],
    "annotations": [None, {"hodei.io/draining": "x"}, {"a": None}],
    "environment": [
        None,
        "A=b",
        [("A", "b")],
        {"": "x"},
        {"A=B": "x"},
        {"é": "x"},
        {"A": 3},
        {"A": "b\0"},
        {3: "x"},
        {"HODEI_WORKER_ID": "x"},
        {"HODEI_SERVER_ADDRESS": "x"},
        {"HODEI_OTP_TOKEN": "x"},
        {"HODEI_WORKER_MODE": "x"},
    ],
    "environment_from": [
        None,
        {"A": "b"},
        {"A": WholeSecret(secret="s")},
        {"": KEY},
        {"A=B": KEY},
        {3: KEY},
        {"HODEI_OTP_TOKEN": KEY},
    ],
    "environment_sources": [None, "s", ["s"], [KEY]],
    "otp_token": ["", Secret(""), "a\0", 3, b"x", Secret(3)],
    "max_lifetime": [0, 0.5, -1, 2**31, float("nan"), float("inf"), None, "3600", True],
    "idle_timeout": [-1, float("nan"), None],
    "architecture": ["amd64", 3],
    "required_capabilities": [None, "docker", [""], ["a/b"], ["a b"], [3], ["a" * 64]],
    "volumes": [None, "x", [3], [{"name": "a"}]],
    "sidecars": [None, "x", [3], [DB, DB], [msgspec.structs.replace(DB, mounts={"a": ""})]],
    "ttl_after_completion": [-1, "1", float("inf")],
    "command": [None, "sh -c", [3], ["a\0"], b"sh"],
    "args": [None, "x", [None]],
    "image_pull_policy": ["", "always", 3],
    "readiness_probe": [{}, 3],
    "security_profile": ["restricted", 3],
    "run_as_user": [-1, 2**31, 1.0, True],
    "fs_group": [-1, "x"],
    "node_selector": [None, "a=b", {"a": "b c"}, {"-": ""}],
    "tolerations": [None, "a", ["a"], [{"key": "a"}]],
    "affinity": ["x", [], {"x": {}}, {"nodeAffinity": []}],
    "topology_spread_constraints": [None, ["a"], [TopologySpread(topology_key="a")] * 2],
    "priority_class": ["", "A", 3],
    "runtime_class": ["", "a_b", 3],
    "dns_policy": ["", "default", 3],
    "dns_config": [{}, "x"],
    "host_aliases": [None, "x", [3]],
}


def test_every_field_has_wrong_values_here():
    assert set(WRONG) == set(WorkerSpec.__struct_fields__)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_a_fault_that_names_the_field(name: str, value):
    found = faults(spec, **{name: value})
    assert {fault.field.partition("[")[0] for fault in found} == {f"spec.{name}"}
    assert all(fault.problem for fault in found)


def test_all_faults_are_told_at_once():
    found = faults(spec, **{name: values[0] for name, values in WRONG.items()})
    assert {fault.field.partition("[")[0] for fault in found} == {f"spec.{name}" for name in WRONG}


def test_faults_name_the_very_item():
    found = faults(spec, labels={"app": "x"}, environment={"HODEI_OTP_TOKEN": "x"}, args=["a", 3])
    assert [str(fault) for fault in found] == [
        'spec.labels["app"]: this key is reserved for Hodei\'s own labels',
        'spec.environment["HODEI_OTP_TOKEN"]: this name is set by the provider itself',
        "spec.args[1]: must be text, not int",
    ]


def test_volumes_have_names_and_mount_paths_of_their_own():
    volumes = [
        EphemeralVolume(name="a"),
        EphemeralVolume(name="a", mount_path="/x"),
        HostPathVolume(name="b", path="/y", mount_path="/x"),
        PersistentVolume(name="c", claim_name="c", mount_path="/mnt/a"),
    ]
    assert [fault.field for fault in faults(spec, volumes=volumes)] == [
        "spec.volumes[1].name",
        "spec.volumes[2].mount_path",
        "spec.volumes[3].mount_path",
    ]
    assert mounted_at(volumes[0]) == "/mnt/a"
    assert mounted_at(volumes[1]) == "/x"


def test_root_is_refused_under_the_restricted_profile():
    (fault,) = faults(spec, run_as_user=0, security_profile=SecurityProfile.RESTRICTED)
    assert fault.field == "spec.run_as_user"
    assert spec(run_as_user=0).run_as_user == 0


@pytest.mark.parametrize(
    ("make", "fields", "faulty"),
    [
        (EphemeralVolume, {"name": "A"}, ["name"]),
        (EphemeralVolume, {"name": "a" * 64}, ["name"]),
        (EphemeralVolume, {"name": "a", "size_limit": 0}, ["size_limit"]),
        (EphemeralVolume, {"name": "a", "size_limit": "1Gi", "mount_path": "x"}, ["size_limit", "mount_path"]),
        (PersistentVolume, {"name": "a", "claim_name": ""}, ["claim_name"]),
        (PersistentVolume, {"name": None, "claim_name": "A", "read_only": 1}, ["name", "claim_name", "read_only"]),
        (HostPathVolume, {"name": "a", "path": "var"}, ["path"]),
        (HostPathVolume, {"name": "a", "path": ""}, ["path"]),
        (HostPathVolume, {"name": "a", "path": "/a/../b"}, ["path"]),
        (HostPathVolume, {"name": "a", "path": "/a", "mount_path": "/a:b"}, ["mount_path"]),
        (ResourceRequirements, {"cpu_cores": 0}, ["cpu_cores"]),
        (ResourceRequirements, {"cpu_cores": float("nan"), "memory_bytes": 0}, ["cpu_cores", "memory_bytes"]),
        (ResourceRequirements, {"memory_bytes": 1.5, "disk_bytes": -1}, ["memory_bytes", "disk_bytes"]),
        (ResourceRequirements, {"memory_bytes": 2**63, "gpu_count": -1}, ["memory_bytes", "gpu_count"]),
        (ResourceRequirements, {"gpu_count": True, "gpu_type": ""}, ["gpu_count", "gpu_type"]),
        (ResourceRequirements, {"gpu_type": "a b"}, ["gpu_type"]),
        (ResourceRequirements, {"gpu_type": "nvidia.com/"}, ["gpu_type"]),
        (ResourceRequirements, {"gpu_type": 3, "cpu_cores": "1"}, ["cpu_cores", "gpu_type"]),
    ],
)
def test_the_parts_tell_their_faults(make, fields, faulty):
    assert [fault.field for fault in faults(make, **fields)] == faulty


@pytest.mark.parametrize("gpu_type", [None, "nvidia.com/gpu", "NVIDIA-A100-SXM4-40GB", "t4"])
def test_a_gpu_is_a_vendors_resource_or_a_product(gpu_type):
    assert ResourceRequirements(gpu_count=1, gpu_type=gpu_type).gpu_type == gpu_type


@pytest.mark.parametrize(
    "address",
    [
        "",
        "host",
        "host:50051",
        "10.0.0.1:1",
        "[::1]:65535",
        "[fe80::1%eth0]:80",
        "http://a.b:80/c?d=e#f",
        "grpc://h",
        "é:80",
    ],
)
def test_server_addresses(address: str):
    assert server_address_problem(address) is None


def test_no_secret_is_shown():
    worker = spec(environment={"TOKEN": "hunter2", "B": "hunter3"}, otp_token="hunter4")
    for shown in (repr(worker), str(worker), f"{worker}", repr(worker.__rich_repr__())):
        assert "hunter" not in shown
        assert "TOKEN" in shown
    assert worker.environment["TOKEN"] == "hunter2"


@pytest.mark.parametrize(
    "fields",
    [
        {"environment": {"A": "hunter2\0"}},
        {"environment": {"HODEI_OTP_TOKEN": "hunter2"}},
        {"environment": {"A=": "hunter2"}},
        {"environment": "hunter2"},
        {"otp_token": "hunter2\0"},
        {"otp_token": b"hunter2"},
        {"server_address": "http://user:hunter2@host"},
    ],
)
def test_no_error_shows_a_secret(fields):
    with pytest.raises(ConfigurationError) as caught:
        spec(**fields)
    assert "hunter2" not in str(caught.value) + repr(caught.value)


def test_the_spec_shares_nothing_with_what_was_given():
    environment, args = {"A": "b"}, ["x"]
    worker = spec(environment=environment, args=args)
    environment["C"] = "d"
    args.append("y")
    assert worker.environment == {"A": "b"}
    assert worker.args == ("x",)


def test_a_spec_can_be_copied_and_changed():
    worker = WorkerSpec(**FULL)
    assert pickle.loads(pickle.dumps(worker)) == copy.deepcopy(worker) == worker
    assert msgspec.structs.replace(worker, worker_id="b").otp_token == Secret("hunter2")
    with pytest.raises(ConfigurationError):
        msgspec.structs.replace(worker, worker_id="")
