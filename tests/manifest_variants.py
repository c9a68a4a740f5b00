"""Everything that a worker's Pod can be asked for: each field alone, and all of them together.

Every variant passes the *restricted* Pod Security Standard but those of `UNRESTRICTED`. The classes that some name must
exist for an API server to accept them: `CLASSES`.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from hodei_k8s_core.accelerators import VENDORS
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.profile import Profile
from hodei_k8s_core.spec.affinity import PREFERRED, REQUIRED
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
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.sidecar import Sidecar
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.topology_spread import TopologySpread
from hodei_k8s_core.spec.volume_spec import (
    ConfigMapVolume,
    EphemeralClaim,
    EphemeralVolume,
    HostPathVolume,
    PersistentVolume,
    SecretVolume,
    WorkerClaim,
)
from hodei_k8s_core.spec.worker_spec import Architecture, ResourceRequirements, WorkerSpec

IMAGE: Final = "localhost/worker:1"
CLASSES: Final = "hodei-test-manifest"
"""The name of the PriorityClass and of the RuntimeClass."""
Gi: Final = 1024**3

_NODES: Final = {
    REQUIRED: {
        "nodeSelectorTerms": [
            {"matchExpressions": [{"key": "generation", "operator": "Gt", "values": ["5"]}]},
            {"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["node-1"]}]},
        ]
    },
    PREFERRED: [
        {"weight": 100, "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["a b"]}]}}
    ],
}
_WORKERS: Final = {
    "topologyKey": "kubernetes.io/hostname",
    "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["hodei-worker"]}]},
    "namespaceSelector": {"matchLabels": {"team": "ci"}},
    "namespaces": ["ci"],
    "matchLabelKeys": ["hodei.io/provider-id"],
    "mismatchLabelKeys": ["hodei.io/worker-id"],
}
_SIDECAR: Final = Sidecar(
    name="db",
    image=IMAGE,
    command=["httpd", "-f"],
    args=["-p", "$(PORT)"],
    environment={"PORT": "5432"},
    environment_from={"PASSWORD": SecretKey(secret="keys", key="password", optional=True)},
    resources=ResourceRequirements(cpu_cores=0.25, memory_bytes=64 * 1024**2, disk_bytes=0),
    readiness_probe=ReadinessProbe(tcp=5432),
    startup_probe=ReadinessProbe(exec=["true"], failure_threshold=30, period_seconds=1),
    mounts={"scratch": "/data"},
    run_as_user=999,
)

_TEMPLATE: Final = {
    "metadata": {"creationTimestamp": None, "labels": {"team": "ci"}, "annotations": {"note": "x"}},
    "spec": {
        "shareProcessNamespace": True,
        "securityContext": {"runAsUser": 2000, "supplementalGroups": [2001]},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "volumes": [{"name": "certificates", "emptyDir": {"medium": "Memory"}}],
        "initContainers": [
            {
                "name": "certificates",
                "image": IMAGE,
                "command": ["true"],
                "volumeMounts": [{"name": "certificates", "mountPath": "/c"}],
            }
        ],
        "containers": [
            {
                "name": "worker",
                "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
                "lifecycle": {"preStop": {"exec": {"command": ["true"]}}},
                "resources": {"limits": {"cpu": "2"}},
                "volumeMounts": [{"name": "certificates", "mountPath": "/c", "readOnly": True}],
            }
        ],
    },
    "status": {},
}
_PROFILE: Final = {
    "image": IMAGE,
    "labels": {"tier": "spot"},
    "pod_template": {
        "spec": {
            "$setElementOrder/volumes": [{"name": "tools"}, {"name": "certificates"}],
            "volumes": [{"name": "tools", "emptyDir": {}}],
            "containers": [{"name": "worker", "env": [{"name": "NODE", "$patch": "delete"}]}],
        }
    },
}

FIELDS: Final[dict[str, dict[str, Any]]] = {
    "plain": {},
    "commands": {"command": ["sh", "-c"], "args": ["echo $$(A) $HOME"], "image_pull_policy": "IfNotPresent"},
    "environment": {"environment": {"A": "$(B) $$", "a.b": ""}, "otp_token": "otp", "server_address": "h:1"},
    "labels": {"labels": {"team": "a"}, "annotations": {"Note.example/X": "é\n"}},
    "lifetime": {"max_lifetime": 1.5, "idle_timeout": 0, "ttl_after_completion": 0.5},
    "resources": {"resources": ResourceRequirements(cpu_cores=1.0005, memory_bytes=1500, disk_bytes=3 * Gi)},
    "odd resources": {"resources": ResourceRequirements(cpu_cores=1e-9, memory_bytes=1025 * 1024, disk_bytes=0)},
    "gpu": {"resources": ResourceRequirements(gpu_count=2)},
    "unknown device": {"resources": ResourceRequirements(gpu_count=1, gpu_type="example.com/fpga")},
    "gpu slice": {"resources": ResourceRequirements(gpu_count=1, gpu_type="nvidia.com/mig-1g.5gb")},
    "gpu share": {"resources": ResourceRequirements(gpu_count=1, gpu_type="nvidia.com/gpu.shared")},
    "gpu product": {"resources": ResourceRequirements(gpu_count=1, gpu_type="NVIDIA-A100-SXM4-40GB")},
    "gpu of amd": {"resources": ResourceRequirements(gpu_count=1, gpu_type="AMD_Instinct_MI300X_OAM")},
    "gpu of intel": {"resources": ResourceRequirements(gpu_count=1, gpu_type="Flex_170")},
    **{
        f"resource of {vendor.name}": {"resources": ResourceRequirements(gpu_count=1, gpu_type=vendor.gpu)}
        for vendor in VENDORS
    },
    **{architecture.value: {"architecture": architecture} for architecture in Architecture},
    "capabilities": {"required_capabilities": ["docker", "nested_virt"]},
    "node selector": {"node_selector": {"pool": "ci", "a.b/c": ""}},
    "tolerations": {
        "tolerations": [
            Toleration(operator="Exists"),
            Toleration(key="a", value="b", effect="NoExecute", toleration_seconds=5),
        ]
    },
    "node affinity": {"affinity": {"nodeAffinity": _NODES}},
    "pod affinity": {
        "affinity": {
            "podAffinity": {PREFERRED: [{"weight": 1, "podAffinityTerm": _WORKERS}]},
            "podAntiAffinity": {REQUIRED: [_WORKERS]},
        }
    },
    "spread": {
        "topology_spread_constraints": [
            TopologySpread(topology_key="topology.kubernetes.io/zone"),
            TopologySpread(
                topology_key="kubernetes.io/hostname",
                max_skew=3,
                min_domains=2,
                label_selector={"matchLabels": {"app": "hodei-worker"}},
                match_label_keys=["hodei.io/provider-id"],
                node_affinity_policy="Ignore",
                node_taints_policy="Honor",
            ),
            TopologySpread(topology_key="kubernetes.io/hostname", when_unsatisfiable="ScheduleAnyway"),
        ]
    },
    "priority": {"priority_class": CLASSES},
    "runtime": {"runtime_class": CLASSES},
    "dns policy": {"dns_policy": "Default"},
    "dns": {
        "dns_policy": "None",
        "dns_config": DnsConfig(
            nameservers=["10.0.0.10", "fd00::10"],
            searches=["ci.svc.cluster.local", "_tcp.a_b.c.", "."],
            options=[DnsOption(name="ndots", value="2"), DnsOption(name="edns0")],
        ),
    },
    "hosts": {"host_aliases": [HostAlias(ip="10.1.2.3", hostnames=["db", "db.local"]), HostAlias(ip="fd00::1")]},
    "claim": {"volumes": [PersistentVolume(name="cache", claim_name="cache.1", read_only=True)]},
    "scratch": {
        "volumes": [
            EphemeralVolume(name="scratch", size_limit=Gi + 1),
            EphemeralVolume(name="memory", in_memory=True, size_limit=64 * 1024**2),
            EphemeralVolume(name="free"),
        ]
    },
    "ephemeral claim": {
        "volumes": [
            EphemeralClaim(name="a", size=Gi),
            EphemeralClaim(name="b", size=1500, storage_class="fast.ssd", access_mode="ReadWriteOncePod"),
            EphemeralClaim(name="c", size=1, storage_class="", access_mode="ReadWriteMany"),
        ]
    },
    "worker claim": {"volumes": [WorkerClaim(name="data", size=Gi)]},
    "config map": {
        "volumes": [
            ConfigMapVolume(name="a", config_map="settings"),
            ConfigMapVolume(name="b", config_map="settings", items={".k": "d/f"}, mode=0, optional=True),
        ]
    },
    "secret": {
        "volumes": [
            SecretVolume(name="a", secret="keys"),
            SecretVolume(name="b", secret="keys", items={"k": "f"}, mode=0o777, optional=True),
        ]
    },
    "projected": {
        "volumes": [
            ProjectedVolume(
                name="all",
                mode=0o440,
                sources=[
                    ProjectedConfigMap(config_map="settings", items={"k": "config/k"}, optional=True),
                    ProjectedSecret(secret="keys", items={"k": "secret/k"}),
                    *(
                        DownwardFile(path=f"pod/{n}", field=field)
                        for n, field in enumerate(
                            (
                                "metadata.name",
                                "metadata.uid",
                                "metadata.labels",
                                "metadata.annotations['hodei.io/idle-timeout']",
                                "limits.memory",
                                "requests.ephemeral-storage",
                            )
                        )
                    ),
                    ServiceAccountToken(),
                    ServiceAccountToken(path="vault/token", audience="vault", expiration_seconds=600),
                ],
            )
        ]
    },
    "references": {
        "environment_from": {
            "FROM_A": SecretKey(secret="keys", key="k"),
            "FROM_B": ConfigMapKey(config_map="settings", key=".k", optional=True),
        },
        "environment_sources": [WholeSecret(secret="keys", prefix="S_"), WholeConfigMap(config_map="s", optional=True)],
    },
    "sidecars": {
        "sidecars": [_SIDECAR, Sidecar(name="plain", image=IMAGE)],
        "volumes": [EphemeralVolume(name="scratch")],
    },
    "probe": {"readiness_probe": ReadinessProbe(http=HttpProbe(path="/ready", port=8080, scheme="HTTPS"))},
    "user": {"run_as_user": 4711, "fs_group": 0},
    "baseline": {"security_profile": SecurityProfile.BASELINE},
    "privileged": {"security_profile": SecurityProfile.PRIVILEGED, "run_as_user": 0},
    "host path": {"volumes": [HostPathVolume(name="kvm", path="/dev/kvm", read_only=True)]},
}
UNRESTRICTED: Final = ("baseline", "privileged", "host path")
_PARTS: Final = ("volumes", "sidecars", "tolerations", "host_aliases")


def _together() -> dict[str, Any]:
    """All that can be asked for at once; what is given twice is the later one's, and volumes get names of their own."""
    merged: dict[str, Any] = {}
    for name, fields in FIELDS.items():
        if name not in UNRESTRICTED:
            for field, value in fields.items():
                merged[field] = [*merged.get(field, ()), *value] if field in _PARTS else value
    volumes = {volume.name: volume for volume in merged["volumes"]}
    product = ResourceRequirements(cpu_cores=0.5, gpu_count=1, gpu_type="Tesla-T4")
    return {**merged, "volumes": list(volumes.values()), "resources": product, "architecture": Architecture.ARM64}


