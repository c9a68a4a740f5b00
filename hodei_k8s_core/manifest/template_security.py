"""What of a template a security profile does not allow, and how the template's own containers pass it.

Source: kubernetes.io/docs/concepts/security/pod-security-standards. Only what stands against a worker's own fields, and
the powers that are most asked for, are looked at here; the namespace's policy judges the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.strategic_merge import strategic_merge
from hodei_k8s_core.validation import item

_RESTRICTED: Final = (SecurityProfile.RESTRICTED,)
_BOTH: Final = (SecurityProfile.RESTRICTED, SecurityProfile.BASELINE)
_CONTAINERS: Final = ("containers", "initContainers")
_HOSTS: Final = ("hostNetwork", "hostPID", "hostIPC")


class _Rule(msgspec.Struct, frozen=True):
    """Under `profiles` the field at `path` of a security context must not be such."""

    profiles: tuple[SecurityProfile, ...]
    path: tuple[str, ...]
    is_wrong: Callable[[Any], bool]


_RULES: Final = (
    _Rule(_BOTH, ("privileged",), lambda value: value is True),
    _Rule(_BOTH, ("seccompProfile", "type"), lambda value: value == "Unconfined"),
    _Rule(_RESTRICTED, ("allowPrivilegeEscalation",), lambda value: value is True),
    _Rule(_RESTRICTED, ("runAsNonRoot",), lambda value: value is False),
    _Rule(_RESTRICTED, ("runAsUser",), lambda value: value == 0),
    _Rule(_RESTRICTED, ("capabilities", "add"), lambda value: any(power != "NET_BIND_SERVICE" for power in value)),
    _Rule(_RESTRICTED, ("capabilities", "drop"), lambda value: "ALL" not in value),
)


def security_faults(template: Mapping[str, Any], profile: SecurityProfile) -> list[Fault]:
    """What the profile does not allow, each with its path. `template` is one that the configuration accepted."""
    spec = template.get("spec", {})
    paths = [f"pod_template.spec.{name}" for name in _HOSTS if profile in _BOTH and spec.get(name)]
    paths += _wrong("pod_template.spec", spec, profile)
    for name in _CONTAINERS:
        for container in spec.get(name, ()):
            paths += _wrong(item(f"pod_template.spec.{name}", container["name"]), container, profile)
    return [Fault(path, f"is not allowed under the security profile {profile.value}") for path in paths]


def confined(container: Mapping[str, Any], demanded: Mapping[str, Any]) -> dict[str, Any]:
    """A container of the template with what the profile demands of each; what it says itself stays."""
    own = container.get("securityContext", {})
    return {**container, "securityContext": strategic_merge(demanded, own, {})} if demanded else dict(container)


def _wrong(place: str, holder: Mapping[str, Any], profile: SecurityProfile) -> Iterator[str]:
    for rule in _RULES:
        value: Any = holder.get("securityContext")
        for name in rule.path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None and profile in rule.profiles and rule.is_wrong(value):
            yield ".".join((place, "securityContext", *rule.path))
