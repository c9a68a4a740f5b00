"""How a worker's Pod is confined: the fields of the Pod Security Standards.

Source: kubernetes.io/docs/concepts/security/pod-security-standards. *Restricted* demands fields; *baseline* and
*privileged* only forbid some, and none of those is ever set here: a profile lifts constraints, it asks for no powers.
The configured user and group are for the restricted profile, which needs a number where the image has no user or names
one; under the others the image's own user stays, unless the spec itself asks for another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import Fault
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.validation import raise_faults

_NO_ROOT: Final = "must not be 0 (root) under the security profile restricted"


class PodSecurity(msgspec.Struct, frozen=True):
    """The `securityContext` of the Pod and of its container, each empty where there is nothing to ask for."""

    pod: dict[str, Any]
    container: dict[str, Any]


def _restricted() -> PodSecurity:
    return PodSecurity(
        {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    )


def _baseline() -> PodSecurity:
    return PodSecurity({"seccompProfile": {"type": "RuntimeDefault"}}, {})


def _privileged() -> PodSecurity:
    return PodSecurity({}, {})


# Functions, since whoever gets a manifest may change it.
_PROFILES: Final[dict[SecurityProfile, Callable[[], PodSecurity]]] = {
    SecurityProfile.RESTRICTED: _restricted,
    SecurityProfile.BASELINE: _baseline,
    SecurityProfile.PRIVILEGED: _privileged,
}


def pod_security(spec: WorkerSpec, config: KubernetesConfig) -> PodSecurity:
    """What the profile demands, the spec before the configuration.

    Raises: ConfigurationError for root under the restricted profile: the kubelet would refuse to start it.
    """
    profile = spec.security_profile or config.security_profile
    is_restricted = profile is SecurityProfile.RESTRICTED
    user = spec.run_as_user if spec.run_as_user is not None or not is_restricted else config.run_as_user
    group = spec.fs_group if spec.fs_group is not None or not is_restricted else config.fs_group
    if is_restricted:
        users = {"spec.run_as_user": user}
        users |= {f"spec.sidecars[{index}].run_as_user": one.run_as_user for index, one in enumerate(spec.sidecars)}
        raise_faults("the worker cannot run like that", [Fault(name, _NO_ROOT) for name in users if users[name] == 0])
    numbers = {"runAsUser": user, "fsGroup": group}
    chosen = {name: number for name, number in numbers.items() if number is not None}
    demanded = _PROFILES[profile]()
    return PodSecurity(demanded.pod | chosen, demanded.container)