FIELDS["all together"] = _together()
SETTINGS: Final = {
    name: {field: value for field, value in fields.items() if field in KubernetesConfig.__struct_fields__}
    for name, fields in FIELDS.items()
}
"""The same by way of the configuration, as far as it goes."""


def spec_of(name: str, worker_id: str = "w1") -> WorkerSpec:
    """The worker of a variant."""
    return WorkerSpec(worker_id=worker_id, image=IMAGE, **FIELDS[name])


def variants(config: KubernetesConfig) -> dict[str, tuple[WorkerSpec, KubernetesConfig]]:
    """Every variant by its name: from the spec, and where the configuration can ask for it too, from there.

    Some on a template, which says what no field of a spec says.
    """
    plain = WorkerSpec(worker_id="w1", image=IMAGE)
    by_spec = {name: (spec_of(name), config) for name in FIELDS}
    by_config = {
        f"{name}, configured": (plain, msgspec.structs.replace(config, **settings))
        for name, settings in SETTINGS.items()
        if settings
    }
    on_template = msgspec.structs.replace(config, pod_template=_TEMPLATE, profiles={"spot": Profile(_PROFILE)})
    by_template = {
        "on a template": (plain, on_template),
        "all together, on a template": (spec_of("all together"), on_template),
        "by a profile": (WorkerSpec(worker_id="w1", profile="spot"), on_template),
    }
    return by_spec | by_config | by_template
