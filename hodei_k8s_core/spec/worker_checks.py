"""The rules of a worker's spec, by the names of its fields, and those that span several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.labels import annotation_faults, capability_key, label_faults, selector_faults
from hodei_k8s_core.names import dns_subdomain_problem, label_key_problem, worker_id_problem
from hodei_k8s_core.secret import Secret
from hodei_k8s_core.spec.affinity import affinity_faults
from hodei_k8s_core.spec.architecture import Architecture
from hodei_k8s_core.spec.environment_source import (
    PROVIDED_ENVIRONMENT,
    EnvironmentSource,
    environment_faults,
    environment_key_faults,
    twice_faults,
)
from hodei_k8s_core.spec.host_names import DnsConfig, HostAlias, dns_policy_problem
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.server_address import server_address_problem
from hodei_k8s_core.spec.sidecar import sidecars_faults
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.topology_spread import spread_faults
from hodei_k8s_core.spec.volume_spec import volume_paths, volumes_faults
from hodei_k8s_core.validation import (
    MAX_INT32,
    Problem,
    fault_of,
    instance,
    number,
    optional,
    sequence_faults,
    text_problem,
    text_that,
    whole_number,
    word_problem,
)

IMAGE_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
Faults: TypeAlias = Callable[[str, object], list[Fault]]


def worker_faults(values: Mapping[str, Any]) -> list[Fault]:
    """Everything that is wrong with a worker's fields."""
    found = [f for name, check in _CHECKS.items() for f in fault_of(name, check(values[name]))]
    for name, (nothing, faults) in _COLLECTIONS.items():
        if values[name] != nothing:  # most are not given at all
            found += faults(name, values[name])
    if values["environment_from"]:
        found += twice_faults(values["environment"], values["environment_from"])
    if values["sidecars"] != ():
        found += sidecars_faults("sidecars", values["sidecars"], volume_paths(values["volumes"]))
    if values["security_profile"] is SecurityProfile.RESTRICTED and values["run_as_user"] == 0:
        found.append(Fault("run_as_user", "must not be 0 (root) under the security profile restricted"))
    return found


def _otp_problem(value: object) -> str | None:
    text = value.reveal() if isinstance(value, Secret) else value
    return text_problem(text) or (None if text else "must not be empty; None means that there is none")


def _capability_problem(text: str) -> str | None:
    if not text or "/" in text:
        return f"must be a name without '/', not {text!r}"
    return label_key_problem(capability_key(text))


def _pull_policy_problem(text: str) -> str | None:
    return None if text in IMAGE_PULL_POLICIES else f"must be one of {', '.join(IMAGE_PULL_POLICIES)}, not {text!r}"


_ID: Final = optional(whole_number(0, MAX_INT32))
_CLASS: Final = optional(text_that(dns_subdomain_problem))
_CHECKS: Final[dict[str, Problem]] = {
    "worker_id": text_that(worker_id_problem),
    # The configuration may name one: that is looked at when the Pod is built.
    "image": lambda value: None if value == "" else word_problem(value),
    "profile": optional(word_problem),
    "server_address": text_that(server_address_problem),
    "resources": optional(instance(ResourceRequirements)),
    "otp_token": optional(_otp_problem),
    # The API's limits of activeDeadlineSeconds.
    "max_lifetime": number(1, MAX_INT32),
    "idle_timeout": number(0),
    "architecture": optional(instance(Architecture, "an Architecture")),
    "ttl_after_completion": optional(number(0)),
    "image_pull_policy": optional(text_that(_pull_policy_problem)),
    "readiness_probe": optional(instance(ReadinessProbe)),
    "security_profile": optional(instance(SecurityProfile)),
    "run_as_user": _ID,
    "fs_group": _ID,
    "priority_class": _CLASS,
    "runtime_class": _CLASS,
    "dns_policy": optional(text_that(dns_policy_problem)),
    "dns_config": optional(instance(DnsConfig)),
}


def _sequence_of(check: Problem) -> Faults:
    return lambda field, value: sequence_faults(field, value, check)


_COLLECTIONS: Final[dict[str, tuple[object, Faults]]] = {
    "labels": ({}, label_faults),
    "annotations": ({}, annotation_faults),
    "environment": ({}, partial(environment_faults, taken=PROVIDED_ENVIRONMENT)),
    "environment_from": ({}, partial(environment_key_faults, taken=PROVIDED_ENVIRONMENT)),
    "environment_sources": ((), _sequence_of(instance(EnvironmentSource, "a WholeSecret or a WholeConfigMap"))),  # type: ignore[arg-type]
    "required_capabilities": ((), _sequence_of(text_that(_capability_problem))),
    "volumes": ((), volumes_faults),
    "command": ((), _sequence_of(text_problem)),
    "args": ((), _sequence_of(text_problem)),
    "node_selector": ({}, selector_faults),
    "tolerations": ((), _sequence_of(instance(Toleration))),
    "affinity": (None, affinity_faults),
    "topology_spread_constraints": ((), spread_faults),
    "host_aliases": ((), _sequence_of(instance(HostAlias))),
}
