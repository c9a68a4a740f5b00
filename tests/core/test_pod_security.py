"""The security contexts of each profile, and who decides on user and group."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.worker_spec import WorkerSpec

RESTRICTED, BASELINE, PRIVILEGED = SecurityProfile.RESTRICTED, SecurityProfile.BASELINE, SecurityProfile.PRIVILEGED
DEFAULTS = KubernetesConfig()


def spec(**fields: Any) -> WorkerSpec:
    return WorkerSpec(**{"worker_id": "w1", "image": "registry/worker:1", "server_address": "hodei:9090", **fields})


def pod_of(config: KubernetesConfig = DEFAULTS, **fields: Any) -> dict[str, Any]:
    return build_worker_pod(spec(**fields), config)


SECCOMP = {"seccompProfile": {"type": "RuntimeDefault"}}
CONFINED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
UNSET = {"run_as_user": None, "fs_group": None}
PROFILES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "restricted": ({}, {}, {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000, **SECCOMP}, CONFINED),
    "restricted, the image's own user": (UNSET, {}, {"runAsNonRoot": True, **SECCOMP}, CONFINED),
    "restricted, numbers of the configuration": (
        {"run_as_user": 7, "fs_group": 8},
        {},
        {"runAsNonRoot": True, "runAsUser": 7, "fsGroup": 8, **SECCOMP},
        CONFINED,
    ),
    "restricted, numbers of the spec": (
        {"run_as_user": 7},
        {"run_as_user": 9, "fs_group": 0},
        {"runAsNonRoot": True, "runAsUser": 9, "fsGroup": 0, **SECCOMP},
        CONFINED,
    ),
    "restricted by the spec": (
        {"security_profile": PRIVILEGED},
        {"security_profile": RESTRICTED},
        {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000, **SECCOMP},
        CONFINED,
    ),
    "baseline": ({"security_profile": BASELINE}, {}, SECCOMP, {}),
    "baseline by the spec, as root": (
        {},
        {"security_profile": BASELINE, "run_as_user": 0},
        {"runAsUser": 0, **SECCOMP},
        {},
    ),
    "privileged": ({"security_profile": PRIVILEGED}, {}, {}, {}),
    "privileged by the spec, a group": ({}, {"security_profile": PRIVILEGED, "fs_group": 5}, {"fsGroup": 5}, {}),
}


@pytest.mark.parametrize("case", PROFILES)
def test_security_profiles(case: str) -> None:
    config, asked, pod_context, container_context = PROFILES[case]
    pod = pod_of(KubernetesConfig(**config), **asked)
    assert pod["spec"].get("securityContext", {}) == pod_context
    assert pod["spec"]["containers"][0].get("securityContext", {}) == container_context


def test_root_under_the_restricted_profile_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        pod_of(run_as_user=0)
    assert [fault.field for fault in caught.value.faults] == ["spec.run_as_user"]
